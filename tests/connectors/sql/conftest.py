from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.connectors.sql import servers
from tests.connectors.sql.servers import Place

KINDS = ("sqlite", "postgresql", "mysql")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    with servers.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    program = servers.mariadbd()
    if program is None:
        pytest.skip(servers.NEEDS_MARIADB)
    with servers.mariadb(program) as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place("sqlite", f"sqlite:///{tmp_path}/target.db")


@pytest.fixture
def postgresql(postgresql_server: str) -> Place:
    return servers.new_database("postgresql", postgresql_server)


@pytest.fixture
def mysql(mariadb_server: str) -> Place:
    return servers.new_database("mysql", mariadb_server)


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest) -> Place:
    """An empty database, of each engine in turn."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Place)
    return found
