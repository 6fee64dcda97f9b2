"""Undo: what a run wrote is put back, and what was written since stays."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.probe import ProbeServer
from tests.faults.conftest import MakeLedger
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice

MANY, EDITED = 1000, 50
LIMITS = "limits: {at_least: 3, share: 0.1}"


@pytest.fixture(scope="module")
def many() -> Iterator[StandIn]:
    with StandIn(MANY, seed=5) as stand_in:
        stand_in.apply([Edit(act="restore", id=one) for one in stand_in.ids()])
        yield stand_in


@pytest.fixture
def big(
    many: StandIn, probe: ProbeServer, prefect: Mapping[str, str], ledger: MakeLedger, tmp_path: Path
) -> Practice:
    """A practice of 1,000 patients, carried once, of which then everyone was renamed and carried again."""
    shutil.copytree(DEPLOYMENTS, tmp_path / "deployments")
    described = tmp_path / "deployments" / "acme" / "simple" / "integration.yaml"
    described.write_text(described.read_text().replace(LIMITS, "limits: {at_least: 5000, share: 1.0}"))
    folder = tmp_path / "big"
    folder.mkdir()
    made = Practice(many, probe, prefect, folder, ledger(folder), label="acme/simple")
    made.extra = {"FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
    rename(many, "Before")
    assert made.run() == 0
    rename(many, "After")
    assert made.run() == 0
    return made


def rename(healthie: StandIn, word: str) -> None:
    healthie.apply(
        [
            Edit(id=one, values={"first_name": "Ana", "last_name": f"{word}{at}", "metadata": None})
            for at, one in enumerate(healthie.ids())
        ]
    )


def last_run(practice: Practice) -> str:
    ((run,),) = practice.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    return str(run)


def edit(practice: Practice, patients: list[str], column: str, value: str | None) -> None:
    with closing(sqlite3.connect(practice.folder / "warehouse.db")) as connection:
        for one in patients:
            connection.execute(f"UPDATE patients SET {column} = ? WHERE patient_id = ?", (value, one))
        connection.commit()


def test_a_run_is_undone_exactly_and_what_a_person_wrote_since_stays(big: Practice) -> None:
    patients = big.healthie.ids()
    edited, run = patients[::20][:EDITED], last_run(big)
    edit(big, edited, "full_name", "By Hand")

    said = ferry(big, "undo", run, "--yes")

    assert said.code == 0, said.err
    assert big.rows() == {
        one: "By Hand" if one in edited else f"Ana Before{at}" for at, one in enumerate(patients)
    }
    assert said.out.count("full_name: written since, and kept") == EDITED
    assert f"{MANY - EDITED} values are put back; {EDITED} were written since, and are kept" in said.out
    assert big.run() == 0
    assert big.rows()[patients[1]] == "Ana Before1"  # until the entry changes again

    again = ferry(big, "undo", run, "--yes")
    assert f"0 values are put back; {EDITED} were written since, and are kept" in again.out
    assert f"{MANY - EDITED} values that are as they were before" in again.out


def test_an_undo_can_be_undone(big: Practice) -> None:
    run = last_run(big)
    assert ferry(big, "undo", run, "--yes").code == 0
    assert set(big.rows().values()) == {f"Ana Before{at}" for at in range(MANY)}

    assert ferry(big, "undo", last_run(big), "--yes").code == 0

    assert set(big.rows().values()) == {f"Ana After{at}" for at in range(MANY)}


def test_what_a_run_made_stays_and_is_told_before_anything_starts(
    practice: Callable[[str], Practice],
) -> None:
    here = practice("everything")
    assert here.until_settled()[-1] == 0
    ((first,),) = here.ledger("SELECT id FROM run ORDER BY started LIMIT 1")
    effects = len(here.probe.effects())

    said = ferry(here, "undo", str(first), "--dry-run")

    assert said.code == 0, said.err
    assert "records that the run made: they stay, since nothing is deleted" in said.out
    assert "acts that no target takes back, such as a charge or an event" in said.out
    assert len(here.probe.effects()) == effects
