"""kill -9 in staged runs, and two of them at once: each write is in the stage once, and nowhere else."""

import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.campaign import FULL
from tests.faults.conftest import BOTH
from tests.faults.terminal import ferry
from tests.faults.world import DEPLOYMENTS, Practice
from tests.flows.staging.test_stage import staged
from tests.flows.test_sync import LABEL, rename

Make = Callable[[str], Practice]
POINTS_AT_MOST = 200
LANDED = (
    "SELECT count(*), count(DISTINCT s.record), max(d.attempts) FROM staged s "
    "JOIN delivery d ON d.key = s.delivery WHERE d.state = 'done'"
)


def tried(make: Make, name: str) -> Practice:
    """A practice of six named patients that nothing was carried of."""
    made = make(name)
    made.label = LABEL
    made.healthie.apply([rename(one, f"Start{at}") for at, one in enumerate(made.healthie.ids())])
    return made


@BOTH
@pytest.mark.timeout(1500)
def test_a_staged_run_killed_anywhere_is_finished_by_the_next(
    practice: Make, request: pytest.FixtureRequest
) -> None:
    step = 1 if FULL else 8 if request.node.callspec.params["ledger"] == "sqlite" else 16
    killed = 0
    for point in range(1, POINTS_AT_MOST, step):
        here = tried(practice, f"p{point}")
        code = here.run(TEST_MODE="staging", FERRY_CRASH_AT=str(point))
        if code != -signal.SIGKILL:
            assert code == 0
            break
        killed += 1

        assert staged(here) == 0
        assert here.ledger(LANDED)[0][:2] == (6, 6), point
        assert here.ledger("SELECT count(*) FROM stage") == [(1,)]
        assert not (here.folder / "warehouse.db").exists()

    assert killed >= 30 // step


@pytest.mark.parametrize("point", ["before stage begins", "after stage begins"])
def test_the_clock_starts_once_whoever_is_killed_at_its_start(practice: Make, point: str) -> None:
    here = tried(practice, "begins")

    assert here.run(TEST_MODE="staging", FERRY_CRASH_AT=point) == -signal.SIGKILL

    assert here.ledger("SELECT count(*) FROM entry") == [(0,)]  # before it there is nothing to destroy
    assert staged(here) == staged(here) == 0
    assert here.ledger("SELECT count(*) FROM audit WHERE act = 'stage begins'") == [(1,)]
    assert here.ledger("SELECT number FROM stage") == [(1,)]


@BOTH
def test_two_tenants_are_tried_at_once_and_end_apart(practice: Make, tmp_path: Path) -> None:
    here, files = tried(practice, "two"), tmp_path / "deployments"
    shutil.copytree(DEPLOYMENTS, files)
    shutil.copytree(files / "acme", files / "birch")
    here.extra = {"FERRY_DEPLOYMENTS": str(files)}
    other = replace(here, label="birch/simple")
    going = [one.engine(TEST_MODE="staging") for one in (here, other)]

    assert [one.wait() for one in going] == [0, 0]

    mine = (
        "SELECT i.tenant, count(*) FROM staged s JOIN integration i ON i.id = s.integration GROUP BY i.tenant"
    )
    assert sorted(here.ledger(mine)) == [("acme", 6), ("birch", 6)]
    records = here.ledger("SELECT count(DISTINCT record) FROM staged")
    assert records == [(12,)]  # keyed hashes: nobody can tell that both have the same patients
    assert ferry(other, "stage", other.label, "--end").code == 0
    assert here.ledger(mine) == [("acme", 6)]
    assert staged(here) == 0
    keys = here.ledger("SELECT tenant FROM data_key WHERE destroyed IS NULL ORDER BY tenant")
    assert [one for (one,) in keys if "/" in str(one)] == ["acme/simple.staging.1"]
