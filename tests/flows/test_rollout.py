"""Rollout: a share of the entries goes first, and the others follow if it arrived."""

import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from flows.ledger.holds import Fate
from flows.limits import Percentage
from flows.rollout import too_much
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.test_sync import counts

ROLLOUT = "rollout: 50%\nlimits: {at_least: 500}\n"
LABEL = "acme/simple"
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
    two_rows(here)
    described = files(here) / "integration.yaml"
    with_rollout = described.read_text()
    described.write_text(with_rollout.replace("rollout: 50%\n", ""))
    if refused_before:
        refusing(here)
    here.run()
    if not refused_before:
        refusing(here)
        warehouse(here, "DELETE FROM patients")
    described.write_text(with_rollout)
    another_version(here)

    here.run("resync")

    assert (counts(here).get("rolled_out", 0) > 0, held(here) == {}) == (refused_before, refused_before)


def test_what_another_version_planned_is_not_let_go_by_the_next_canary(here: Practice) -> None:
    refusing(here)
    assert here.run() == 3
    waited = held(here)["rollout"]
    another_version(here)
    warehouse(here, "DROP TRIGGER refusing_patients")
    changed = half_changed(here)

    assert here.run() == 3

    assert counts(here)["rolled_out"] > 0  # of what this version decided, the rest followed
    assert set(here.rows()) == changed
    assert held(here).keys() == {"instructions_changed"}
    assert 0 < held(here)["instructions_changed"] < waited
    assert counts(here)["held"] == waited  # so that a person is asked
    shown = ferry(here, "review", LABEL, "--live", "--text").out
    assert "instructions_changed: planned by earlier instructions" in shown
    assert ferry(here, "release", LABEL).code == 3  # what was refused under the first version stays so
    assert held(here) == {}


def test_what_was_planned_under_another_policy_waits_for_a_person_whatever_arrived(here: Practice) -> None:
    assert here.run(FERRY_CRASH_AT="send") == -signal.SIGKILL
    described = files(here) / "integration.yaml"
    column = "channel: {type: str, from: [metadata.channel"
    assert column in described.read_text()
    described.write_text(described.read_text().replace(column, f"{column}, email"))
    changed = half_changed(here)

    assert here.run() == 3

    assert set(here.rows()) == changed
    assert held(here).keys() == {"policy_changed"}
    assert counts(here)["held"] > 0  # so that a person is asked


def test_a_version_whose_canary_failed_is_no_measure_for_the_next(here: Practice) -> None:
    refusing(here)
    assert here.run() == 3
    another_version(here)
    warehouse(here, "DROP TRIGGER refusing_patients")
    refusing(here, when="(SELECT count(*) FROM patients) > 0")  # one arrives, and no other

    assert here.run("resync") == 3

    assert len(here.rows()) == 1
    assert held(here).keys() == {"rollout"}


@pytest.mark.parametrize("word", ["release", "discard"])
def test_a_version_is_a_measure_if_a_person_let_the_others_go(here: Practice, word: str) -> None:
    two_rows(here)
    refusing(here)
    assert here.run() == 3
    assert held(here).keys() == {"rollout"}
    assert ferry(here, "release", LABEL, *(["--discard"] if word == "discard" else [])).code == 3
    another_version(here)

    here.run("resync")

    assert (counts(here).get("rolled_out", 0) > 0) == (word == "release")


def test_a_version_that_is_put_back_is_held_against_what_it_was(here: Practice) -> None:
    two_rows(here)
    refusing(here)
    assert here.run() == 3
    assert ferry(here, "release", LABEL).code == 3
    program = another_version(here)
    refusing(here, "mirrors")
    assert here.run("resync") == 3
    assert held(here).keys() == {"rollout"}
    warehouse(here, "DROP TRIGGER refusing_mirrors")
    (files(here) / "program.py").write_text(program)

    here.run("resync")

    assert counts(here)["rolled_out"] > 0


def test_as_much_may_be_refused_as_before_and_a_little_more() -> None:
    assert not too_much(Fate(95, 5), Fate(), 0.05)
    assert too_much(Fate(94, 6), Fate(), 0.05)
    assert not too_much(Fate(88, 12), Fate(90, 10), 0.05)
    assert too_much(Fate(80, 20), Fate(90, 10), 0.05)
    assert not too_much(Fate(), Fate(), 0.05)


def test_a_share_may_have_decimals() -> None:
    read = TypeAdapter(Percentage).validate_python

    assert [read(one) for one in ("5%", "2.5%", " 2.5 %", "0.05")] == [0.05, 0.025, 0.025, 0.05]
    for wrong in ("%", ".%", "1.2.3%", "2,5%", "100%", "0%", "5%%", "-5%"):
        with pytest.raises(ValidationError):
            read(wrong)


def held(practice: Practice) -> dict[str, int]:
    """How many deliveries wait, by code."""
    found = practice.ledger("SELECT code, count(*) FROM delivery WHERE state = 'held' GROUP BY code")
    return {str(code): int(str(number)) for code, number in found}


def files(practice: Practice) -> Path:
    return Path(practice.extra["FERRY_DEPLOYMENTS"]) / LABEL


def half_changed(practice: Practice) -> set[str]:
    """So many that some of them go first and some do not, and so it is of those that are left."""
    ids = practice.healthie.ids()[: MANY // 2]
    practice.healthie.apply([Edit(id=one, values={"last_name": f"N{at}"}) for at, one in enumerate(ids)])
    return set(ids)


def two_rows(practice: Practice) -> None:
    """Each entry is written to a second table, too."""
    described, program = files(practice) / "integration.yaml", files(practice) / "program.py"
    text = described.read_text()
    table = text[text.index("      - name: patients") : text.index("rollout:")]
    described.write_text(text.replace(table, table + table.replace("name: patients", "name: mirrors")))
    second = "    return [row, warehouse_upsert_mirrors(because=['S1'], full_name=name)]"
    program.write_text(program.read_text().replace("    return [row]", second))


def refusing(practice: Practice, table: str = "patients", when: str = "TRUE") -> None:
    """The warehouse takes no new row for which this holds."""
    columns = "patient_id TEXT PRIMARY KEY, full_name TEXT, email TEXT, channel TEXT"
    warehouse(practice, f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
    refuse = "BEGIN SELECT RAISE(ABORT, 'no'); END"
    warehouse(practice, f"CREATE TRIGGER refusing_{table} BEFORE INSERT ON {table} WHEN {when} {refuse}")


def another_version(practice: Practice) -> str:
    """The same instructions by another program; gives the one before."""
    program = files(practice) / "program.py"
    before = program.read_text()
    program.write_text(before.replace("def decide", "\ndef decide"))
    return before


def warehouse(practice: Practice, statement: str) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        connection.execute(statement)
        connection.commit()
