"""An undo that is cut off, and the undo of a run that was: nothing of a person's is lost, nothing is half."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.campaign import FULL
from tests.faults.conftest import BOTH
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.test_kill_at_every_point import POINTS_AT_MOST
from tests.faults.test_restored_ledger import backup, restore
from tests.faults.world import Practice

Make = Callable[[str], Practice]
State = dict[str, object]


def state(practice: Practice) -> State:
    """What the targets that can be put back hold."""
    metadata = {one: practice.healthie.row("User", one).get("metadata") for one in practice.healthie.ids()}
    contacts: dict[str, object] = {}
    for effect in practice.probe.effects():
        if effect.operation == "upsert_contact":
            contacts[effect.patient] = effect.arguments["last_name"]
    return {"rows": practice.rows(), "metadata": metadata, "contacts": contacts}


def others(practice: Practice) -> int:
    """How many charges, orders and events there are."""
    return sum(one.operation != "upsert_contact" for one in practice.probe.effects())


def last_run(practice: Practice) -> str:
    ((run,),) = practice.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    return str(run)


def edit(practice: Practice, patient: str, value: str) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        connection.execute("UPDATE patients SET full_name = ? WHERE patient_id = ?", (value, patient))
        connection.commit()


@pytest.fixture
def here(practice: Make) -> Practice:
    made = practice("undo")
    awake(made)
    rename(made, "Before")
    assert made.until_settled()[-1] == 0
    return made


@BOTH
@pytest.mark.timeout(1500)
def test_an_undo_that_is_killed_anywhere_is_finished_when_it_is_asked_for_again(
    here: Practice, request: pytest.FixtureRequest
) -> None:
    """Between the two a person edits: that stays, although the undo was planned before."""
    step = 1 if FULL else 11 if request.node.callspec.params["ledger"] == "sqlite" else 29
    patient, killed = here.healthie.ids()[0], 0
    for point in range(1, POINTS_AT_MOST, step):
        before = state(here)
        rename(here, f"Undone{point}x")
        assert here.until_settled()[-1] == 0
        run, effects = last_run(here), others(here)
        code = here.run("undo", TEST_RUN=run, FERRY_CRASH_AT=str(point))
        if code != -signal.SIGKILL:
            assert code == 0
            break
        killed += 1
        undone = here.rows()[patient] == dict(before["rows"])[patient]
        edit(here, patient, f"By Hand {point}")

        assert here.run("changes") in (0, 3)
        assert here.run("undo", TEST_RUN=run) == 0

        expected = {**dict(before["rows"]), patient: f"By Hand {point}"}
        assert state(here) == {**before, "rows": expected}, (point, undone)
        assert others(here) == effects, point

    assert killed >= 40 // step


def test_what_a_person_edits_after_an_undo_was_planned_stays(here: Practice) -> None:
    before, patient = here.rows(), here.healthie.ids()[0]
    rename(here, "Edited")
    assert here.until_settled()[-1] == 0
    assert here.run("undo", TEST_RUN=last_run(here), FERRY_CRASH_AT="after journal") == -signal.SIGKILL
    edit(here, patient, "By Hand")

    assert here.run() == 0

    assert here.rows() == before | {patient: "By Hand"}
    told = ferry(here, "explain", here.label, patient)
    assert "not sent, since what is there stands: full_name" in told.out


def test_what_a_killed_run_had_not_sent_is_not_sent_by_its_undo(here: Practice) -> None:
    before, effects = state(here), others(here)
    rename(here, "Half")
    assert here.run(FERRY_CRASH_AT="sent") == -signal.SIGKILL  # the rows left, and nobody knows; nothing else
    assert here.rows() != before["rows"]
    run = last_run(here)

    assert here.run("undo", TEST_RUN=run) == 0

    assert state(here) == before
    assert others(here) == effects
    assert here.run() == here.run("sweep") == 0
    assert state(here) == before
    assert here.ledger(f"SELECT DISTINCT state FROM delivery WHERE run = '{run}'") == [("superseded",)]


def test_a_run_that_was_killed_before_anything_left_leaves_nothing_behind(here: Practice) -> None:
    before = state(here)
    rename(here, "Planned")
    assert here.run(FERRY_CRASH_AT="after journal") == -signal.SIGKILL
    run = last_run(here)

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 0, said.err
    assert "0 values are put back" in said.out
    assert "that did not arrive: there is nothing to put back" in said.out
    assert "withdrawn" in said.out
    assert here.run() == 0
    assert state(here) == before


def test_a_restored_ledger_undoes_nothing_before_it_is_released(here: Practice) -> None:
    rename(here, "Known")
    assert here.until_settled()[-1] == 0
    run, old = last_run(here), backup(here)
    rename(here, "Lost")
    assert here.until_settled()[-1] == 0
    restore(here, old)
    before = state(here)

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 1
    assert "its ledger was restored" in said.err and "ferry release acme/everything" in said.err
    assert state(here) == before
