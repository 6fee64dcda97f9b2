"""What goes wrong between us and Healthie, and that an error is never an empty list."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from connectors.entry import Absent, Found
from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.healthie import Healthie
from connectors.operation import Item
from connectors.sandbox.healthie.faults import Fault, RandomFaults, Trouble
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.canned import Canned, answering
from tests.connectors.healthie.conftest import PATIENCE, REALISTIC, credentials

BRIEF: list[Trouble] = [
    "rate_limited",
    "too_many_requests",
    "server_error",
    "bad_gateway",
    "bad_gateway_applied",
    "html",
    "truncated",
    "half_json",
    "reset",
    "reset_applied",
    "hang",
]


@contextmanager
def hurried(stand_in: StandIn, trouble: Trouble) -> Iterator[Healthie]:
    """A connector that does not wait long where the stand-in hangs."""
    patience = PATIENCE.model_copy(update={"answer": 1.0}) if trouble.startswith("hang") else PATIENCE
    connector = Healthie(credentials(stand_in, patience=patience), read_only=False)
    yield connector
    connector.close()


def update(connector: Healthie, patient: str) -> str:
    (outcome,) = connector.writes()["update_client"].send([Item("k", patient, {"pronouns": "they/them"})])
    return f"{outcome.state} {outcome.code}".strip()


@pytest.mark.parametrize("trouble", BRIEF)
def test_a_short_disturbance_of_a_read_is_ridden_out(stand_in: StandIn, trouble: Trouble) -> None:
    stand_in.faults([Fault(trouble=trouble, root="users", times=1, seconds=2.0)])
    ids = stand_in.ids()
    with hurried(stand_in, trouble) as connector:
        read = [one for one in connector.read(ids, REALISTIC) if isinstance(one, Found)]

    assert len(read) == len(ids)
    assert {one["trouble"] for one in _sent(stand_in)} == {None, trouble}


@pytest.mark.parametrize("trouble", [one for one in BRIEF if one != "hang"])
def test_a_lasting_disturbance_of_a_read_is_transient(
    healthie: Healthie, stand_in: StandIn, trouble: Trouble
) -> None:
    stand_in.fault(trouble, root="users", times=None)
    with pytest.raises(Transient) as failure:
        list(healthie.everyone())

    assert len(_sent(stand_in)) == PATIENCE.attempts
    assert "\n" not in str(failure.value) and str(failure.value).startswith("healthie: ")


def test_a_message_is_one_line_in_our_words(healthie: Healthie, stand_in: StandIn) -> None:
    stand_in.fault("rate_limited", times=None)
    with pytest.raises(Transient, match=r"^healthie: 429 Too Many Requests$") as failure:
        healthie.check()

    assert failure.value.code == "rate_limited"
    assert failure.value.wait is not None


def test_a_long_silence_is_the_flows_to_wait_for() -> None:
    with StandIn(2) as own:  # whoever speaks to it keeps silent from then on
        own.faults([Fault(trouble="rate_limited", times=None, retry_after=3600)])
        connector = Healthie(credentials(own), read_only=True)
        with pytest.raises(Transient) as failure:
            connector.check()

        assert failure.value.wait is not None and failure.value.wait.total_seconds() > 3500
        sent = len(_sent(own))
        with pytest.raises(Transient, match="stay away"):
            connector.check()
        assert len(_sent(own)) == sent
        connector.close()


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ("rate_limited", Transient),
        ("too_many_requests", Transient),
        ("server_error", Unknown),
        ("bad_gateway_applied", Unknown),
        ("html", Unknown),
        ("truncated", Unknown),
        ("half_json", Unknown),
        ("reset", Unknown),
        ("reset_applied", Unknown),
        ("hang", Unknown),
        ("hang_applied", Unknown),
        ("unauthorized", Unauthorized),
    ],
)
def test_a_write_is_sent_once(stand_in: StandIn, trouble: Trouble, kind: type[ConnectorError]) -> None:
    stand_in.faults([Fault(trouble=trouble, root="updateClient", times=1, seconds=2.0)])
    with hurried(stand_in, trouble) as connector, pytest.raises(kind):
        update(connector, stand_in.ids()[0])

    assert len(_sent(stand_in)) == 1


def test_nobody_there_is_transient_for_reads_and_writes(stand_in: StandIn) -> None:
    for act in (lambda it: it.check(), lambda it: update(it, "1")):
        connector = Healthie(credentials(stand_in, url="http://127.0.0.1:9/graphql"), read_only=False)
        with pytest.raises(Transient) as failure:
            act(connector)
        connector.close()

        assert failure.value.code == "unreachable"


def test_errors_in_a_200_are_no_answer(healthie: Healthie, writer: Healthie, stand_in: StandIn) -> None:
    stand_in.fault("errors", times=None)
    acts: list[Callable[[], object]] = [
        healthie.check,
        lambda: list(healthie.everyone()),
        lambda: list(healthie.read(stand_in.ids(), ["email"])),
    ]
    for act in acts:
        with pytest.raises(Transient) as failure:
            act()
        assert failure.value.code == "internal_server_error"
    with pytest.raises(Unknown):
        update(writer, stand_in.ids()[0])


def test_a_wrong_key_is_the_tenants_to_put_right(stand_in: StandIn) -> None:
    connector = Healthie(credentials(stand_in, api_key="gh_sbox_wrong"), read_only=True)
    with pytest.raises(Unauthorized) as failure:
        connector.check()
    connector.close()

    assert "gh_sbox" not in str(failure.value)


def test_an_old_api_version_says_what_to_do(stand_in: StandIn) -> None:
    connector = Healthie(credentials(stand_in, api_version="2019-01-01"), read_only=True)
    with pytest.raises(Rejected, match="set api_version") as failure:
        connector.check()
    connector.close()

    assert failure.value.code == "api_version"


@pytest.mark.parametrize("root", ["users", "appointments"])
def test_an_empty_list_in_place_of_rows_is_noticed(healthie: Healthie, stand_in: StandIn, root: str) -> None:
    whole = {one.patient: one for one in healthie.read(stand_in.ids(), REALISTIC)}
    stand_in.fault("empty", root=root, times=1, skip=2 if root == "appointments" else 0)

    assert {one.patient: one for one in healthie.read(stand_in.ids(), REALISTIC)} == whole


def test_a_lasting_empty_list_is_no_empty_entry(healthie: Healthie, stand_in: StandIn) -> None:
    stand_in.fault("empty", root="users", times=None)
    with pytest.raises(Transient):
        list(healthie.everyone())
    with pytest.raises(Transient):
        healthie.feeds([])[0].fetch(None, None)


def test_an_alias_that_failed_spoils_its_own_patient_only(healthie: Healthie, stand_in: StandIn) -> None:
    ids = stand_in.ids()[:6]
    stand_in.fault("partial", root="requestedPayments", times=1)
    readings = list(healthie.read(ids, REALISTIC))
    absent = [one for one in readings if isinstance(one, Absent)]

    assert len(readings) == 6 and {one.reason for one in absent} <= {"unreadable"}
    for one in readings:
        assert isinstance(one, Absent) or "requested_payments" in one.entry


def test_random_troubles_never_change_an_entry(healthie: Healthie, stand_in: StandIn) -> None:
    ids = stand_in.ids()
    whole = {one.patient: one for one in healthie.read(ids, REALISTIC)}
    stand_in.faults(random=RandomFaults(rate=0.25, seed=5))
    troubled: dict[str, object] = {}
    for _ in range(10):
        try:
            troubled |= {one.patient: one for one in healthie.read(ids, REALISTIC)}
        except Transient:
            continue
        break

    assert troubled == whole


def test_a_narrow_key_is_told_which_permissions_it_lacks(stand_in: StandIn) -> None:
    connector = Healthie(credentials(stand_in, api_key=stand_in.narrow_key), read_only=True)
    everything, email = connector.check(connector.fields()), connector.check(["email"])
    connector.close()

    assert email.missing == ("sees_all_clients",)
    assert set(email.missing) < set(everything.missing)
    assert "can_see_calendar" not in everything.missing


def test_a_target_needs_what_its_writes_need_and_no_billing() -> None:
    granted = dict.fromkeys(["can_see_clients", "sees_all_clients", "can_view_all_org_members_tasks"], True)
    who = {"id": "3", "organization": {"id": "1"}, "organization_membership": {"id": "2", **granted}}
    with answering(Canned({"data": {"currentUser": who}})) as server:
        connector = Healthie(server.credentials, read_only=False)
        missing = [connector.check(*asked).missing for asked in [(), (["email"],), (["billing_items.id"],)]]
        connector.close()

    assert missing == [(), (), ("can_see_billing", "sees_all_billing")]


def test_a_target_that_sees_too_little_is_told() -> None:
    who = {"id": "3", "organization": {"id": "1"}, "organization_membership": {"id": "2"}}
    with answering(Canned({"data": {"currentUser": who}})) as server:
        connector = Healthie(server.credentials, read_only=False)
        missing = connector.check().missing
        connector.close()

    # a look for our own task in too short a list would make it twice
    assert missing == ("can_see_clients", "sees_all_clients", "can_view_all_org_members_tasks")


def _sent(stand_in: StandIn) -> list[dict[str, object]]:
    listed = stand_in.requests()["requests"]
    assert isinstance(listed, list)
    return [dict(one) for one in listed if isinstance(one, dict)]
