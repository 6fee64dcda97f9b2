"""The probe: its server really does what a fault says, and the connector names each one rightly."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors.errors import Denied, Transient, Unauthorized, Unknown
from connectors.operation import Delivery, Item, Outcome
from connectors.sandbox.probe import Faults, Probe, ProbeCredentials, ProbeServer, Scripted
from connectors.sandbox.probe.faults import TRANSPORT, FaultName

ARGUMENTS: dict[str, dict[str, JsonValue]] = {
    "keyed_charge": {"amount": 1250},
    "upsert_contact": {"first_name": "Ana", "email": "ana@example.com", "phone": None},
    "create_order": {"product": "vitamins"},
    "send_event": {"name": "welcome"},
}
Expected = tuple[type[Exception] | None, int]  # what is raised, how many of three items are applied
FAULTS: dict[FaultName, Expected] = {
    "429": (Transient, 0),
    "500_before": (Unknown, 0),
    "502_after": (Unknown, 3),
    "reset_before": (Unknown, 0),
    "reset_after": (Unknown, 3),
    "hang_after": (Unknown, 3),
    "truncated": (Unknown, 3),
    "html": (Unknown, 3),
    "one_refused": (None, 2),
    "all_refused": (None, 0),
}


@pytest.fixture(scope="module")
def shared() -> Iterator[ProbeServer]:
    with ProbeServer() as server:
        yield server


@pytest.fixture
def server(shared: ProbeServer) -> ProbeServer:
    shared.set_faults(Faults())
    return shared


@pytest.fixture
def probe(server: ProbeServer) -> Iterator[Probe]:
    probe = Probe(ProbeCredentials(url=server.url, timeout=0.3))
    yield probe
    probe.close()


def items(operation: str, *names: str) -> list[Item]:
    return [Item(name, f"patient-{name}", ARGUMENTS[operation]) for name in names]


def applied(server: ProbeServer, keys: Sequence[Item]) -> list[str]:
    names = {item.key for item in keys}
    return [effect.key for effect in server.effects() if effect.key in names]


def test_the_account_is_none_for_trials(probe: Probe) -> None:
    account = probe.check()

    assert (account.system, account.sandbox) == ("probe", False)


def test_there_is_one_write_of_each_class(probe: Probe) -> None:
    assert {name: write.delivery for name, write in probe.writes().items()} == {
        "keyed_charge": Delivery.KEYED,
        "upsert_contact": Delivery.UPSERT,
        "create_order": Delivery.SEARCHABLE,
        "send_event": Delivery.BLIND,
    }


@pytest.mark.parametrize("operation", ARGUMENTS)
def test_a_batch_is_applied_and_answered_by_key(server: ProbeServer, probe: Probe, operation: str) -> None:
    batch = items(operation, *(f"{operation}-plain-{number}" for number in range(20)))

    outcomes = probe.writes()[operation].send(batch)

    assert [(outcome.key, outcome.state) for outcome in outcomes] == [(item.key, "done") for item in batch]
    assert applied(server, batch) == [item.key for item in batch]
    if operation in ("keyed_charge", "create_order"):
        references = {effect.key: effect.reference for effect in server.effects()}
        assert all(outcome.reference == references[outcome.key] for outcome in outcomes)


def test_the_server_answers_in_another_order(server: ProbeServer, probe: Probe) -> None:
    batch = items("create_order", *(f"order-{number}" for number in range(20)))

    answer = probe._call("POST", "/write/create_order", [
        {"key": item.key, "patient": item.patient, "arguments": dict(item.arguments)} for item in batch
    ]).json()  # fmt: skip

    assert [result["key"] for result in answer] != [item.key for item in batch]
    assert {result["key"] for result in answer} == {item.key for item in batch}


@pytest.mark.parametrize("operation", ARGUMENTS)
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_what_it_says(
    server: ProbeServer, probe: Probe, operation: str, fault: FaultName
) -> None:
    kind, count = FAULTS[fault]
    batch = items(operation, *(f"{operation}-{fault}-{number}" for number in range(3)))
    server.set_faults(Faults(script=(Scripted(request=1, fault=fault),), hang=0.6))
    send = probe.writes()[operation].send

    if kind is None:
        states = {outcome.key: outcome.state for outcome in send(batch)}
        assert [key for key, state in states.items() if state == "done"] == applied(server, batch)
        assert list(states.values()).count("rejected") == 3 - count
    else:
        with pytest.raises(kind):
            send(batch)
    assert len(applied(server, batch)) == count
    assert server.requests() == 1


@pytest.mark.parametrize("fault", ["502_after", "reset_after", "hang_after", "truncated", "html"])
@pytest.mark.parametrize(
    ("operation", "doubled"), [("keyed_charge", False), ("create_order", True), ("send_event", True)]
)
def test_only_a_key_makes_sending_again_safe(
    server: ProbeServer, probe: Probe, fault: FaultName, operation: str, doubled: bool
) -> None:
    batch = items(operation, f"again-{operation}-{fault}")
    server.set_faults(Faults(script=(Scripted(request=1, fault=fault),), hang=0.6))
    send = probe.writes()[operation].send
    with pytest.raises(Unknown):
        send(batch)

    assert [outcome.state for outcome in send(batch)] == ["done"]
    assert len(applied(server, batch)) == (2 if doubled else 1)


def test_a_key_with_other_parameters_is_refused(probe: Probe) -> None:
    send = probe.writes()["keyed_charge"].send
    send([Item("mismatch", "1", {"amount": 100})])

    assert send([Item("mismatch", "1", {"amount": 200})]) == [
        Outcome("mismatch", "rejected", "idempotency_mismatch")
    ]


def test_a_key_is_forgotten_after_its_window_but_can_be_looked_up(server: ProbeServer, probe: Probe) -> None:
    write = probe.writes()["keyed_charge"]
    charge = items("keyed_charge", "forgotten")
    server.set_faults(Faults(window=0.05))
    write.send(charge)
    time.sleep(0.1)

    assert write.look is not None
    assert write.look(charge)["forgotten"] is not None
    write.send(charge)
    assert len(applied(server, charge)) == 2


def test_an_order_is_found_only_after_the_search_lag(server: ProbeServer, probe: Probe) -> None:
    write = probe.writes()["create_order"]
    order, none = items("create_order", "lagging", "never-sent")
    server.set_faults(Faults(search_lag=0.4))
    write.send([order])
    assert write.look is not None

    assert write.look([order, none]) == {"lagging": None, "never-sent": None}
    assert until(lambda: write.look is not None and write.look([order])["lagging"] is not None)


def until(true: Callable[[], bool]) -> bool:
    for _ in range(100):
        if true():
            return True
        time.sleep(0.02)
    return False


def test_a_contact_keeps_what_is_not_set(probe: Probe) -> None:
    write = probe.writes()["upsert_contact"]
    write.send([Item("first", "77", {"first_name": "Ana", "phone": "555-0101", "email": ""})])
    write.send([Item("second", "77", {"phone": None})])
    assert write.present is not None

    held = write.present(
        [Item("k", "77", {"first_name": "x", "phone": "x", "email": "x"}), Item("l", "78", {})]
    )
    assert held == {"k": {"first_name": "Ana", "phone": None, "email": ""}, "l": None}


def test_the_same_seed_gives_the_same_faults() -> None:
    faults = Faults(rate=0.3, seed=5)
    first = [faults.at(request) for request in range(1, 2000)]

    assert first == [faults.at(request) for request in range(1, 2000)]
    assert first != [Faults(rate=0.3, seed=6).at(request) for request in range(1, 2000)]
    assert 0.25 < sum(fault is not None for fault in first) / len(first) < 0.35
    assert {fault for fault in first if fault} == set(TRANSPORT)


def test_a_wrong_token_is_the_tenants_matter(server: ProbeServer) -> None:
    probe = Probe(ProbeCredentials(url=server.url, token=SecretStr("wrong")))

    with pytest.raises(Unauthorized):
        probe.check()
    with pytest.raises(Unauthorized):
        probe.writes()["send_event"].send(items("send_event", "unauthorized"))
    probe.close()
    assert applied(server, items("send_event", "unauthorized")) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "http://127.0.0.1.example.com:80",
        "http://127.0.0.1@example.com",
        "http://user:secret@127.0.0.1",
        "https://127.0.0.1",
        "http://0.0.0.0",
        "http://169.254.169.254",
        "http://10.0.0.1",
        "file:///etc/passwd",
        "127.0.0.1",
    ],
)
def test_no_other_host_is_reached(url: str) -> None:
    with pytest.raises((Denied, ValidationError)) as refused:
        Probe(ProbeCredentials(url=url))
    assert "secret" not in str(refused.value)


def test_nothing_is_applied_where_nobody_listens() -> None:
    with ProbeServer() as gone:
        url = gone.url
    probe = Probe(ProbeCredentials(url=url))

    with pytest.raises(Transient):
        probe.check()
    with pytest.raises(Transient):
        probe.writes()["send_event"].send(items("send_event", "nobody"))
    probe.close()


def test_the_server_ends_with_the_process_that_started_it() -> None:
    code = (
        "import os, sys; from connectors.sandbox.probe import ProbeServer;"
        "server = ProbeServer(); sys.stdout.write(server.url); sys.stdout.flush(); os._exit(9)"
    )
    started = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    probe = Probe(ProbeCredentials(url=started.stdout))

    def gone() -> bool:
        try:
            probe.check()
        except Transient:
            return True
        return False

    assert started.returncode == 9
    assert until(gone)
    probe.close()
