from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from tests.flows.connections.office import Office, named_patients


@pytest.fixture
def office(healthie: StandIn, prefect: Mapping[str, str], tmp_path: Path) -> Iterator[Office]:
    """An office with one tenant, acme, that is not connected yet."""
    named_patients(healthie)
    made = Office(healthie, prefect, tmp_path)
    made.tenant("acme", {"url": healthie.endpoint})
    healthie.reset()
    yield made
    healthie.faults()
    made.clear()
