"""A stage in the place of the target: the same run, and nothing real is written."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import cast

from flows.ledger import stages
from tests.faults.world import Practice
from tests.flows.ledgers import open_at
from tests.flows.test_sync import Make, counts, here, rename

__all__ = ["here"]


def staged(practice: Practice, kind: str = "changes") -> int:
    return practice.run(kind, TEST_MODE="staging")


def warehouse(practice: Practice) -> str:
    return hashlib.sha256((practice.folder / "warehouse.db").read_bytes()).hexdigest()


def writes(practice: Practice) -> dict[str, tuple[Mapping[str, object], Mapping[str, object]]]:
    """What the stage's last run would have written to each patient's record: before and after."""
    found: dict[str, tuple[Mapping[str, object], Mapping[str, object]]] = {}
    key = stages.key_name("acme", "simple", 1)
    name = stages.named("simple")
    with closing(
        open_at(practice.url, practice.folder / "keys", name, environment=practice.env, key=key)
    ) as ledger:
        rows = practice.ledger(
            "SELECT p.sealed, d.before_sealed FROM delivery d JOIN plan p ON p.id = d.plan "
            "WHERE d.run = (SELECT id FROM run ORDER BY started DESC LIMIT 1)"
        )
        for plan, before in rows:
            content = json.loads(ledger.seal.open(cast(bytes, plan), "plan"))
            (call,) = content["outcome"]["calls"]
            after = {one: argument["value"] for one, argument in call["arguments"].items()}
            found[content["patient"]] = (json.loads(ledger.seal.open(cast(bytes, before), "before")), after)
    return found


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
    assert writes(here)[patient][0]["full_name"] == "By Hand"

    here.healthie.apply([rename(patient, "Twice")])
    assert staged(here) == 0
    before, after = writes(here)[patient]
    assert before["full_name"] == "Ana Start1"
    assert after["full_name"] == "Ana Twice"


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


def _move_end(practice: Practice, by: timedelta) -> None:
    with closing(sqlite3.connect(practice.folder / "ledger.db")) as connection:
        moment = (datetime.now(UTC) + by).strftime("%Y-%m-%d %H:%M:%S.%f")
        connection.execute("UPDATE stage SET ends = ?", (moment,))
        connection.commit()
