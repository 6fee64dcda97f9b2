"""Rollout: a share of the entries goes first, and the others follow if it arrived."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.test_sync import counts

ROLLOUT = "rollout: 50%\nlimits: {at_least: 500}\n"


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

    assert len(here.rows()) == 6
    assert 0 < counts(here)["rolled_out"] < 6


def test_what_waits_is_not_sent_while_what_went_first_is_refused(here: Practice) -> None:
    warehouse(here, "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, full_name TEXT CHECK (0))")

    assert here.run() == 3

    held = dict(here.ledger("SELECT code, count(*) FROM delivery WHERE state = 'held' GROUP BY code"))
    assert held.keys() == {"rollout"}
    assert 0 < int(str(held["rollout"])) < 6
    assert here.rows() == {}

    warehouse(here, "DROP TABLE patients")
    assert ferry(here, "retry", "acme/simple", "--rejected").code == 0
    assert len(here.rows()) == 6


def warehouse(practice: Practice, statement: str) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        connection.execute(statement)
        connection.commit()
