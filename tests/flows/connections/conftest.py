from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from flows import anchor
from tests.flows.connections.office import Office, named_patients
from tests.prefect_api import asking


def without_anchors(prefect: Mapping[str, str]) -> None:
    """The server knows of no ledger and no connection: each test's are new, and none was restored."""
    with asking(prefect["PREFECT_API_URL"]) as server:
        tagged = {"variables": {"tags": {"all_": [anchor.TAG]}}}
        for one in server.post("/variables/filter", json=tagged).json():
            server.delete(f"/variables/{one['id']}")
        sealed = {"block_types": {"slug": {"any_": ["sealed-connection"]}}}
        for one in server.post("/block_documents/filter", json=sealed).json():
            server.delete(f"/block_documents/{one['id']}")


@pytest.fixture
def office(healthie: StandIn, prefect: Mapping[str, str], tmp_path: Path) -> Iterator[Office]:
    """An office with one tenant, acme, that is not connected yet."""
    named_patients(healthie)
    without_anchors(prefect)
    made = Office(healthie, prefect, tmp_path)
    made.tenant("acme", {"url": healthie.endpoint})
    healthie.reset()
    yield made
    healthie.faults()
    made.clear()
