"""What a person is to see each time: shown with what the target holds, before it happens, and once."""

import hashlib
import shutil
import signal
import sqlite3
from contextlib import closing

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.people.conftest import LABEL
from tests.flows.undo.test_cut_off import last_run

HELD = [("held", "empties_a_value")]
STATES = "SELECT DISTINCT state, code FROM delivery WHERE version = 2"


def ask_first(practice: Practice, kind: str) -> None:
    """Let this kind of writes wait each time."""
    shutil.copytree(DEPLOYMENTS, practice.folder / "deployments")
    file = practice.folder / "deployments" / practice.label / "integration.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("limits:")] + f"limits: {{ask_first: [{kind}], at_least: 1000}}\n")
    practice.extra = {"FERRY_DEPLOYMENTS": str(practice.folder / "deployments")}


@pytest.fixture
def asking(here: Practice) -> Practice:
    """Carried once; then the first patient's address is taken out, which is not to leave unseen."""
    ask_first(here, "blanks")
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


def test_a_dry_run_says_what_earlier_runs_left_and_what_waits(asking: Practice) -> None:
    assert asking.run() == 3
    asking.healthie.apply([Edit(id=asking.healthie.ids()[1], values={"last_name": "Left"})])
    assert asking.run(FERRY_CRASH_AT="after journal") == -signal.SIGKILL

    said = ferry(asking, "run", LABEL, "--dry-run")

    assert said.code == 0, said.err
    assert "1  open_before" in said.out
    assert "1  held in all" in said.out


def test_each_new_record_waits_and_what_changes_in_it_does_not(here: Practice) -> None:
    ask_first(here, "creates")

    assert here.run() == 3

    assert here.ledger("SELECT DISTINCT state, code FROM delivery") == [("held", "new_record")]
    assert here.rows() == {}
    assert ferry(here, "release", LABEL).code == 0
    patient = here.healthie.ids()[0]
    assert set(here.rows()) == set(here.healthie.ids())
    here.healthie.apply([Edit(id=patient, values={"last_name": "Changed"})])
    assert here.run() == 0
    assert here.rows()[patient] == "Ana Changed"


def test_what_moves_money_waits_alone_and_leaves_once(here: Practice) -> None:
    here.label = "acme/everything"
    ask_first(here, "money")

    assert here.run() == 3

    waits = "SELECT DISTINCT operation, code FROM delivery WHERE state = 'held'"
    assert here.ledger(waits) == [("probe_keyed_charge", "moves_money")]
    assert here.ledger("SELECT count(*) FROM delivery WHERE state NOT IN ('held', 'done')") == [(0,)]
    assert charged(here) == []
    assert ferry(here, "release", here.label).code == 0
    assert sorted(charged(here)) == sorted(here.healthie.ids())
    assert here.run() == 0
    assert len(charged(here)) == len(here.healthie.ids())


def charged(practice: Practice) -> list[str]:
    return [one.patient for one in practice.probe.effects() if one.operation == "keyed_charge"]
