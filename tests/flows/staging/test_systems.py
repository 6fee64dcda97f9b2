"""Whole staged runs over databases, warehouses and buckets, as the engine does them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from tests.connectors.deploying import LABEL, column_of, deployed
from tests.connectors.every import Case, World
from tests.connectors.sql.case import MARIADB
from tests.faults.conftest import MakeLedger
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.staging.test_every_image import CASES, untouched

ELSEWHERE = ("probe", "sql-sqlite")  # the one has no tables, the other is in test_stage.py
ROWS = [one for one in (*CASES, MARIADB) if one.name not in ELSEWHERE]


@pytest.mark.parametrize("case", ROWS, ids=[one.name for one in ROWS])
def test_a_staged_run_shows_what_is_there_and_writes_nothing(
    case: Case,
    healthie: StandIn,
    probe: ProbeServer,
    prefect: Mapping[str, str],
    ledger: MakeLedger,
    tmp_path: Path,
) -> None:
    folder, place = tmp_path / "home", tmp_path / "world"
    folder.mkdir()
    place.mkdir()
    with case.opened(place) as world:
        named = deployed(case, world, tmp_path / "deployments")
        extra = {**named, "FERRY_DEPLOYMENTS": str(tmp_path / "deployments")}
        here = Practice(healthie, probe, prefect, folder, ledger(folder), label=LABEL, extra=extra)
        awake(here)
        rename(here, "Before")
        assert here.run() == 0
        after = rename(here, "After")
        with untouched(world):
            assert here.run(TEST_MODE="staging") == 0
        there = before(world)

    patient = next(iter(after))
    ((run,),) = here.ledger("SELECT id FROM run ORDER BY started DESC LIMIT 1")
    said = ferry(here, "diff", str(run), "--values")
    assert said.code == 0, said.err
    line = f'  {column_of(world)}: "{there[patient]}" → "{after[patient][-1]}" ← @last_name by S1'
    assert line in said.out.splitlines()


def before(world: World) -> Mapping[str, object]:
    return {str(one["patient"]): one[column_of(world)] for one in world.records(world.samples[0].write)}
