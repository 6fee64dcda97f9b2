"""A ledger restored to a moment within its last run, which went on and died: what had left is not doubled."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from connectors.operation import ArgumentModel, Delivery, Item, Outcome, Write
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Faults, Scripted
from flows import deliver
from flows.ledger.deliveries import Due
from flows.run import Run
from tests.faults.conftest import BOTH
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.test_restored_ledger import an_hour_later, backup, effects, held_codes, restore, states
from tests.faults.test_two_runs import stopped_at, wake
from tests.faults.world import Practice, tally
from tests.flows.ledgers import held

EVENTS = 4  # the probe's write that records events, after charges, contacts and orders


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(3, seed=6) as stand_in:
        yield stand_in


def arrived(practice: Practice, operation: str, since: int) -> bool:
    """Wait for it: the run goes on in another process."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(one.operation == operation for one in effects(practice, since)):
            return True
        time.sleep(0.02)
    return False


@BOTH
def test_what_left_after_the_copy_was_taken_does_not_leave_again(practice: Callable[[str], Practice]) -> None:
    here = practice("practice")
    awake(here)
    rename(here, "Before")
    assert here.run() == 0
    expected = rename(here, "Within")
    sent = len(here.probe.effects())
    here.probe.set_faults(Faults(script=(Scripted(request=EVENTS, fault="hang_after"),), hang=20.0))
    run = stopped_at(here, "after journal")
    old = backup(here)
    wake(run)
    assert arrived(here, "send_event", sent)  # and its answer hangs: the run has not ended
    run.kill()
    run.process.join(30)
    here.probe.set_faults(Faults())
    restore(here, old)
    left = len(here.probe.effects())

    assert here.run() == 3

    assert effects(here, left) == []
    assert held_codes(here) == [("ledger_restored",)]
    an_hour_later(here)
    assert ferry(here, "release", here.label).code == 3
    found = tally(here, expected)
    assert (found.lost, found.doubled) == ([], [])
    assert states(here, "probe_send_event") == {"done": 3, "unknown": 3}


@pytest.mark.parametrize("delivery", Delivery)
def test_what_must_not_leave_twice_stays_while_no_anchor_can_be_kept(
    tmp_path: Path, delivery: Delivery
) -> None:
    """Prefect went away in the middle of a run."""
    ledger, left = held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path), list[Item]()

    def send(items: Sequence[Item]) -> list[Outcome]:
        left.extend(items)
        return [Outcome(item.key, "done") for item in items]

    write = Write("order", "Order.", ArgumentModel, delivery, send, lambda patient, arguments: patient)
    one = Due(Item("k", "1", {}), "e", 1, "sent", "r", None, None, newest=True)
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}):
        outcomes = deliver._send(cast(Run, SimpleNamespace(ledger=ledger)), "shop_order", write, [one])
    ledger.close()

    assert bool(left) == (delivery is Delivery.UPSERT)
    away = Outcome("k", "transient", "anchor_unavailable")
    assert outcomes == [Outcome("k", "done") if delivery is Delivery.UPSERT else away]
