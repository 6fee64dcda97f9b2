from pathlib import Path

import pytest

from tests.faults.conftest import (  # noqa: F401  # the same practice
    healthie,
    ledger,
    new_database,
    practice,
    probe,
    pytest_generate_tests,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url: str = request.getfixturevalue("postgres")
    name = f"ledger_{tmp_path.name.lower()}".replace("-", "_")[:60]
    return new_database(url, name)
