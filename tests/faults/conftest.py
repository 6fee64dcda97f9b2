import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Faults, ProbeServer
from flows.server import LocalServer
from tests.faults.world import Practice


@pytest.fixture(scope="session")
def prefect() -> Iterator[Mapping[str, str]]:
    """A real Prefect server, and where its data is."""
    folder = Path(tempfile.mkdtemp(prefix="ferry-prefect-"))
    server = LocalServer(folder)
    server.ready()
    yield {"PREFECT_API_URL": server.url, "PREFECT_HOME": str(folder), "DO_NOT_TRACK": "1"}
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(6, seed=3) as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def probe() -> Iterator[ProbeServer]:
    with ProbeServer() as server:
        yield server


@pytest.fixture
def practice(
    healthie: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> Iterator[Callable[[str], Practice]]:
    """A new practice for each trial: the same processes, another ledger and another database."""

    def make(name: str) -> Practice:
        folder = tmp_path / name
        folder.mkdir()
        return Practice(healthie, probe, prefect, folder)

    yield make
    healthie.faults()
    probe.set_faults(Faults())
