"""What of a run is put back, field by field, and what is not, with the reason."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from connectors.sandbox.healthie.edits import Edit
from flows.ledger import waiting
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.ledgers import open_at
from tests.flows.rhythm.conftest import Monthly, monthly
from tests.flows.test_sync import LABEL, here, rename
from tests.flows.undo.test_cut_off import last_run

__all__ = ["here", "monthly"]

REFUSE = (
    "CREATE TRIGGER no_{when} BEFORE {when} ON patients WHEN NEW.full_name LIKE '%Newer%' "
    "BEGIN SELECT RAISE(ABORT, 'no'); END"
)


def carried(practice: Practice, name: str, *patients: str) -> str:
    """Give patients a name and carry it. The run."""
    practice.healthie.apply([rename(one, f"{name}{at}") for at, one in enumerate(patients)])
    assert practice.run() == 0
    return last_run(practice)


def entries(practice: Practice) -> list[tuple[object, ...]]:
    """What the ledger has of the entries' own decisions."""
    return practice.ledger("SELECT state, code, attempts, again_on, fingerprint FROM entry ORDER BY ref")


def waits(practice: Practice) -> list[waiting.Waits]:
    """The entries that wait for a person, as people are shown them."""
    ledger = open_at(practice.url, practice.folder / "keys", name="simple", environment=practice.env)
    with closing(ledger):
        return waiting.page(ledger, 10)


def change(practice: Practice, statement: str, database: str = "warehouse.db") -> None:
    with closing(sqlite3.connect(practice.folder / database)) as connection:
        connection.execute(statement)
        connection.commit()


