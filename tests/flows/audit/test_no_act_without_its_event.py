"""If its event cannot be written, an act does not happen; two writers of one chain take turns."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger import audit, entries, lease, restored, runs
from flows.ledger.database import LedgerUnavailable, connect
from flows.ledger.plans import Versions
from flows.ledger.store import AuditKeyGone, Ledger
from flows.ledger.tables import AUDIT, DATA_KEY, METADATA
from flows.ledger.verify import verify
from tests.faults.scenes import rename
from tests.faults.world import Practice, Tally, tally
from tests.flows.ledgers import held, open_at

Make = Callable[[str], Practice]
VERSIONS = Versions(instructions="i", policy="p")
WAITED = 60.0  # seconds, at most, for another thread


WAREHOUSE = {"planned": range(3, 5), "sent": range(5, 6), "done": range(6, 10)}
"""The state of the first deliveries by how many events of a run there are."""


def destroy_key(ledger: Ledger) -> None:
    with audit.acting(ledger.engine, ledger.audit_key, ledger.tenant, "key destroyed", 1) as connection:
        connection.execute(sa.text("DELETE FROM data_key"))


ACTS: dict[str, Callable[[Ledger], object]] = {
    "run begins": lambda ledger: runs.begin(ledger, "changes", VERSIONS),
    "run ends": lambda ledger: runs.end(ledger, "complete", "", {}, {}),
    "restored": lambda ledger: restored.mark(ledger, lost=1, same_keys=True, epoch=9),
    "key destroyed": destroy_key,
}


def refuse_events(url: str, *, after: int = 0) -> None:
    """From now on the database takes no event with a higher number than `after`."""
    engine = connect(url)
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(
                sa.text(
                    f"CREATE TRIGGER refuse BEFORE INSERT ON audit WHEN new.seq > {after} "
                    "BEGIN SELECT RAISE(ABORT, 'no room'); END"
                )
            )
        else:
            connection.execute(
                sa.text(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                    f"$$ BEGIN IF new.seq > {after} THEN RAISE EXCEPTION 'no room'; END IF; "
                    "RETURN new; END $$"
                )
            )
            connection.execute(
                sa.text("CREATE TRIGGER refuse BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION refuse()")
            )
    engine.dispose()


def allow_events(url: str) -> None:
    engine = connect(url)
    on = "" if engine.dialect.name == "sqlite" else " ON audit"
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TRIGGER refuse{on}"))
    engine.dispose()


def everything(ledger: Ledger) -> dict[str, list[tuple[object, ...]]]:
    """All that the ledger holds."""
    with ledger.engine.connect() as connection:
        return {
            name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=str)
            for name, table in METADATA.tables.items()
        }


def test_no_act_of_a_ledger_happens_without_its_event(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    refuse_events(ledger_url)
    before = everything(ledger)
    for name, act in ACTS.items():
        with pytest.raises(sa.exc.DBAPIError, match="no room"):
            act(ledger)

        assert everything(ledger) == before, name

    allow_events(ledger_url)
    for act in ACTS.values():
        act(ledger)
    assert everything(ledger) != before
    ledger.close()


def test_no_data_key_is_made_without_its_event(ledger_url: str, tmp_path: Path) -> None:
    held(ledger_url, tmp_path).close()
    refuse_events(ledger_url)

    with pytest.raises(sa.exc.DBAPIError, match="no room"):
        open_at(ledger_url, tmp_path, tenant="other")

    engine = connect(ledger_url)
    with engine.connect() as connection:
        assert connection.execute(sa.select(DATA_KEY.c.tenant)).scalars().all() == ["acme"]
    engine.dispose()
    allow_events(ledger_url)
    open_at(ledger_url, tmp_path, tenant="other").close()


def test_a_full_disk_keeps_an_act_and_its_event_out_together(tmp_path: Path) -> None:
    ledger = held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)

    @sa.event.listens_for(ledger.engine, "begin")
    def full(connection: sa.Connection) -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite makes it what there is already

    done = 0
    with pytest.raises(LedgerUnavailable, match="OperationalError at: test"):
        for number in range(10_000):
            with ledger.writing("test") as connection:
                connection.execute(
                    sa.text("INSERT INTO cursor VALUES (1, :feed, '2026-01-01')"), {"feed": f"f{number}"}
                )
                audit.add(ledger, connection, "a test", 1)
            done += 1

    with ledger.engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM cursor")).scalar_one() == done
        assert audit.head(connection, "acme", "warehouse").seq == done
    ledger.close()


@pytest.mark.parametrize(
    ("ledger", "after"),
    [("sqlite", after) for after in (1, 2, 3, 4, 5, 8, 9)] + [("postgresql", 3), ("postgresql", 8)],
    indirect=["ledger"],
)
def test_a_run_whose_events_are_refused_goes_no_further(practice: Make, after: int) -> None:
    """Events of a run: begins, entries read, plans journalled; of the warehouse: records read, deliveries
    sent, deliveries settled; of charges: sent, settled; of contacts: records read.
    """
    here = practice("refused")
    expected = rename(here, f"Refused{after}x")
    refuse_events(here.url, after=after)
    asked, looked = len(here.probe.effects()), here.probe.reads()
    code = here.run()
    plans, states = (
        here.ledger("SELECT count(*) FROM plan"),
        here.ledger("SELECT DISTINCT state FROM delivery WHERE operation = 'warehouse_upsert_patients'"),
    )

    assert code == 1
    assert len(here.ledger("SELECT seq FROM audit WHERE integration <> ''")) == after
    assert plans == [(0 if after < 3 else len(expected),)]
    assert states == [(state,) for state, number in WAREHOUSE.items() if after in number]
    assert bool(here.rows()) == (after >= 5)  # what has its event has left
    assert len(here.probe.effects()) == asked + (len(expected) if after >= 7 else 0)
    assert here.probe.reads() - looked == (after >= 9)  # and what has its event was read
    allow_events(here.url)
    assert here.until_settled()[-1] == 0
    assert tally(here, expected) == Tally([], [], [])


def test_two_writers_of_a_tenants_chain_take_turns(ledger_url: str, tmp_path: Path) -> None:
    first = open_at(ledger_url, tmp_path)
    start, failed = threading.Barrier(4), list[BaseException]()

    def write(number: int) -> None:
        engine = connect(ledger_url)
        try:
            start.wait(30)
            for at in range(20):
                audit.note(engine, first.audit_key, "acme", f"act {at} of {number}", 1, number, at)
        except BaseException as error:  # noqa: BLE001  # the test tells of it
            failed.append(error)
        finally:
            engine.dispose()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in writers:
        one.start()
    for one in writers:
        one.join(120)

    assert failed == []
    assert list(verify(first.engine, first.audit_key)) == []
    with first.engine.connect() as connection:
        assert audit.head(connection, "acme").seq == 1 + 80  # the first: its data key was made
    first.close()


def test_chains_are_verified_after_the_tenant_was_forgotten(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    runs.begin(ledger, "changes", VERSIONS)
    destroy_key(ledger)
    with ledger.engine.begin() as connection:
        for table in ("run", "lease", "integration"):
            connection.execute(sa.text(f"DELETE FROM {table}"))

    assert list(verify(ledger.engine, ledger.audit_key, "acme")) == []
    with ledger.engine.connect() as connection:
        assert len(connection.execute(sa.select(AUDIT)).all()) == 3
    ledger.close()


def test_a_removed_audit_key_is_loud(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    runs.begin(ledger, "changes", VERSIONS)
    lease.give_back(ledger)
    with ledger.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM audit_key"))
    ledger.close()

    with pytest.raises(AuditKeyGone, match="restore table audit_key from a backup"):
        open_at(ledger_url, tmp_path)


def test_an_event_tells_who_did_what_and_of_nobody(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    runs.begin(ledger, "changes", VERSIONS)
    with ledger.told_by(audit.person("ana")), ledger.writing("retry") as connection:
        entries.reopen(ledger, connection)
    audit.note(
        ledger.engine, ledger.audit_key, "acme", "connection crm connected", 1, "crm", actor="person b"
    )
    told = [
        (row.integration, row.seq, row.actor, row.act, row.count)
        for row in audit.events(ledger.engine, "acme")
    ]

    assert told == [
        ("", 1, "ferry", "data key made", 1),
        ("warehouse", 1, "run r1", "run begins", 1),
        ("warehouse", 2, "person ana", "quarantined entries opened again", 0),
        ("", 2, "person b", "connection crm connected", 1),
    ]
    ledger.close()


def test_who_acts_is_each_threads_own(ledger_url: str, tmp_path: Path) -> None:
    """On the review's page several act at once; one who is done is not to take the other's name along."""
    ledger, second, first_done = held(ledger_url, tmp_path), threading.Event(), threading.Event()

    def first() -> None:
        with ledger.told_by("person ana"):
            assert second.wait(WAITED)
        first_done.set()

    def other() -> str:
        with ledger.told_by("person ben"):
            second.set()
            assert first_done.wait(WAITED)
            return ledger.actor

    with ThreadPoolExecutor(2) as threads:
        one, two = threads.submit(first), threads.submit(other)
        assert (two.result(), one.result()) == ("person ben", None)
    assert ledger.person == ""
    ledger.close()
