"""Two runs of one integration: one goes, one says why not; a paused run that wakes up writes nothing."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

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
    here = practice("paused")
    expected = rename(here, f"Paused{point[-4:]}x")
    old = stopped_at(here, point, FERRY_LEASE_SECONDS="1")
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
