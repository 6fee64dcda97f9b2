from collections.abc import Iterator

import pytest

from connectors.sandbox.mongodb import StandIn


@pytest.fixture
def server() -> Iterator[StandIn]:
    """An empty database, whose user may read and write."""
    with StandIn(users={"ferry": "an invented password"}) as running:
        yield running
