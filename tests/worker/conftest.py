import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import ProbeServer
from flows.server import LocalServer
from tests.campaign import FULL
from tests.worker.postgres import served
from tests.worker.site import POOL, Site

collect_ignore = [] if FULL else ["test_kills.py", "test_records.py"]  # in campaign size: minutes each


@dataclass(frozen=True)
class Server:
    """A Prefect server of these tests' own, and where it keeps everything."""

    prefect: Mapping[str, str]
    folder: Path
    database: str  # a URL for SQLAlchemy's usual drivers


def _started(database: str) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="ferry-served-"))
    asynchronous = ""
    if database:
        url = sa.make_url(database).set(drivername="postgresql+asyncpg")
        asynchronous = url.render_as_string(hide_password=False)
    server = LocalServer(folder / "server", asynchronous)
    server.ready()
    prefect = {
        "PREFECT_API_URL": server.url,
        "PREFECT_HOME": str(folder / "client"),
        "DO_NOT_TRACK": "1",
    }
    pool = Site(folder, prefect).says(
        "prefect", "--no-prompt", "work-pool", "create", POOL, "--type", "process"
    )
    assert pool.returncode == 0, pool.stderr
    yield Server(prefect, folder, database or f"sqlite:///{folder / 'server' / 'prefect.db'}")
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def on_sqlite() -> Iterator[Server]:
    yield from _started("")


@pytest.fixture(scope="session")
def on_postgresql() -> Iterator[Server]:
    with served() as url:
        yield from _started(url)


@pytest.fixture
def site(on_sqlite: Server, tmp_path: Path) -> Iterator[Site]:
    """A place for tenants and workers of one test."""
    made = Site(tmp_path, on_sqlite.prefect)
    yield made
    made.close()


@pytest.fixture
def systems() -> Iterator[Callable[[], tuple[StandIn, ProbeServer]]]:
    """A Healthie and a target of a tenant's own, as many as are asked for."""
    opened: list[tuple[StandIn, ProbeServer]] = []

    def one() -> tuple[StandIn, ProbeServer]:
        opened.append((StandIn(6, seed=3 + len(opened)), ProbeServer()))
        return opened[-1]

    yield one
    for healthie, probe in opened:
        healthie.stop()
        probe.close()
