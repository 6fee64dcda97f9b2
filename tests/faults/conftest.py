import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Faults, ProbeServer
from tests.campaign import FULL
from tests.faults.world import Practice

LEDGERS = ("sqlite", "postgresql")
BOTH = pytest.mark.parametrize("ledger", LEDGERS, indirect=True)
"""Before a test: it runs with both ledgers in CI too. In campaign size every test here does."""

MakeLedger = Callable[[Path], str]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Without a word of its own, a test that has a ledger takes SQLite; in campaign size, both."""
    if "ledger" not in metafunc.fixturenames:
        return
    asked = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if not any("ledger" in names for names in asked if names != "ledger_url"):
        metafunc.parametrize("ledger", LEDGERS if FULL else LEDGERS[:1], indirect=True)


def new_database(server: str, name: str) -> str:
    """The address of a new, empty database of a PostgreSQL server."""
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return str(sa.make_url(server).set(database=name).render_as_string(hide_password=False))


@pytest.fixture(scope="module")
def ledger(request: pytest.FixtureRequest) -> MakeLedger:
    """Gives the address of a new ledger for each FERRY_HOME."""
    if request.param == "sqlite":
        return lambda folder: f"sqlite:///{folder / 'ledger.db'}"
    server: str = request.getfixturevalue("postgres")
    return lambda folder: new_database(server, f"l{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}")


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
    healthie: StandIn,
    probe: ProbeServer,
    prefect: Mapping[str, str],
    ledger: MakeLedger,
    tmp_path: Path,
) -> Iterator[Callable[[str], Practice]]:
    """A new practice for each trial: the same processes, another ledger and another database."""

    def make(name: str) -> Practice:
        folder = tmp_path / name
        folder.mkdir()
        return Practice(healthie, probe, prefect, folder, ledger(folder))

    yield make
    healthie.faults()
    probe.set_faults(Faults())
