"""A running stand-in for each module, and a client that asks it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from connectors.sandbox.healthie import StandIn

VERSION = "2026-01-01"
SHARED = Path(os.environ.get("FERRY_SPECS") or Path(__file__).resolve().parents[4].parent / "shared")


class Client:
    """Sends documents with the headers that Healthie wants."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=20.0, trust_env=False)
        self.headers = {
            "Authorization": f"Basic {key}",
            "AuthorizationSource": "API",
            "Healthie-GraphQL-API-Version": VERSION,
        }

    def send(self, query: str, variables: Mapping[str, object] | None = None, operation: str | None = None):
        body = {"query": query, "variables": variables or {}, "operationName": operation}
        return self._client.post("/graphql", json=body, headers=self.headers)

    def data(self, query: str, operation: str | None = None, **variables: object):
        """The data of an answer that has no errors."""
        answer = self.send(query, variables, operation).json()
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    def errors(self, query: str, **variables: object) -> list[str]:
        """The messages of an answer that has errors."""
        return [error["message"] for error in self.send(query, variables).json()["errors"]]

    def close(self) -> None:
        self._client.close()


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with StandIn(patients=60, seed=7) as healthie:
        yield healthie


@pytest.fixture
def healthie(running: StandIn) -> Iterator[StandIn]:
    """The module's stand-in with an empty journal and no faults; settings are put back afterwards."""
    running.reset()
    yield running
    running.faults()
    running.configure(**DEFAULTS)


DEFAULTS = {
    "child_writes_touch_user": False,
    "version_required": True,
    "rate_limit": None,
    "restricted_shown": False,
    "archived_in_ids": True,
    "other_provider_ids_replace": True,
    "omitted_policies_survive": True,
    "location_input_ignored": True,
}


@pytest.fixture
def client(healthie: StandIn) -> Iterator[Client]:
    made = Client(healthie.url, healthie.api_key)
    yield made
    made.close()


@pytest.fixture
def narrow(healthie: StandIn) -> Iterator[Client]:
    """A client with the key of a provider who sees only her own patients."""
    made = Client(healthie.url, healthie.narrow_key)
    yield made
    made.close()


@pytest.fixture(scope="session")
def shared() -> Path:
    if not (SHARED / "specs" / "healthie").is_dir():
        pytest.skip("needs the shared specs: set FERRY_SPECS")
    return SHARED
