"""What is open stays in sight until it is put right, whichever run it comes from."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from connectors.sandbox.healthie.edits import Edit
from flows.ledger import entries
from tests.faults.world import Practice
from tests.flows.ledgers import held
from tests.flows.test_once import with_files

Make = Callable[[str], Practice]
DIVIDE = 'if 1 / (entry["last_name"] != "Bad") > 2 or not entry.get("last_name"):'


def simple(practice: Make, name: str) -> Practice:
    made = practice(name)
    made.label = "acme/simple"
    for at, one in enumerate(made.healthie.ids()):
        names = {"first_name": "Ana", "last_name": f"Start{at}", "email": "a@example.com", "metadata": None}
        made.healthie.apply([Edit(act="restore", id=one), Edit(id=one, values=names)])
    return made


def test_a_refused_entry_stays_in_sight_and_another_program_is_tried(practice: Make, tmp_path: Path) -> None:
    here = simple(practice, "refused")
    with_files(here, tmp_path, "simple/program.py", 'if not entry.get("last_name"):', DIVIDE)
    here.healthie.apply([Edit(id=here.healthie.ids()[0], values={"last_name": "Bad"})])

    assert [here.run() for _ in range(5)] == [3, 3, 3, 3, 3]
    assert here.ledger("SELECT attempts FROM entry WHERE state = 'quarantined'") == [(entries.ATTEMPTS,)]

    with_files(here, tmp_path, "simple/program.py", '1 / (entry["last_name"] != "Bad") > 2 or', "")

    assert here.run() == 0
    ((counts,),) = here.ledger("SELECT counts FROM run ORDER BY started DESC LIMIT 1")
    assert json.loads(str(counts))["other_instructions"] == 5


def test_what_reads_back_wrong_stays_open_until_it_is_put_right(practice: Make) -> None:
    here = simple(practice, "wrong")
    assert here.run() == 0
    database = sa.create_engine(f"sqlite:///{here.folder / 'warehouse.db'}")
    with database.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER spoil AFTER UPDATE ON patients WHEN NEW.full_name != 'WRONG' "
                "BEGIN UPDATE patients SET full_name = 'WRONG' WHERE patient_id = NEW.patient_id; END"
            )
        )
    here.healthie.apply([Edit(id=here.healthie.ids()[1], values={"last_name": "Right"})])

    assert [here.run(), here.run()] == [1, 3]
    assert here.ledger("SELECT code FROM delivery WHERE state = 'rejected'") == [("read_back_differs",)]
    database.dispose()


def test_a_patient_that_is_listed_and_not_given_is_asked_for_again(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    tries = 0
    while tries < 10:
        entry = entries.known(ledger, ["41"])["41"]
        with ledger.writing("seen") as connection:
            entries.absent(ledger, connection, entry, entries.NOT_GIVEN)
        tries += 1
        if entries.to_try_again(ledger, date(2026, 11, 28), "v1") != ["41"]:
            break

    assert tries == entries.ATTEMPTS
    ledger.close()


def test_a_patient_that_is_not_listed_either_is_gone(ledger_url: str, tmp_path: Path) -> None:
    ledger = held(ledger_url, tmp_path)
    entry = entries.known(ledger, ["42"])["42"]
    with ledger.writing("seen") as connection:
        entries.absent(ledger, connection, entry, entries.NOT_GIVEN, listed=False)

    assert entries.to_try_again(ledger, date(2026, 11, 28), "v1") == []
    ledger.close()