def test_an_undo_is_no_decision_of_the_entrys(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    run = carried(here, "Bad", patient)
    here.healthie.edit("User", patient, last_name=None)
    assert here.run() == 0
    change(here, "UPDATE entry SET again_on = '2999-01-01'", "ledger.db")
    decided, (waited,) = entries(here), waits(here)
    assert (waited.state, waited.code, waited.because) == ("review", "no_name", ("S2",))

    assert ferry(here, "undo", run, "--yes").code == 0

    assert here.rows()[patient] == "Ana Start0"
    assert entries(here) == decided
    assert waits(here) == [replace(waited, version=waited.version + 1)]
    change(here, "UPDATE entry SET state = 'absent', code = 'restricted' WHERE state = 'review'", "ledger.db")
    assert here.run("sweep") == 0
    assert [one[:2] for one in entries(here)] == [one[:2] for one in decided]


def test_what_is_newer_and_on_its_way_is_not_lost(here: Practice) -> None:
    patients = here.healthie.ids()
    run = carried(here, "Bad", patients[0])
    here.healthie.apply([rename(one, f"Flood{at}") for at, one in enumerate(patients)])
    assert here.run() == 3  # more than the breaker lets pass

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 3
    assert "1 whose entry has a newer version on its way" in said.out
    assert here.rows()[patients[0]] == "Ana Bad0"
    assert here.ledger("SELECT count(*) FROM delivery WHERE state = 'held'") == [(6,)]
    assert ferry(here, "release", LABEL).code == 0
    assert here.rows()[patients[0]] == "Ana Flood0"


def test_what_is_newer_and_was_refused_is_not_lost(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    run = carried(here, "Bad", patient)
    for when in ("UPDATE", "INSERT"):
        change(here, REFUSE.format(when=when))
    here.healthie.apply([rename(patient, "Newer")])
    assert here.run() == 3

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 3
    assert "1 whose entry has a newer version on its way, or refused" in said.out
    assert here.rows()[patient] == "Ana Bad0"
    for when in ("UPDATE", "INSERT"):
        change(here, f"DROP TRIGGER no_{when}")
    assert ferry(here, "retry", LABEL, "--rejected").code == 0
    assert here.rows()[patient] == "Ana Newer"


def test_values_that_the_target_writes_otherwise_are_still_ours(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    here.healthie.apply([Edit(id=patient, values={"email": "Zoe@Example.com"})])
    assert here.run() == 0
    run = last_run(here)
    change(here, "UPDATE patients SET email = lower(email)")

    assert ferry(here, "undo", run, "--yes").code == 0

    with closing(sqlite3.connect(here.folder / "warehouse.db")) as connection:
        found = connection.execute("SELECT email FROM patients WHERE patient_id = ?", (patient,)).fetchone()
    assert found == ("p0@example.com",)


def test_a_row_that_a_person_removed_is_not_made_again(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    run = carried(here, "Bad", patient)
    change(here, f"DELETE FROM patients WHERE patient_id = '{patient}'")

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 0, said.err
    assert "full_name: written since, and kept" in said.out
    assert patient not in here.rows()


def test_a_field_that_is_granted_no_more_is_told(here: Practice, tmp_path: Path) -> None:
    patient = here.healthie.ids()[0]
    here.healthie.apply([Edit(id=patient, values={"metadata": '{"channel": "friend"}'})])
    run = carried(here, "Bad", patient)
    file = tmp_path / "deployments" / LABEL / "integration.yaml"
    file.write_text(file.read_text().replace("channel: {type: str, from: [metadata.channel]}", ""))
    program = file.with_name("program.py")
    program.write_text(program.read_text().replace(", channel=channel", ""))

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 0, said.err
    assert "1 values are put back" in said.out
    assert (
        "1 by an operation, or into a field, that is granted no more (1 warehouse_upsert_patients)"
        in said.out
    )
    assert here.rows()[patient] == "Ana Start0"


def test_rows_with_a_key_of_several_columns_are_put_back(here: Practice, tmp_path: Path) -> None:
    file = tmp_path / "deployments" / LABEL / "integration.yaml"
    text = (
        file.read_text()
        .replace("name: patients", "name: channels")
        .replace("channel: {", "channel: {key: true, ")
    )
    file.write_text(text)
    program = file.with_name("program.py")
    program.write_text(program.read_text().replace("upsert_patients", "upsert_channels"))
    patients = here.healthie.ids()
    here.healthie.apply([Edit(id=one, values={"metadata": '{"channel": "friend"}'}) for one in patients])
    assert here.run("resync") == 0
    run = carried(here, "Bad", *patients[:2])

    assert ferry(here, "undo", run, "--yes").code == 0

    with closing(sqlite3.connect(here.folder / "warehouse.db")) as connection:
        found = connection.execute("SELECT channel, full_name FROM channels ORDER BY full_name").fetchall()
    assert found == [("friend", f"Ana Start{at}") for at in range(6)]


def test_an_undo_tells_its_story(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    run = carried(here, "Bad", patient)
    assert ferry(here, "undo", run, "--yes").code == 0

    told, diff = ferry(here, "explain", LABEL, patient), ferry(here, "diff", last_run(here), "--values")

    assert f"undo of {run}: what was there before is put back" in told.out
    assert "full_name ← what was there before by S1 (undo)" in told.out
    assert 'full_name: "Ana Bad0" → "Ana Start0" ← what was there before by S1' in diff.out
    assert here.ledger(
        "SELECT actor LIKE 'person %' FROM audit WHERE act = 'plans journalled' ORDER BY seq DESC LIMIT 1"
    ) == [(1,)]


def test_a_run_of_another_integration_or_of_nobody_is_none_to_undo(here: Practice) -> None:
    for run, said in (("r20260101000000abcdef", "has no such run"), ("", "has no run that is named")):
        assert here.run("undo", TEST_RUN=run) == 1
        assert said in (here.folder / "engine.log").read_text().splitlines()[-1]


def test_a_staged_run_is_undone_in_its_stage_alone(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    assert here.run(TEST_MODE="staging") == 0
    here.healthie.apply([rename(patient, "Bad")])
    assert here.run(TEST_MODE="staging") == 0
    run, rows = last_run(here), here.rows()

    said = ferry(here, "undo", run, "--yes")

    assert said.code == 0, said.err
    assert "1 values are put back; 0 were written since, and are kept" in said.out
    assert here.rows() == rows
    here.healthie.apply([rename(patient, "Good")])
    assert here.run(TEST_MODE="staging") == 0
    told = ferry(here, "diff", last_run(here), "--values")
    assert '"Ana Start0" → "Ana Good"' in told.out


def test_an_undo_leaves_in_any_week_and_lets_wait_what_waits(monthly: Monthly) -> None:
    first = monthly.rename()
    assert monthly.friday("2026-10-30") == 0
    second = monthly.rename()
    assert monthly.friday("2026-11-27") == 0
    run = last_run(monthly.practice)
    patient = monthly.practice.healthie.ids()[0]
    assert monthly.arrived(second)["row"] == 6
    monthly.practice.healthie.apply([Edit(id=patient, values={"last_name": "Waits"})])
    assert monthly.friday("2026-12-04") == 0
    assert monthly.arrived("Waits") == {}

    assert monthly.run("2026-12-05T06:00:00-05:00", "undo", TEST_RUN=run) in (0, 3)

    assert monthly.arrived("Waits") == {}
    assert monthly.arrived(first)["row"] == 5
    assert monthly.friday("2026-12-25") == 0
    assert monthly.arrived("Waits")["row"] == 1
