import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import StandIn as HubSpotStandIn
from tests.flows.twoway.world import World


@pytest.fixture(autouse=True)
def _environment_as_before() -> Iterator[None]:
    """A World says in the environment where its systems are: processes of later tests must not have it."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with HealthieStandIn(0, seed=3) as healthie, HubSpotStandIn() as hubspot:
        yield World(healthie, hubspot, tmp_path)
