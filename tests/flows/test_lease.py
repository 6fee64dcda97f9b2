import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import audit, lease
from flows.ledger.lease import LeaseHeld
from flows.ledger.store import LeaseLost
from flows.ledger.tables import LEASE
from tests.flows.ledgers import held, open_at

SPAWN = multiprocessing.get_context("spawn")


def hold(url: str, folder: Path, ready: "multiprocessing.synchronize.Event") -> None:
    held(url, folder, "r-of-child")
    ready.set()
    time.sleep(60)


def contend(
    url: str, folder: Path, start: "multiprocessing.synchronize.Barrier", won: "multiprocessing.Queue[str]"
) -> None:
    ledger = open_at(url, folder)
    start.wait(30)
    try:
        lease.take(ledger, f"r{os.getpid()}")
        won.put("went")
        time.sleep(1)
    except LeaseHeld:
        won.put("held")
    ledger.close()


def test_a_second_run_is_told_why_not(ledger_url: str, tmp_path: Path) -> None:
    first, second = held(ledger_url, tmp_path), open_at(ledger_url, tmp_path)

    with pytest.raises(LeaseHeld, match=r"acme/warehouse: run r1 is already going \(process \d+"):
        lease.take(second, "r2")

    first.close()
    second.close()


def test_a_lease_that_was_given_back_is_free(ledger_url: str, tmp_path: Path) -> None:
    first, second = held(ledger_url, tmp_path), open_at(ledger_url, tmp_path)

    lease.give_back(first)
    lease.take(second, "r2")

    assert second.epoch == first.epoch + 1
    first.close()
    second.close()


def test_the_lease_of_a_killed_process_is_taken_over_at_once(ledger_url: str, tmp_path: Path) -> None:
    ready = SPAWN.Event()
    child = SPAWN.Process(target=hold, args=(ledger_url, tmp_path, ready))
    child.start()
    assert ready.wait(60)
    ledger = open_at(ledger_url, tmp_path)
    with pytest.raises(LeaseHeld):
        lease.take(ledger, "r2")

    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    child.join(20)
    lease.take(ledger, "r2")

    assert ledger.epoch == 2
    ledger.close()
    child.close()


def test_a_paused_run_that_lost_its_lease_cannot_write(ledger_url: str, tmp_path: Path) -> None:
    old, new = held(ledger_url, tmp_path), open_at(ledger_url, tmp_path)
    with old.engine.begin() as connection:
        connection.execute(sa.update(LEASE).values(expires=0.0))
    lease.take(new, "r2")

    with pytest.raises(LeaseLost), old.writing("test") as connection:
        connection.execute(sa.text("SELECT 1"))

    with new.writing("test"):
        pass
    with new.reading() as connection:
        assert audit.head(connection, new.tenant, new.name).seq == 0
    old.close()
    new.close()


def test_of_several_that_start_together_one_goes(ledger_url: str, tmp_path: Path) -> None:
    open_at(ledger_url, tmp_path).close()
    start, won = SPAWN.Barrier(4), SPAWN.Queue()
    children = [SPAWN.Process(target=contend, args=(ledger_url, tmp_path, start, won)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)

    assert sorted(won.get(timeout=5) for _ in children) == ["held", "held", "held", "went"]
    for child in children:
        child.close()
