"""A stage in the place of the target: the same run, and nothing real is written."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import cast

from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.test_sync import LABEL, Make, counts, here, rename

__all__ = ["here"]


def staged(practice: Practice, kind: str = "changes") -> int:
    return practice.run(kind, TEST_MODE="staging")


def warehouse(practice: Practice) -> str:
    return hashlib.sha256((practice.folder / "warehouse.db").read_bytes()).hexdigest()


def told(practice: Practice, patient: str) -> list[str]:
    """What `ferry diff` says of a patient's write in the latest run, its values included."""
    ((run,),) = practice.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    said = ferry(practice, "diff", str(run), "--values")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(f"patient {patient}:"))
    return lines[at : at + 4]


def test_a_staged_run_decides_and_records_everything_and_leaves_the_target_as_it_is(here: Practice) -> None:
    before = warehouse(here)

    assert staged(here) == 0

    assert counts(here)["planned"] == counts(here)["delivery_done"] == 6
    assert warehouse(here) == before
    assert staged(here) == 0
    assert counts(here).get("planned", 0) == 0  # the second run of the day costs nothing, in staging too


def test_what_is_live_knows_nothing_of_the_stage(here: Practice) -> None:
    assert staged(here) == 0

    assert here.run() == 0

    assert counts(here).get("planned", 0) == 0
    assert here.ledger("SELECT count(*) FROM integration") == [(2,)]


def test_a_write_shows_what_the_real_target_holds_and_then_what_the_stage_does(here: Practice) -> None:
    patient = here.healthie.ids()[1]
    with closing(sqlite3.connect(here.folder / "warehouse.db")) as connection:
        connection.execute("UPDATE patients SET full_name = 'By Hand' WHERE patient_id = ?", (patient,))
        connection.commit()

    assert staged(here) == 0
    assert '  full_name: "By Hand" → "Ana Start1" ← computed from first_name, last_name by S1' in told(
        here, patient
    )

    here.healthie.apply([rename(patient, "Twice")])
    assert staged(here) == 0
    said = told(here, patient)
    assert '  full_name: "Ana Start1" → "Ana Twice" ← computed from first_name, last_name by S1' in said
    assert '  email: "p1@example.com" (as it is) ← @email by S1' in said


def test_a_target_that_is_not_there_yet_is_not_made(practice: Make) -> None:
    made = practice("simple")
    made.label = "acme/simple"

    assert staged(made) == 0

    assert counts(made)["delivery_done"] > 0
    assert not (made.folder / "warehouse.db").exists()


def test_after_its_days_a_stage_is_refused_and_nothing_of_it_opens(here: Practice) -> None:
    assert staged(here) == 0
    ((wrapped,),) = here.ledger("SELECT wrapped FROM data_key WHERE tenant LIKE 'acme/%'")
    (held,) = [row[0] for row in here.ledger("SELECT held_sealed FROM staged LIMIT 1")]
    _move_end(here, -timedelta(seconds=1))

    assert staged(here) == 1
    assert "staging ended on" in (here.folder / "engine.log").read_text()

    assert here.ledger("SELECT wrapped FROM data_key WHERE tenant LIKE 'acme/%'") == [(b"",)]
    for table in ("staged", "entry", "delivery", "cursor"):
        assert here.ledger(f"SELECT count(*) FROM {table} WHERE integration = 2") == [(0,)], table
    assert here.ledger("SELECT count(*) FROM plan WHERE entry NOT IN (SELECT ref FROM entry)") == [(0,)]
    assert here.ledger("SELECT count(*) FROM kept WHERE plan NOT IN (SELECT id FROM plan)") == [(0,)]
    for file in here.folder.glob("ledger.db*"):
        content = file.read_bytes()
        assert cast(bytes, wrapped) not in content and cast(bytes, held) not in content, file.name
    assert here.run() == 0  # the live one goes on


def test_more_time_needs_a_day_a_name_and_a_reason_and_begins_with_nothing(here: Practice) -> None:
    assert staged(here) == 0
    _move_end(here, -timedelta(seconds=1))
    assert staged(here) == 1

    assert ferry(here, "stage", LABEL, "--until", "2999-01-01").code == 1
    more = ferry(here, "stage", LABEL, "--until", "2999-01-01", "--by", "Ana", "--reason", "a second look")

    assert more.code == 0, more.err
    assert "until 2999-01-01" in more.out
    assert "6 entries are known" in more.out and "healthie and warehouse (sql)" in more.out
    assert here.ledger("SELECT actor FROM audit WHERE act LIKE '%extended to 2999-01-01: a second look'") == [
        ("person Ana",)
    ]
    assert staged(here) == 0
    assert counts(here)["planned"] == 6


def test_a_quote_is_told_from_what_staged_runs_measured(here: Practice) -> None:
    assert staged(here) == 0
    assert ferry(here, "quote", LABEL).code == 1  # one run says nothing
    for at, patient in enumerate(here.healthie.ids()[:3]):
        here.healthie.apply([rename(patient, f"Quoted{at}")])
        assert staged(here) == 0

    said = ferry(here, "quote", LABEL)

    assert said.code == 0, said.err
    for rhythm in ("hourly", "six-hourly", "daily", "weekly"):
        assert f"{rhythm}: " in said.out
    assert "of healthie" in said.out and "of warehouse (sql)" in said.out and "KiB" in said.out
    assert "6 entries are known" in said.out
    assert "5 fields are read, 1 kinds of writes are granted" in said.out


def test_who_forgets_a_tenant_forgets_its_stages(here: Practice) -> None:
    assert staged(here) == 0

    assert ferry(here, "forget", "acme", "--yes").code == 0

    assert here.ledger("SELECT DISTINCT wrapped FROM data_key") == [(b"",)]
    assert here.ledger("SELECT count(*) FROM staged") == [(0,)]


def _move_end(practice: Practice, by: timedelta) -> None:
    with closing(sqlite3.connect(practice.folder / "ledger.db")) as connection:
        moment = (datetime.now(UTC) + by).strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute("UPDATE stage SET ends = ?", (moment,))
        connection.commit()
