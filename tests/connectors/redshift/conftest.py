from collections.abc import Iterator

import pytest

from tests.connectors.redshift.places import Warehouse, opened
from tests.connectors.sql import servers


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


@pytest.fixture
def warehouse(postgresql_server: str) -> Iterator[Warehouse]:
    """An empty one."""
    with opened(postgresql_server) as made:
        yield made
