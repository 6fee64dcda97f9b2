"""Pages, cursors, orders and time: what a scan of the lists sees while the practice goes on working."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.healthie import Edit, StandIn
from tests.connectors.sandbox.healthie.conftest import Client

PAGE = """query($order: UserOrderKeys, $first: Int, $after: String) {
  users(order_by: $order, first: $first, after: $after) {
    nodes { id updated_at last_name } page_info { has_next_page end_cursor } total_count } }"""


def scan(client: Client, order: str, first: int, at_most: int = 100) -> list[dict]:
    rows, after = [], None
    for _ in range(at_most):
        page = client.data(PAGE, order=order, first=first, after=after)["users"]
        rows += page["nodes"]
        if not page["page_info"]["has_next_page"]:
            return rows
        after = page["page_info"]["end_cursor"]
    raise AssertionError("the scan does not end")


@pytest.mark.parametrize("first", [1, 7, 60, 100])
def test_a_scan_gives_every_patient_once_and_newest_first(first: int, client: Client, healthie: StandIn):
    rows = scan(client, "UPDATED_AT_DESC", first)
    stamps = [datetime.fromisoformat(row["updated_at"]) for row in rows]

    assert sorted(row["id"] for row in rows) == sorted(healthie.ids())
    assert stamps == sorted(stamps, reverse=True)


def test_hundreds_of_rows_with_one_timestamp_are_paged_without_loss(client: Client, healthie: StandIn):
    ids = healthie.ids()
    healthie.stamp(datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), ids=ids)

    rows = scan(client, "UPDATED_AT_DESC", 7)

    assert sorted(row["id"] for row in rows) == sorted(ids)
    assert {row["updated_at"] for row in rows} == {"2026-03-04T00:06:07-05:00"}


def test_names_are_the_default_order(client: Client):
    names = [row["last_name"].casefold() for row in scan(client, "LAST_NAME_ASC", 100)]
    unordered = client.data("{ users(first: 100) { nodes { last_name } } }")["users"]["nodes"]

    assert names == sorted(names) == [row["last_name"].casefold() for row in unordered]


def test_a_cursor_of_another_order_is_refused(client: Client):
    after = client.data(PAGE, order="UPDATED_AT_DESC", first=2)["users"]["page_info"]["end_cursor"]

    assert client.errors(PAGE, order="CREATED_AT_DESC", first=2, after=after)
    assert client.errors(PAGE, order="UPDATED_AT_DESC", first=2, after="nonsense")


def test_a_row_edited_during_a_newest_first_scan_is_missed_and_no_other_is(client: Client, healthie: StandIn):
    everyone = [row["id"] for row in scan(client, "UPDATED_AT_DESC", 100)]
    edits = [Edit(id=everyone[-1], values={"first_name": "Moved"})]
    healthie.apply_after(2, edits, root="users")

    seen = [row["id"] for row in scan(client, "UPDATED_AT_DESC", 10)]

    assert seen == everyone[:-1]
    assert scan(client, "UPDATED_AT_DESC", 10)[0]["id"] == everyone[-1]


def test_a_late_commit_appears_below_the_newest_rows(client: Client, healthie: StandIn):
    first, second = healthie.ids()[:2]
    healthie.edit("User", first, first_name="Newest")
    late = healthie.now() - timedelta(minutes=5)
    healthie.edit("User", second, at=late, first_name="Late")

    rows = scan(client, "UPDATED_AT_DESC", 100)[:2]

    assert [row["id"] for row in rows] == [first, second]
    assert datetime.fromisoformat(rows[1]["updated_at"]) == late.replace(microsecond=0)


def test_last_and_before_walk_from_the_end(client: Client):
    document = """query($before: String) { users(order_by: UPDATED_AT_DESC, last: 3, before: $before) {
        nodes { id } page_info { has_previous_page start_cursor } } }"""
    everyone = [row["id"] for row in scan(client, "UPDATED_AT_DESC", 100)]
    last = client.data(document)["users"]
    previous = client.data(document, before=last["page_info"]["start_cursor"])["users"]

    assert [row["id"] for row in last["nodes"]] == everyone[-3:]
    assert [row["id"] for row in previous["nodes"]] == everyone[-6:-3]
    assert last["page_info"]["has_previous_page"]


def test_edges_carry_usable_cursors(client: Client):
    document = "query($after: String) { users(first: 3, after: $after) { edges { cursor node { id } } } }"
    edges = client.data(document)["users"]["edges"]

    following = client.data(document, after=edges[0]["cursor"])["users"]["edges"]

    assert following[0]["node"] == edges[1]["node"]


def test_ids_select_patients_and_leave_unknown_and_staff_out(client: Client, healthie: StandIn):
    wanted = [healthie.ids()[5], "1000001", "42", healthie.ids()[2], healthie.ids()[5]]
    found = client.data("query($ids: [ID]) { users(ids: $ids) { nodes { id } total_count } }", ids=wanted)

    assert {row["id"] for row in found["users"]["nodes"]} == {healthie.ids()[2], healthie.ids()[5]}
    assert found["users"]["total_count"] == 2


def test_archived_patients_are_listed_unless_the_status_is_asked_for(client: Client, healthie: StandIn):
    patient = healthie.ids()[3]
    healthie.archive(patient)
    document = (
        "query($s: String) { users(active_status: $s, first: 100) { nodes { id active archived_at } } }"
    )
    listed = {
        status: {row["id"] for row in client.data(document, s=status)["users"]["nodes"]}
        for status in ("active", "archived", None)
    }
    healthie.restore(patient)

    assert patient in listed["archived"] and patient in listed[None] and patient not in listed["active"]
    assert len(listed[None]) == len(listed["active"]) + len(listed["archived"])


def test_keywords_must_all_be_found(client: Client, healthie: StandIn):
    patient = healthie.ids()[9]
    healthie.edit("User", patient, first_name="Xanthe", last_name="Quillon", record_identifier="ZZ-77")
    document = "query($k: String) { users(keywords: $k) { nodes { id } } }"

    assert [n["id"] for n in client.data(document, k="quillon xan")["users"]["nodes"]] == [patient]
    assert [n["id"] for n in client.data(document, k="zz-77")["users"]["nodes"]] == [patient]
    assert client.data(document, k="quillon nobody")["users"]["nodes"] == []


def test_instants_are_in_the_zone_of_the_key_and_dates_are_not_shifted(
    client: Client, narrow: Client, healthie: StandIn
):
    document = "query($id: ID!) { user(id: $id, clear_notifs: false) { dob updated_at } }"
    mine = narrow.data("{ users(first: 1) { nodes { id } } }")["users"]["nodes"][0]["id"]
    at = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)
    healthie.edit("User", mine, at=at, dob="1990-01-31")

    assert client.data(document, id=mine)["user"] == {
        "dob": "1990-01-31",
        "updated_at": "2026-06-30T23:30:00-04:00",
    }
    assert narrow.data(document, id=mine)["user"]["updated_at"] == "2026-06-30T20:30:00-07:00"


def test_a_narrow_key_gets_shorter_lists_and_no_error(client: Client, narrow: Client, healthie: StandIn):
    counts = "{ users { total_count } billingItems { total_count } cms1500s { total_count } }"
    everything, some = client.data(counts), narrow.data(counts)
    flags = "{ currentUser { organization_membership { sees_all_clients sees_all_billing } } }"
    hidden = set(healthie.ids()) - {
        row["id"] for row in narrow.data("{ users(first: 100) { nodes { id } } }")["users"]["nodes"]
    }

    assert 0 < some["users"]["total_count"] < everything["users"]["total_count"] == len(healthie.ids())
    assert 0 < some["billingItems"]["total_count"] < everything["billingItems"]["total_count"]
    assert some["cms1500s"]["total_count"] == 0 < everything["cms1500s"]["total_count"]
    assert narrow.data(flags)["currentUser"]["organization_membership"]["sees_all_clients"] is False
    assert narrow.data("query($id: ID) { user(id: $id) { id } }", id=hidden.pop())["user"] is None


def test_restricted_patients_outside_the_care_team_are_silently_absent(client: Client, healthie: StandIn):
    patient = healthie.ids()[4]
    healthie.edit("User", patient, restricted=True)
    document = "query($id: ID!) { user(id: $id) { id } users(ids: [$id]) { nodes { id restricted } } }"
    hidden = client.data(document, id=patient)
    healthie.configure(restricted_shown=True)
    shown = client.data(document, id=patient)
    healthie.edit("User", patient, restricted=False)

    assert hidden == {"user": None, "users": {"nodes": []}}
    assert shown["users"]["nodes"] == [{"id": patient, "restricted": True}]
