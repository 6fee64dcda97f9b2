"""Two runs of one integration: one goes, one says why not; a paused run that wakes up writes nothing."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from tests.faults.conftest import BOTH
from tests.faults.test_kill_at_every_point import rename
from tests.faults.world import Engine, Practice, Tally, tally

Make = Callable[[str], Practice]


def log(practice: Practice) -> str:
    return (practice.folder / "engine.log").read_text()


def wait_until_stopped(engine: Engine, seconds: float = 60.0) -> None:
    """Until the engine has stopped itself at its crash point."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{engine.process.pid}/stat").read_text()
        if stat.rsplit(")", 1)[1].split()[0] == "T":
            return
        time.sleep(0.02)
    engine.kill()
    raise AssertionError("the run did not come so far")


def wake(engine: Engine) -> None:
    assert engine.process.pid is not None
    os.kill(engine.process.pid, signal.SIGCONT)


def is_free(practice: Practice) -> bool:
    """Whether the ledger can be written: who stops while a thread of theirs writes SQLite keeps its lock.

    PostgreSQL ends such a session after a while, SQLite cannot: the next run says that the ledger is locked.
    """
    engine = sa.create_engine(practice.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        if connection.dialect.name != "sqlite":
            return True
        connection.exec_driver_sql("PRAGMA busy_timeout = 200")
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except OperationalError:
            return False
        connection.rollback()
        return True


def paused(make: Make, point: str) -> tuple[Practice, dict[str, list[str]], Engine]:
    """A run that has stopped at the crash point, with a lease of a second and nothing half written."""
    for number in range(5):
        here = make(f"paused{number}")
        expected = rename(here, f"Paused{point[-4:]}x")
        old = stopped_at(here, point, FERRY_LEASE_SECONDS="1")
        if is_free(here):
            return here, expected, old
        old.kill()
        old.process.join(10)
    raise AssertionError("five runs in a row stopped within a write of their heartbeat")


def stopped_at(practice: Practice, point: str, **environment: str) -> Engine:
    engine = practice.engine(FERRY_CRASH_AT=point, FERRY_CRASH_SIGNAL="SIGSTOP", **environment)
    wait_until_stopped(engine)
    return engine


@BOTH
def test_two_runs_that_start_together_deliver_once(practice: Make) -> None:
    here = practice("two")
    expected = rename(here, "Twice")
    first, second = here.engine(), here.engine()

    codes = sorted([first.wait(), second.wait()])

    assert codes in ([0, 1], [0, 0])  # at the same time, or one after the other
    assert tally(here, expected) == Tally([], [], [])


@BOTH
@pytest.mark.parametrize("point", ["before journal", "send", "sent", "before records read back"])
def test_a_paused_run_that_wakes_up_cannot_write(practice: Make, point: str) -> None:
    """Paused before journalling, before a send, after one, and among later deliveries."""
    here, expected, old = paused(practice, point)
    time.sleep(1.5)  # longer than its lease

    assert here.until_settled()[-1] == 0
    acts = here.ledger("SELECT count(*) FROM audit")
    wake(old)

    assert old.wait() == 1
    assert "lease_lost" in log(here)
    assert here.ledger("SELECT count(*) FROM audit") == acts
    assert here.ledger("SELECT count(*) FROM run WHERE state = 'running'") == [(0,)]
    assert tally(here, expected) == Tally([], [], [])


def test_of_two_runs_one_goes_and_one_says_why_not(practice: Make) -> None:
    here = practice("short")
    expected = rename(here, "Short")
    engine = stopped_at(here, "before journal")

    assert here.run() == 1
    assert "lease_held: acme/everything: run r" in log(here)
    assert "is already going" in log(here)
    wake(engine)

    assert engine.wait() == 0
    assert tally(here, expected) == Tally([], [], [])
