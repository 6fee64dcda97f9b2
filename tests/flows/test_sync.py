"""A run's ordinary days: the real flow, a real Prefect server, a stand-in for Healthie, a real database."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie.edits import Edit
from flows.ledger.verify import first_finding
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.ledgers import open_at
from tests.prefect_api import ask, last_begun

Make = Callable[[str], Practice]
LABEL = "acme/simple"


@pytest.fixture
def here(practice: Make, tmp_path: Path) -> Practice:
    """A practice of six patients, all active and named, that was carried once."""
    made = practice("simple")
    made.label = LABEL
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    made.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    for at, one in enumerate(made.healthie.ids()):
        made.healthie.apply([Edit(act="restore", id=one), rename(one, f"Start{at}")])
        made.healthie.apply([Edit(id=one, values={"metadata": None, "email": f"p{at}@example.com"})])
    assert made.run() == 0
    return made


def rename(patient: str, name: str) -> Edit:
    return Edit(id=patient, values={"first_name": "Ana", "last_name": name})


def column(practice: Practice, name: str) -> dict[str, object]:
    engine = sa.create_engine(f"sqlite:///{practice.folder / 'warehouse.db'}", poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT patient_id, {name} FROM patients"))
        return {str(one): value for one, value in rows}


def counts(practice: Practice) -> dict[str, int]:
    """The counts of the latest run."""
    ((found,),) = practice.ledger("SELECT counts FROM run ORDER BY started DESC LIMIT 1")
    return dict(found) if isinstance(found, dict) else dict(json.loads(str(found)))


def test_a_first_run_carries_everyone(here: Practice) -> None:
    assert counts(here)["listed"] == counts(here)["planned"] == counts(here)["delivery_done"] == 6
    assert sorted(here.rows().values()) == [f"Ana Start{at}" for at in range(6)]


def test_a_run_without_changes_plans_nothing_and_asks_little(here: Practice) -> None:
    here.healthie.reset()

    assert here.run() == 0

    assert counts(here).get("planned", 0) == counts(here).get("calls", 0) == 0
    assert here.ledger("SELECT count(*) FROM plan") == [(6,)]
    assert int(str(here.healthie.requests()["count"])) <= 15


def test_an_edit_carries_that_entry_and_no_other(here: Practice) -> None:
    patient = here.healthie.ids()[2]
    before = here.rows()
    here.healthie.apply([rename(patient, "Changed")])

    assert here.run() == 0

    assert here.rows() == before | {patient: "Ana Changed"}
    assert here.ledger("SELECT max(version) FROM entry") == [(2,)]


def test_missing_null_and_empty_stay_three_things(here: Practice) -> None:
    one, two, three, *_ = here.healthie.ids()
    set_to = [(one, {}), (two, {"channel": None}), (three, {"channel": ""})]
    for patient in (one, two, three):
        here.healthie.edit("User", patient, metadata=json.dumps({"channel": "friend"}))
    assert here.run() == 0
    for patient, metadata in set_to:
        here.healthie.edit("User", patient, metadata=json.dumps(metadata))

    assert here.run() == 0

    channel = column(here, "channel")
    assert (channel[one], channel[two], channel[three]) == ("friend", None, "")


def test_what_a_person_must_decide_waits_and_is_not_written(here: Practice) -> None:
    patient = here.healthie.ids()[0]
    before = here.rows()
    here.healthie.edit("User", patient, last_name=None)

    assert here.run() == 0

    assert here.rows() == before
    assert here.ledger("SELECT state, code FROM entry WHERE version = 2") == [("review", "no_name")]


def test_more_writes_than_allowed_wait_for_a_person(here: Practice) -> None:
    before = here.rows()
    here.healthie.apply([rename(one, f"Flood{at}") for at, one in enumerate(here.healthie.ids())])

    assert here.run() == 3

    assert here.rows() == before
    assert here.ledger("SELECT DISTINCT state, code FROM delivery WHERE version = 2") == [
        ("held", "too_many_writes")
    ]


def test_a_day_that_was_asked_for_brings_a_new_decision(here: Practice) -> None:
    engine = sa.create_engine(here.url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        one = connection.execute(sa.text("SELECT min(ref) FROM entry")).scalar_one()
        connection.execute(sa.text("UPDATE entry SET again_on = '2026-01-01' WHERE ref = :one"), {"one": one})

    assert here.run() == 0

    assert here.ledger("SELECT count(*), max(version) FROM plan WHERE version = 2") == [(1, 2)]
    assert here.ledger("SELECT count(*) FROM entry WHERE again_on IS NOT NULL") == [(0,)]


def test_plans_of_another_policy_wait_for_a_person(here: Practice, tmp_path: Path) -> None:
    patient = here.healthie.ids()[1]
    here.healthie.apply([rename(patient, "Old")])
    assert here.run(FERRY_CRASH_AT="after journal") == -9  # its plan is journalled, nothing was sent
    file = tmp_path / "deployments" / LABEL / "integration.yaml"
    file.write_text(file.read_text().replace("channel: {type: str, from: [metadata.channel]}", ""))
    program = file.with_name("program.py")
    program.write_text(program.read_text().replace(", channel=channel", ""))

    assert here.run() == 3

    assert here.ledger("SELECT state, code FROM delivery WHERE version = 2") == [("held", "policy_changed")]
    assert here.rows()[patient] != "Ana Old"


def test_a_resync_is_a_new_version_of_everyone(here: Practice) -> None:
    assert here.run("resync") == 0

    assert here.ledger("SELECT min(version), max(version), count(*) FROM entry") == [(2, 2, 6)]
    assert counts(here)["delivery_done"] == 6


def test_prefect_has_a_complete_record(here: Practice) -> None:
    run = last_begun(here.prefect["PREFECT_API_URL"])

    assert run["state_type"] == "COMPLETED"
    tenant, name = LABEL.split("/")
    asked = {"tenant": tenant, "integration": name, "kind": "changes", "mode": "live", "run": ""}
    assert run["parameters"] == {"integration": asked | {"dry_run": False, "emit": "always"}}
    tasks = {"task_runs": {"flow_run_id": {"any_": [run["id"]]}}}
    for _ in range(60):
        found = ask("POST", f"{here.prefect['PREFECT_API_URL']}/task_runs/filter", json=tasks).json()
        if [one["state"]["type"] for one in found] == ["COMPLETED"]:
            return
    raise AssertionError("the run's one task is not recorded as completed")


def test_a_changed_ledger_shows_in_the_audit(here: Practice) -> None:
    engine = sa.create_engine(here.url, poolclass=sa.NullPool)
    ledger = open_at(here.url, here.folder / "keys", name="simple", environment=here.env)
    assert first_finding(ledger) is None

    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        connection.execute(sa.text("UPDATE audit SET count = count + 1 WHERE seq = 3"))

    finding = first_finding(ledger)
    assert finding is not None and finding.seq == 3
    ledger.close()


def test_the_ledger_may_be_on_postgresql(practice: Make, ledger_url: str) -> None:
    made = practice("elsewhere")
    made.label, made.url = LABEL, ledger_url

    assert made.run() == 0
    assert made.run() == 0

    assert len(made.rows()) == 6


def test_a_run_that_failed_says_what_it_asked_and_stored_and_how_long_it_took(here: Practice) -> None:
    assert here.run("undo", TEST_RUN="r20260101000000abcdef") == 1

    said = counts(here)
    assert said["source_requests"] > 0
    assert {"requests_warehouse", "stored_bytes", "milliseconds"} <= said.keys()
