import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sandbox.sheets import SheetsServer


def specs() -> Path | None:
    """Google's discovery documents, if they are at hand."""
    default = str(Path(__file__).parents[4] / "shared")
    found = Path(os.environ.get("FERRY_SPECS", default)) / "specs" / "google-sheets"
    return found if found.is_dir() else None


@pytest.fixture
def server() -> Iterator[SheetsServer]:
    """A spreadsheet without sheets. Each request is held against Google's description, if at hand."""
    with SheetsServer(specs=specs()) as server:
        yield server
        assert server.troubles == []
