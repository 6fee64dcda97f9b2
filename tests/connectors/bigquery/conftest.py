from collections.abc import Iterator

import pytest

from connectors.sandbox.bigquery import BigQueryServer
from connectors.sandbox.proxy import Proxy
from tests.connectors.bigquery.place import Place


@pytest.fixture
def place() -> Iterator[Place]:
    """An empty dataset."""
    with BigQueryServer() as server:
        yield Place(server)


@pytest.fixture
def proxied() -> Iterator[tuple[Place, Proxy]]:
    """An empty dataset behind a proxy that faults."""
    with BigQueryServer() as server, Proxy(server.url) as proxy:
        yield Place(server, proxy.url), proxy
