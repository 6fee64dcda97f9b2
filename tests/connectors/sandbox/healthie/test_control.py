"""Setting the stage: seeds, the clock, staff's edits now and later, canaries, Synthea, start and stop."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from connectors.sandbox.healthie import Edit, StandIn, StandInError
from tests.connectors.sandbox.healthie.conftest import Client

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def snapshot(healthie: StandIn) -> list[dict]:
    types = ("Policy", "Location", "Appointment", "BillingItem")
    patients = healthie.ids()
    owner = {"Appointment": "attendee_ids", "BillingItem": "sender_id"}
    children = [
        row for t in types for p in patients[:20] for row in healthie.rows_of(t, p, owner.get(t, "user_id"))
    ]
    return [healthie.row("User", id_) for id_ in patients] + children


def test_the_same_seed_and_clock_make_the_same_practice():
    with StandIn(patients=30, seed=5, now=NOW) as first, StandIn(patients=30, seed=5, now=NOW) as second:
        one, other = snapshot(first), snapshot(second)
    with StandIn(patients=30, seed=6, now=NOW) as third:
        different = snapshot(third)

    assert one == other != different


def test_synthetic_patients_are_untidy_and_invented():
    with StandIn(patients=300, seed=2, now=NOW) as healthie:
        rows = [healthie.row("User", id_) for id_ in healthie.ids()]
        policies = [row for id_ in healthie.ids() for row in healthie.rows_of("Policy", id_)]
        zips = {row["zip"] for id_ in healthie.ids() for row in healthie.rows_of("Location", id_)}
    day_old = [row for row in rows if datetime.fromisoformat(row["updated_at"]) < NOW - timedelta(days=1)]

    assert (
        {row["email"] is None for row in rows} == {row["phone_number"] == "" for row in rows} == {True, False}
    )
    assert {row["active"] for row in rows} == {row["dob"] is None for row in rows} == {True, False}
    assert all(row["email"] is None or row["email"].endswith("@example.com") for row in rows)
    assert all(
        "55501" in row["phone_number"].replace("-", "") or not row["phone_number"]
        for row in rows
        if "(" not in row["phone_number"]
    )
    assert any(not row["last_name"].isascii() for row in rows) and any(zip_.startswith("0") for zip_ in zips)
    assert {row["priority_type"] for row in policies} == {"primary", "secondary", "inactive"}
    assert len(day_old) > 290
    assert datetime.fromisoformat(min(row["updated_at"] for row in rows)) > NOW - timedelta(days=731)


def test_all_rows_can_be_stamped_alike():
    with StandIn(patients=20, now=NOW, one_stamp=True) as healthie:
        stamps = {row["updated_at"] for row in snapshot(healthie)}

    assert stamps == {"2026-05-03 12:00:00+00:00"}


def test_the_clock_stands_still_moves_and_runs(healthie: StandIn):
    healthie.set_clock(NOW)
    frozen = healthie.now()
    healthie.advance_clock(90)
    moved = healthie.now()
    healthie.edit("User", healthie.ids()[0], first_name="Stamped")
    stamp = healthie.row("User", healthie.ids()[0])["updated_at"]
    healthie.set_clock(datetime.now(UTC), frozen=False)

    assert (frozen, moved, stamp) == (NOW, NOW + timedelta(seconds=90), "2026-05-04 12:01:30+00:00")
    assert abs(healthie.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_edits_bump_the_row_they_change_and_may_leave_the_stamp(healthie: StandIn):
    patient = healthie.ids()[1]
    before = healthie.row("User", patient)["updated_at"]
    healthie.edit("User", patient, touch=False, first_name="Silent")
    silent = healthie.row("User", patient)
    healthie.edit("User", patient, first_name="Loud")

    assert (silent["first_name"], silent["updated_at"]) == ("Silent", before)
    assert healthie.row("User", patient)["updated_at"] > before


@pytest.mark.parametrize(
    "edit",
    [
        Edit(id="42", values={"first_name": "X"}),
        Edit(type="Nothing", id="1"),
        Edit(act="create", type="Policy", values={"numm": "W1"}),
        Edit(act="tag", id="1000014", values={"tag_id": "42"}),
    ],
)
def test_a_wrong_edit_is_refused_and_not_swallowed(edit: Edit, healthie: StandIn):
    with pytest.raises(StandInError, match="400"):
        healthie.apply([edit])


def test_edits_wait_for_requests(client: Client, healthie: StandIn):
    patient = healthie.ids()[2]
    healthie.edit("User", patient, first_name="Early")
    healthie.apply_after(2, [Edit(id=patient, values={"first_name": "Later"})], root="users")
    document = "query($i: [ID]) { users(ids: $i) { nodes { first_name } } }"
    client.data("{ tagsPaginated { total_count } }")
    seen = [client.data(document, i=[patient])["users"]["nodes"][0]["first_name"] for _ in range(4)]

    assert seen == ["Early", "Early", "Later", "Later"]


def test_a_merge_archives_the_source_and_moves_what_it_had(client: Client, healthie: StandIn):
    source, target = healthie.create("User", first_name="A", last_name="B"), healthie.ids()[3]
    policy = healthie.create("Policy", user_id=source, num="W3")
    healthie.merge(source, into=target)

    assert healthie.row("User", source)["active"] is False
    assert policy in [row["id"] for row in healthie.rows_of("Policy", target)]
    assert healthie.rows_of("Policy", source) == []


def test_canaries_fill_every_kind_and_are_served(client: Client, healthie: StandIn):
    ids, words = healthie.canary(2)
    document = """query($i: [ID]) { users(ids: $i, first: 5) { nodes { first_name email phone_number
      dob metadata record_identifier stripe_id money_owed policies { num group_num metadata holder_dob }
      locations { zip city } referrals { metadata } notification_contacts { email }
      next_recurring_payment { amount_to_pay } client_source { ref_source }
      stripe_customer_detail { last_four } } } }"""
    nodes = client.data(document, i=ids)["users"]["nodes"]
    served = str(nodes)
    marked = [word for word in words if word.startswith("CANARY_USER_FIRST_NAME")]

    assert len(nodes) == len(marked) == 2
    assert all(word in served for word in marked)
    assert all(node["email"] in words and node["phone_number"] in words for node in nodes)
    assert all(node["dob"] in words and node["money_owed"] in words for node in nodes)
    assert all(node["policies"][0]["num"].startswith("CANARY_POLICY_NUM") for node in nodes)
    assert len({word for word in words if "FIRST_NAME" in word}) == 4  # the patients' and their contacts'
    assert healthie._get("canary") == words


def test_synthea_patients_become_a_practice(shared: Path):
    folder = shared / "data" / "synthea"
    if not folder.is_dir():
        pytest.skip("needs the shared specs: Synthea's files are not among them")
    with StandIn(synthea=folder) as healthie:
        rows = [healthie.row("User", id_) for id_ in healthie.ids()]
        first = rows[0]["id"]
        address = healthie.rows_of("Location", first)[0]
        policies = [row for one in rows[:200] for row in healthie.rows_of("Policy", one["id"])]

    assert len(rows) == 1171
    assert sum(not row["active"] for row in rows) == 171
    assert (rows[0]["last_name"], rows[0]["dob"]) == ("Gómez206", "1989-05-25")
    assert (address["zip"], address["state"]) == ("01013", "MA")
    assert {row["priority_type"] for row in policies} == {"primary", "inactive"}
    assert "NO_INSURANCE" not in {row["name"] for row in policies}


def test_the_stand_in_ends_with_its_block_and_refuses_to_start_on_nonsense(tmp_path: Path):
    with StandIn(patients=1) as healthie:
        url = healthie.url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/control/clock", trust_env=False)
    with pytest.raises(StandInError, match="did not start"):
        StandIn(synthea=tmp_path)


def test_it_runs_by_hand_and_ends_when_its_stdin_closes():
    command = [sys.executable, "-m", "connectors.sandbox.healthie", "--patients", "1", "--with-parent"]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=30, check=True)

    assert done.stdout.startswith('{"url": "http://127.0.0.1:')


def test_unknown_endpoints_are_refused(healthie: StandIn):
    assert httpx.get(f"{healthie.url}/control/nothing", trust_env=False).status_code == 404
    assert httpx.get(f"{healthie.url}/graphql", trust_env=False).status_code == 404
    assert httpx.post(f"{healthie.url}/graphql", content=b"{", trust_env=False).status_code == 400
