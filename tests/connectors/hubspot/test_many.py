"""200,000 contacts, 25,000 of them with one stamp: every change found once, memory flat."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from connectors.changes import Cursor, scan
from connectors.entry import Found
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import hubspot

CONTACTS, ONE_STAMP = 200_000, 25_000
FLAT = 12_000_000  # bytes: 25,000 ids and one page of 200


@pytest.fixture(scope="module")
def crowd() -> Iterator[StandIn]:
    with StandIn("--contacts", str(CONTACTS), "--one-stamp", str(ONE_STAMP)) as stand_in:
        yield stand_in


@pytest.fixture
def source(crowd: StandIn) -> Iterator[HubSpot]:
    made = hubspot(crowd, read_only=True)
    yield made
    made.close()


def test_every_change_is_found_once_and_memory_is_flat(crowd: StandIn, source: HubSpot) -> None:
    feed = source.feeds([])[0]
    feed.fetch(None, datetime.now(UTC))  # what is made once
    tracemalloc.start()
    seen: set[str] = set()
    times = 0
    reading = scan(
        feed, Cursor(watermark=datetime.now(UTC) - timedelta(minutes=75)), now=lambda: datetime.now(UTC)
    )
    for changes in reading:
        seen.update(change.patient for change in changes)
        times += len(changes)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert times == len(seen) == ONE_STAMP
    assert peak < FLAT
    assert crowd.counts()["search"] == ONE_STAMP // 200 + 1


def test_reading_holds_one_batch_at_a_time(crowd: StandIn, source: HubSpot) -> None:
    ids = [id_ for page in islice(source.everyone(), 100) for id_ in page]
    list(source.read(ids[:100], ["email", "firstname"]))
    tracemalloc.start()
    number = sum(isinstance(one, Found) for one in source.read(ids, ["email", "firstname"]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert number == len(ids) == 10_000
    assert peak < 5_000_000
