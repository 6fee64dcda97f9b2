"""Rollout: a share of the entries goes first, and the others follow if it arrived."""

import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from flows.ledger.holds import Fate
from flows.rollout import too_much
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.test_sync import counts

ROLLOUT = "rollout: 50%\nlimits: {at_least: 500}\n"
MANY = 40  # so many that some go first and some do not, whatever the key that chooses them
BETWEEN = ("after journal", "sent", "before held deliveries go on", "after held deliveries go on")


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(MANY, seed=3) as stand_in:
        yield stand_in


@pytest.fixture
def here(practice: Callable[[str], Practice], tmp_path: Path) -> Practice:
    made = practice("simple")
    made.label = "acme/simple"
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    described = tmp_path / "deployments" / "acme" / "simple" / "integration.yaml"
    text = described.read_text()
    described.write_text(text[: text.index("limits:")] + ROLLOUT)
    made.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    ids = made.healthie.ids()
    made.healthie.apply([Edit(act="restore", id=one) for one in ids])
    made.healthie.apply(
        [Edit(id=one, values={"last_name": f"L{at}", "metadata": None}) for at, one in enumerate(ids)]
    )
    return made


def test_all_arrive_in_one_run_where_what_went_first_did(here: Practice) -> None:
    assert here.run() == 0

    assert len(here.rows()) == MANY
    assert 0 < counts(here)["rolled_out"] < MANY


def test_what_waits_is_not_sent_while_what_went_first_is_refused(here: Practice) -> None:
    warehouse(here, "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, full_name TEXT CHECK (0))")

    assert here.run() == 3

    held = dict(here.ledger("SELECT code, count(*) FROM delivery WHERE state = 'held' GROUP BY code"))
    assert held.keys() == {"rollout"}
    assert 0 < int(str(held["rollout"])) < MANY
    assert counts(here)["held"] == held["rollout"]  # so that a person is asked
    assert here.rows() == {}

    warehouse(here, "DROP TABLE patients")
    assert ferry(here, "retry", "acme/simple", "--rejected").code == 0
    assert len(here.rows()) == MANY


@pytest.mark.parametrize("point", BETWEEN)
def test_a_run_killed_between_the_two_parts_is_finished_by_the_next(here: Practice, point: str) -> None:
    assert here.run(FERRY_CRASH_AT=point) == -signal.SIGKILL
    assert len(here.rows()) < MANY

    assert here.run() == 0

    assert len(here.rows()) == MANY
    assert here.ledger("SELECT DISTINCT state, attempts > 2 FROM delivery") == [("done", 0)]


def test_a_run_killed_before_it_was_seen_what_arrived_holds_the_others(here: Practice) -> None:
    warehouse(here, "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, full_name TEXT CHECK (0))")
    assert here.run(FERRY_CRASH_AT="sent") == -signal.SIGKILL

    assert here.run() == 3

    assert here.rows() == {}
    assert [code for (code,) in here.ledger("SELECT DISTINCT code FROM delivery WHERE state = 'held'")] == [
        "rollout"
    ]


@pytest.mark.parametrize("refused_before", [True, False])
def test_what_is_refused_is_held_against_the_version_before(here: Practice, refused_before: bool) -> None:
    """Half of what leaves is refused: one of each entry's two rows."""
    described = Path(here.extra["FERRY_DEPLOYMENTS"]) / "acme" / "simple" / "integration.yaml"
    files = described.parent
    with_rollout = described.read_text()
    table = with_rollout[with_rollout.index("      - name: patients") : with_rollout.index("rollout:")]
    without = with_rollout.replace("rollout: 50%\n", "").replace(
        table, table + table.replace("name: patients", "name: mirrors")
    )
    described.write_text(without)
    program = files / "program.py"
    second = "    return [row, warehouse_upsert_mirrors(because=['S1'], full_name=name)]"
    program.write_text(program.read_text().replace("    return [row]", second))
    refusing = "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, full_name TEXT CHECK (0))"
    if refused_before:
        warehouse(here, refusing)
    here.run()
    if not refused_before:
        warehouse(here, "DROP TABLE patients")
        warehouse(here, refusing)
    described.write_text(without.replace("limits:", "rollout: 50%\nlimits:"))
    program.write_text(program.read_text().replace("def decide", "\ndef decide"))  # another version

    here.run("resync")

    held = here.ledger("SELECT count(*) FROM delivery WHERE state = 'held'")[0][0]
    assert (counts(here).get("rolled_out", 0) > 0, held == 0) == (refused_before, refused_before)


def test_as_much_may_be_refused_as_before_and_a_little_more() -> None:
    assert not too_much(Fate(95, 5), Fate(), 0.05)
    assert too_much(Fate(94, 6), Fate(), 0.05)
    assert not too_much(Fate(88, 12), Fate(90, 10), 0.05)
    assert too_much(Fate(80, 20), Fate(90, 10), 0.05)
    assert not too_much(Fate(), Fate(), 0.05)


def warehouse(practice: Practice, statement: str) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        connection.execute(statement)
        connection.commit()
