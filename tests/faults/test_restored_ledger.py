"""A ledger that is older than its targets: nothing is sent without a person, and then nothing doubled."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Effect
from flows import anchor
from flows.ledger.tables import RESTORATION
from tests.faults.conftest import BOTH
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.world import Practice, tally

Make = Callable[[str], Practice]
Contents = dict[str, list[dict[str, object]]]


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(3, seed=6) as stand_in:
        yield stand_in


@pytest.fixture
def here(practice: Make) -> Practice:
    made = practice("practice")
    awake(made)
    return made


def tables(engine: sa.Engine) -> sa.MetaData:
    there = sa.MetaData()
    there.reflect(engine)
    return there


def backup(practice: Practice) -> Contents:
    """All that the ledger holds now."""
    engine = sa.create_engine(practice.url)
    there = tables(engine)
    with engine.connect() as connection:
        contents = {
            table.name: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
            for table in there.sorted_tables
        }
    engine.dispose()
    return contents


def restore(practice: Practice, contents: Contents) -> None:
    """Make the ledger what it was, as a restored backup does: the triggers are part of it."""
    engine = sa.create_engine(practice.url)
    there = tables(engine)
    sqlite = engine.dialect.name == "sqlite"
    with engine.begin() as connection:
        for command in ("DISABLE", "ENABLE"):
            if not sqlite:
                connection.execute(sa.text(f"ALTER TABLE audit {command} TRIGGER ALL"))
            elif command == "DISABLE":
                kept = connection.execute(
                    sa.text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
                ).all()
                for name, _ in kept:
                    connection.execute(sa.text(f"DROP TRIGGER {name}"))
            else:
                for _, sql in kept:
                    connection.execute(sa.text(sql))
            if command == "DISABLE":
                for table in reversed(there.sorted_tables):
                    connection.execute(sa.delete(table))
                for table in there.sorted_tables:
                    if contents[table.name]:
                        connection.execute(table.insert(), contents[table.name])
    engine.dispose()


def an_hour_later(practice: Practice) -> None:
    """As if the restore had been noticed an hour ago: looks are to be believed now."""
    engine = sa.create_engine(practice.url)
    with engine.begin() as connection:
        for row in connection.execute(sa.select(RESTORATION)).all():
            connection.execute(sa.update(RESTORATION).values(since=row.since - timedelta(hours=1)))
    engine.dispose()


def effects(practice: Practice, since: int) -> list[Effect]:
    return practice.probe.effects()[since:]


def states(practice: Practice, operation: str) -> dict[str, int]:
    query = f"SELECT state, count(*) FROM delivery WHERE operation = '{operation}' GROUP BY state"
    return {str(state): int(str(number)) for state, number in practice.ledger(query)}


def held_codes(practice: Practice) -> list[tuple[object, ...]]:
    return practice.ledger("SELECT DISTINCT code FROM delivery WHERE state = 'held'")


def surnames(practice: Practice) -> list[object]:
    return [practice.healthie.row("User", one).get("metadata") for one in practice.healthie.ids()]


@BOTH
def test_an_older_copy_sends_nothing_until_released_and_then_nothing_twice(here: Practice) -> None:
    rename(here, "Known")
    assert here.run() == 0
    old = backup(here)
    for word in ("Lost", "Forgotten"):  # two versions of everyone that the backup knows nothing of
        expected = rename(here, word)
        assert here.run() == 0
    restore(here, old)
    sent, rows, metadata = len(here.probe.effects()), here.rows(), surnames(here)

    assert here.run() == 3
    told = ferry(here, "status", here.label)

    assert effects(here, sent) == []
    assert (here.rows(), surnames(here)) == (rows, metadata)
    assert held_codes(here) == [("ledger_restored",)]
    assert "RESTORED from an older backup, noticed 20" in told.out
    assert states(here, "probe_send_event") == {"done": 3, "held": 3}

    an_hour_later(here)
    assert here.run() == 3
    assert states(here, "probe_create_order") == {"done": 6}  # found by a look, under a later version's key
    assert states(here, "probe_keyed_charge") == {"done": 6}
    assert effects(here, sent) == []

    released = ferry(here, "release", here.label)

    assert released.code == 3, released.err  # events are doubtful: each waits for a person's word
    found = tally(here, expected)
    assert (found.lost, found.doubled, found.unlisted) == ([], [], [])
    assert [one.operation for one in effects(here, sent)] == ["upsert_contact"] * 3
    assert states(here, "probe_send_event") == {"done": 3, "unknown": 3}
    assert "RESTORED" not in ferry(here, "status", here.label).out


def test_what_an_older_copy_had_planned_is_looked_for_before_it_is_sent(here: Practice) -> None:
    expected = rename(here, "Planned")
    assert here.run(FERRY_CRASH_AT="after journal") == -9
    old = backup(here)
    sent = len(here.probe.effects())
    assert here.run() == 0
    restore(here, old)
    once = len(here.probe.effects())

    assert here.run() == 3
    assert len(here.probe.effects()) == once
    an_hour_later(here)
    assert ferry(here, "release", here.label).code == 3

    assert tally(here, expected).doubled == []
    assert tally(here, expected).lost == []
    after = [one.operation for one in effects(here, once)]
    assert after == ["upsert_contact"] * 3
    assert sent < once


def test_a_release_before_anybody_knew_of_the_restore_lets_nothing_go(here: Practice) -> None:
    rename(here, "Known")
    assert here.run() == 0
    old = backup(here)
    rename(here, "Lost")
    assert here.run() == 0
    restore(here, old)
    sent = len(here.probe.effects())

    assert ferry(here, "release", here.label).code == 3
    assert here.run() == 3  # `release` drives on what is open; this reads, and decides what was lost
    assert len(here.probe.effects()) == sent


def test_after_the_release_new_changes_go_out_as_ever(here: Practice) -> None:
    rename(here, "Known")
    assert here.run() == 0
    old = backup(here)
    rename(here, "Lost")
    assert here.run() == 0
    restore(here, old)
    assert here.run() == 3
    expected = rename(here, "While")  # a change that no target knows, decided before the release
    assert here.run() == 3
    an_hour_later(here)
    assert ferry(here, "release", here.label).code == 3
    assert tally(here, expected).lost == []
    assert tally(here, expected).doubled == []

    expected = rename(here, "After")
    assert here.run() == 3  # the events of before are still in doubt
    assert tally(here, expected).doubled == tally(here, expected).lost == []
    assert len([one for one in here.probe.effects() if one.arguments.get("name", "") in names(expected)]) == 3


def names(expected: dict[str, list[str]]) -> set[str]:
    return {name for each in expected.values() for name in each}


def test_a_ledger_that_is_gone_is_another_one_and_only_upserts_go_out(here: Practice) -> None:
    expected = rename(here, "Gone")
    assert here.run() == 0
    sent = len(here.probe.effects())
    for file in here.folder.glob("ledger.db*"):
        file.unlink()

    assert here.run() == 3
    assert effects(here, sent) == []
    assert held_codes(here) == [("ledger_restored",)]
    assert "RESTORED from nothing: it is another ledger" in ferry(here, "status", here.label).out
    assert ferry(here, "release", here.label).code == 3

    assert {one.operation for one in effects(here, sent)} == {"upsert_contact"}
    assert tally(here, expected).lost == tally(here, expected).doubled == []
    assert len(here.doubtful()) == 3
    assert states(here, "probe_keyed_charge") == {"unknown": 3}
    (key,), *_ = here.ledger("SELECT key FROM delivery WHERE operation = 'probe_create_order' ORDER BY key")
    assert f"--arrived {key}" in ferry(here, "status", here.label).out
    ferry(here, "retry", here.label, "--arrived", str(key))
    assert states(here, "probe_create_order") == {"unknown": 2, "done": 1}


def test_a_released_ledger_that_is_restored_again_waits_again(here: Practice) -> None:
    rename(here, "Once")
    assert here.run() == 0
    old = backup(here)
    rename(here, "Twice")
    assert here.run() == 0
    for _ in range(2):
        restore(here, old)
        assert here.run() == 3
        ferry(here, "release", here.label)
        sent = len(here.probe.effects())
    restore(here, old)

    assert here.run() == 3
    assert len(here.probe.effects()) == sent


def test_a_lost_anchor_is_noted_and_made_again(here: Practice) -> None:
    rename(here, "Anchor")
    assert here.run() == 0
    url = f"{here.prefect['PREFECT_API_URL']}/variables/name/{name_of(here)}"
    assert httpx.get(url, trust_env=False).status_code == 200
    assert httpx.delete(url, trust_env=False).status_code == 204

    assert here.run() == 0
    assert httpx.get(url, trust_env=False).status_code == 200
    acts = here.ledger("SELECT act FROM audit WHERE act LIKE 'anchor%'")
    assert acts == [("anchor was missing, made again",)]


def name_of(practice: Practice) -> str:
    return anchor.name_of(practice.env, *practice.label.split("/"))


def test_a_run_that_began_before_the_restore_cannot_write_after_it(here: Practice) -> None:
    """The lease's epoch goes above every one that was ever given."""
    rename(here, "Epoch")
    assert here.run() == 0
    old = backup(here)
    for _ in range(3):
        assert here.run() == 0
    ((highest,),) = here.ledger("SELECT max(epoch) FROM lease")
    restore(here, old)

    assert here.run() in (0, 3)
    ((epoch,),) = here.ledger("SELECT max(epoch) FROM lease")
    assert int(str(epoch)) > int(str(highest))


def test_the_audit_is_verified_against_its_anchor(here: Practice, tmp_path: Path) -> None:
    rename(here, "Audit")
    assert here.run() == 0
    whole = ferry(here, "audit", "verify")
    shown = ferry(here, "audit", "show", here.label, "--since", "2026-01-01")
    engine = sa.create_engine(here.url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_delete"))
        last = connection.execute(sa.text("SELECT max(seq) FROM audit")).scalar_one()
        connection.execute(sa.text(f"DELETE FROM audit WHERE seq > {last - 2}"))
    engine.dispose()
    broken = ferry(here, "audit", "verify", "acme")

    assert whole.code == 0, whole.err
    assert whole.out.startswith("audit: whole; 2 chains held against their anchors")
    assert "everything #1  run r" in shown.out and "entries read (3)" in shown.out
    assert broken.code == 1
    assert (
        f"AUDIT BROKEN: acme/everything: event {last - 1} is missing at the end, and 1 after it" in broken.out
    )
