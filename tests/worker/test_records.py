"""Prefect's records of task runs are complete, also of a run with thousands of changed entries."""

from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from tests.campaign import FULL
from tests.worker.site import Site, until

PATIENTS = 5000 if FULL else 400
GROUP = 50  # entries of one task


@pytest.mark.timeout(1200)
def test_every_task_run_of_a_large_run_is_recorded_as_completed(site: Site, tmp_path: Path) -> None:
    with StandIn(PATIENTS, seed=5) as healthie:
        site.tenant("north")
        site.reaches("north", (healthie.endpoint, healthie.api_key), "http://127.0.0.1:9")
        assert site.deploy("north").returncode == 0
        site.worker("only")

        flow_run = site.start("north-simple")

        assert site.ended(flow_run, 900.0)["type"] == "COMPLETED"
        ((decided,),) = site.ledger("SELECT count(*) FROM entry")
        expected = -(-int(str(decided)) // GROUP)

        def recorded() -> bool:
            states = [one["state_type"] for one in site.task_runs(flow_run)]
            return states.count("COMPLETED") == len(states) >= expected

        until(recorded, f"{expected} task runs recorded as completed")
        assert decided == PATIENTS
