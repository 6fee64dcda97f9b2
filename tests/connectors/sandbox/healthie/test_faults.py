"""Every fault does what its name says, as often as it was asked to, and nothing else."""

from collections import Counter
from collections.abc import Iterator
from time import perf_counter

import httpx
import pytest

from connectors.sandbox.healthie import Fault, RandomFaults, StandIn
from tests.connectors.sandbox.healthie.conftest import Client

READ = "{ users(first: 2) { nodes { id } total_count } }"
WRITE = (
    """mutation($i: updateClientInput!) { updateClient(input: $i) { user { id } messages { message } } }"""
)


@pytest.fixture
def patient(healthie: StandIn) -> Iterator[str]:
    patient = healthie.ids()[0]
    healthie.edit("User", patient, first_name="Before")
    yield patient


def write(client: Client, patient: str) -> httpx.Response:
    return client.send(WRITE, {"i": {"id": patient, "first_name": "After"}})


def name(healthie: StandIn, patient: str) -> object:
    return healthie.row("User", patient)["first_name"]


@pytest.mark.parametrize(
    ("trouble", "status", "applied"),
    [
        ("rate_limited", 429, False),
        ("too_many_requests", 200, False),
        ("server_error", 500, False),
        ("bad_gateway", 502, False),
        ("bad_gateway_applied", 502, True),
        ("html", 200, False),
        ("errors", 200, False),
        ("unauthorized", 401, False),
        ("half_json", 200, True),
    ],
)
def test_an_answer_is_spoiled_once(trouble, status, applied, client: Client, healthie: StandIn, patient: str):
    healthie.fault(trouble, root="updateClient")
    answer = write(client, patient)
    seen = name(healthie, patient)
    following = write(client, patient)

    assert (answer.status_code, seen) == (status, "After" if applied else "Before")
    assert following.json()["data"]["updateClient"]["user"]
    assert [bool(effect["applied"]) for effect in healthie.effects()] == (
        [True, False] if applied else [True]
    )


@pytest.mark.parametrize(
    ("trouble", "applied"),
    [("reset", False), ("reset_applied", True), ("truncated", True), ("hang", False), ("hang_applied", True)],
)
def test_a_connection_breaks(trouble, applied, client: Client, healthie: StandIn, patient: str):
    healthie.faults([Fault(trouble=trouble, root="updateClient", seconds=0.2)])
    started = perf_counter()
    with pytest.raises(httpx.TransportError) as caught:
        write(client, patient)

    assert name(healthie, patient) == ("After" if applied else "Before")
    assert isinstance(caught.value, httpx.ReadError) == trouble.startswith("reset")
    assert (perf_counter() - started > 0.2) == trouble.startswith("hang")
    assert write(client, patient).status_code == 200


def test_a_broken_connection_does_not_disturb_others(healthie: StandIn, client: Client):
    healthie.fault("reset", root="users", times=3)
    for _ in range(3):
        with pytest.raises(httpx.ReadError):
            client.send(READ)

    assert len(client.data(READ)["users"]["nodes"]) == 2


def test_a_list_is_emptied_without_an_error(client: Client, healthie: StandIn):
    healthie.fault("empty", root="users")
    both = client.data("{ users(first: 1) { nodes { id } total_count } tagsPaginated { total_count } }")

    assert both["users"] == {"nodes": [], "total_count": 0}
    assert both["tagsPaginated"]["total_count"] > 0


def test_one_of_two_root_fields_fails(client: Client, healthie: StandIn):
    healthie.fault("partial", root="user")
    document = '{ user(id: "1000001", clear_notifs: false) { id } users(first: 1) { nodes { id } } }'
    answer = client.send(document).json()

    assert answer["data"]["user"] is None and len(answer["data"]["users"]["nodes"]) == 1
    assert [error["path"] for error in answer["errors"]] == [["user"]]


def test_a_partly_failed_mutation_did_nothing(client: Client, healthie: StandIn, patient: str):
    healthie.fault("partial", root="updateClient")
    answer = write(client, patient).json()

    assert answer["data"]["updateClient"] is None and name(healthie, patient) == "Before"


def test_a_rate_limit_names_its_wait_only_if_told_to(client: Client, healthie: StandIn):
    healthie.faults([Fault(trouble="rate_limited", retry_after=60), Fault(trouble="rate_limited")])

    assert [client.send(READ).headers.get("Retry-After") for _ in range(2)] == ["60", None]
    assert client.send(READ).status_code == 200


def test_a_fault_meets_the_kth_matching_request_and_no_other_root(client: Client, healthie: StandIn):
    healthie.fault("server_error", root="users", skip=2, times=2)
    other = [client.send("{ tagsPaginated { total_count } }").status_code for _ in range(3)]
    statuses = [client.send(READ).status_code for _ in range(6)]

    assert other == [200] * 3
    assert statuses == [200, 200, 500, 500, 200, 200]


def test_a_fault_meets_one_numbered_request(client: Client, healthie: StandIn):
    client.send(READ)
    number = healthie.requests()["requests"][-1]["number"]
    healthie.faults([Fault(trouble="server_error", at_request=number + 2)])

    assert [client.send(READ).status_code for _ in range(3)] == [200, 500, 200]


def test_a_fault_without_end_lasts_until_it_is_cleared(client: Client, healthie: StandIn):
    healthie.fault("server_error", times=None)
    during = {client.send(READ).status_code for _ in range(5)}
    healthie.faults()

    assert (during, client.send(READ).status_code) == ({500}, 200)


def test_random_faults_are_the_same_for_the_same_seed(client: Client, healthie: StandIn):
    def run() -> list[int]:
        troubles = ("server_error", "rate_limited", "bad_gateway_applied")
        healthie.faults(random=RandomFaults(rate=0.4, seed=3, troubles=troubles, retry_after=None))
        return [client.send(READ).status_code for _ in range(40)]

    first, second = run(), run()

    assert first == second
    assert 8 <= 40 - Counter(first)[200] <= 24
    assert {429, 500, 502} <= set(first)


def test_the_journal_says_which_fault_was_met(client: Client, healthie: StandIn):
    healthie.fault("html", root="users")
    client.send(READ)
    client.send(READ)
    log = healthie.requests()

    assert [one["trouble"] for one in log["requests"]] == ["html", None]
    assert (log["count"], log["roots"]) == (2, {"users": 2})
