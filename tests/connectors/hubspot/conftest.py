"""One stand-in for all tests of HubSpot; each test finds it as new."""

from collections.abc import Iterator

import pytest

from connectors.sandbox.hubspot import StandIn


@pytest.fixture(scope="session")
def running() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def portal(running: StandIn) -> StandIn:
    running.clear()
    return running
