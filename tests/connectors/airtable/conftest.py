from collections.abc import Iterator

import pytest

from connectors.sandbox.airtable import AirtableStandIn


@pytest.fixture
def stand_in() -> Iterator[AirtableStandIn]:
    with AirtableStandIn() as running:
        yield running
