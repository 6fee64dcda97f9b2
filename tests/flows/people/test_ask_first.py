"""What a person is to see each time: shown with what the target holds, before it happens, and once."""

import hashlib
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.people.conftest import LABEL
from tests.flows.undo.test_cut_off import last_run

HELD = [("held", "empties_a_value")]
STATES = "SELECT DISTINCT state, code FROM delivery WHERE version = 2"


@pytest.fixture
def asking(here: Practice, tmp_path: Path) -> Practice:
    """Carried once; then the first patient's address is taken out, which is not to leave unseen."""
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    file = tmp_path / "deployments" / LABEL / "integration.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("limits:")] + "limits: {ask_first: [blanks]}\n")
    here.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    assert here.run() == 0
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"email": None})])
    return here


def addresses(practice: Practice) -> list[str | None]:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        return [one for (one,) in connection.execute("SELECT email FROM patients ORDER BY full_name")]


def by_hand(practice: Practice, value: str) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        patient = practice.healthie.ids()[0]
        connection.execute("UPDATE patients SET email = ? WHERE patient_id = ?", (value, patient))
        connection.commit()


def test_what_waits_is_shown_with_what_it_would_replace_and_that_is_read_again(asking: Practice) -> None:
    assert asking.run() == 3
    run = last_run(asking)
    assert asking.ledger(STATES) == HELD

    shown = ferry(asking, "diff", run, "--values")

    assert '  email: "ana@example.com" → null' in shown.out
    by_hand(asking, "new@example.com")
    assert ferry(asking, "release", LABEL).code == 0
    assert None in addresses(asking)
    assert ferry(asking, "undo", last_run(asking), "--yes").code == 0
    assert addresses(asking)[0] == "new@example.com"


@pytest.mark.parametrize("point", ["before hold", "after hold"])
def test_a_run_killed_where_it_holds_asks_once_and_sends_nothing(asking: Practice, point: str) -> None:
    assert asking.run(FERRY_CRASH_AT=point) == -signal.SIGKILL

    assert asking.run() == 3

    assert asking.ledger(STATES) == HELD
    assert None not in addresses(asking)
    assert ferry(asking, "release", LABEL).code == 0
    assert None in addresses(asking)


def test_a_dry_run_says_what_would_wait_and_writes_nothing_and_counts_what_it_asks(asking: Practice) -> None:
    patient, file = asking.healthie.ids()[0], asking.folder / "warehouse.db"
    tables = ("run", "entry", "plan", "delivery", "cursor", "lease", "judgement", "integration")
    before = [asking.ledger(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    content, moment = hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns
    asking.healthie.reset()

    said = ferry(asking, "run", LABEL, "--dry-run")

    assert said.code == 0, said.err
    assert (
        f"patient {patient}: warehouse_upsert_patients by S1: waits for a person (empties_a_value)"
        in said.out
    )
    assert '  email: "ana@example.com" → null' in said.out
    assert (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns) == (content, moment)
    assert [asking.ledger(f"SELECT * FROM {table} ORDER BY 1") for table in tables] == before
    asked = [line for line in said.out.splitlines() if "source requests" in line]
    assert asked[0].split()[0] == str(asking.healthie.requests()["count"])
    assert asking.healthie.effects() == []
