"""The main job on Synthea's 1,171 patients, with the demonstration's instructions."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from tests.faults.world import Practice

ROOT = Path(__file__).parents[2]
SPECS = Path(os.environ.get("FERRY_SPECS", ROOT.parent / "shared"))
DATA = SPECS / "data" / "synthea"


@pytest.fixture
def synthea() -> Iterator[StandIn]:
    if not (DATA / "patients.csv").exists():
        pytest.skip("needs the shared specs: data/synthea/patients.csv below FERRY_SPECS")
    with StandIn(synthea=DATA) as stand_in:
        yield stand_in


def test_every_patient_arrives_once_and_the_second_run_plans_nothing(
    synthea: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    practice = Practice(
        synthea, probe, prefect, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}", label="demo/warehouse"
    )
    practice.extra = {
        "FERRY_DEPLOYMENTS": str(ROOT / "deployments"),
        "DEMO_HEALTHIE_URL": synthea.endpoint,
        "DEMO_HEALTHIE_KEY": synthea.api_key,
        "DEMO_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'warehouse.db'}",
    }

    codes = practice.run(), practice.run()

    assert codes == (0, 0)
    states = dict(practice.ledger("SELECT kind, count(*) FROM plan GROUP BY kind"))
    assert sum(int(str(number)) for number in states.values()) == len(synthea.ids()) == 1171
    assert practice.ledger("SELECT count(*), max(version) FROM plan WHERE kind = 'write'") == [
        (len(practice.rows()), 1)
    ]
    assert "José Eduardo181 Gómez206" in practice.rows().values()
    assert synthea.notes() == {}
