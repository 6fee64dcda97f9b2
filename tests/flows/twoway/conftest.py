from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import StandIn as HubSpotStandIn
from tests.flows.twoway.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with HealthieStandIn(0, seed=3) as healthie, HubSpotStandIn() as hubspot:
        yield World(healthie, hubspot, tmp_path)
