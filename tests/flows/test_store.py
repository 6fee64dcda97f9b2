import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import flows.ledger.stage_tables  # noqa: F401  # the tables that only stages have
from flows.ledger.database import LedgerUnavailable, connect
from flows.ledger.store import LeaseLost
from flows.ledger.tables import METADATA
from flows.vault import SealBroken
from tests.flows.ledgers import held, open_at

SPAWN = multiprocessing.get_context("spawn")


def open_together(url: str, folder: Path, start: "multiprocessing.synchronize.Barrier") -> None:
    start.wait(30)
    open_at(url, folder).close()


def test_the_migrations_make_what_the_tables_say(ledger_url: str) -> None:
    engine = connect(ledger_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)
    engine.dispose()

    assert differences == []


def half_made(url: str) -> None:
    """Make the ledger, and be killed after the third table."""
    made = 0

    @sa.event.listens_for(sa.Table, "after_create")
    def count(*_: object, **__: object) -> None:
        nonlocal made
        made += 1
        if made == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    connect(url)


def test_a_migration_that_was_killed_is_made_whole_by_the_next(ledger_url: str) -> None:
    child = SPAWN.Process(target=half_made, args=(ledger_url,))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL

    engine = connect(ledger_url)

    assert set(METADATA.tables) <= set(sa.inspect(engine).get_table_names())
    engine.dispose()
    child.close()


def test_processes_that_make_the_ledger_together_all_open_it(ledger_url: str, tmp_path: Path) -> None:
    start = SPAWN.Barrier(4)
    children = [SPAWN.Process(target=open_together, args=(ledger_url, tmp_path, start)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)

    assert [child.exitcode for child in children] == [0, 0, 0, 0]
    for child in children:
        child.close()


def test_without_a_lease_nothing_can_be_written(ledger_url: str, tmp_path: Path) -> None:
    ledger = open_at(ledger_url, tmp_path)

    with pytest.raises(LeaseLost), ledger.writing("test"):
        pass
    ledger.close()


def test_a_transaction_that_fails_leaves_nothing(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)

    with pytest.raises(ZeroDivisionError), ledger.writing("test") as connection:
        connection.execute(sa.text("DELETE FROM lease"))
        raise ZeroDivisionError
    with ledger.writing("test"):
        pass
    ledger.close()


def test_another_database_is_refused_in_one_line() -> None:
    with pytest.raises(LedgerUnavailable, match="mysql is not supported; use sqlite or postgresql"):
        connect("mysql://127.0.0.1/ledger")


def test_a_ledger_that_cannot_be_opened_says_where_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable, match="cannot open postgresql") as caught:
        connect("postgresql+psycopg://ferry:secret-word@127.0.0.1:1/ledger")

    assert "secret-word" not in str(caught.value)


def test_a_ledger_opens_only_with_the_key_that_made_it(ledger_url: str, tmp_path: Path) -> None:
    open_at(ledger_url, tmp_path).close()
    (tmp_path / "ferry.key").unlink()

    with pytest.raises(SealBroken):
        open_at(ledger_url, tmp_path)


def test_two_tenants_share_no_key(ledger_url: str, tmp_path: Path) -> None:
    one, other = open_at(ledger_url, tmp_path), open_at(ledger_url, tmp_path, tenant="other")

    assert one.seal.keyed_hash("ana") != other.seal.keyed_hash("ana")
    with pytest.raises(SealBroken):
        other.seal.open(one.seal.seal(b"ana", "plan"), "plan")
    one.close()
    other.close()
