"""When a property was edited last: by its own history, not by the contact's stamp."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from connectors.errors import Transient
from connectors.hubspot import HubSpot, history
from connectors.hubspot.history import Version
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import hubspot

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def source(portal: StandIn) -> Iterator[HubSpot]:
    made = hubspot(portal, read_only=True)
    yield made
    made.close()


def test_each_property_has_the_time_of_its_own_last_edit(portal: StandIn, source: HubSpot) -> None:
    portal.set_clock(NOON)
    one, other = portal.create(phone="312-555-0101", firstname="Ana"), portal.create(firstname="Lea")
    portal.advance_clock(60)
    portal.edit(one, phone="312-555-0102")
    portal.advance_clock(60)
    portal.edit(one, phone="312-555-0102", lifecyclestage="lead")

    found = source.edited([one, other, "4711"], ["phone", "firstname", "lifecyclestage"])

    assert found == {
        one: {
            "phone": NOON + timedelta(minutes=1),
            "firstname": NOON,
            "lifecyclestage": NOON + timedelta(minutes=2),
        },
        other: {"firstname": NOON},
    }


def test_more_contacts_than_one_request_gives_with_history(portal: StandIn, source: HubSpot) -> None:
    portal.seed(120)
    ids = [str(one["id"]) for one in portal.records()]

    assert set(source.edited(ids, ["email"])) == set(ids)


def versions(*seen: tuple[str, str]) -> list[Version]:
    return [Version(value=value, timestamp=f"2026-03-02T{at}:00Z") for value, at in seen]


def test_a_value_that_was_written_again_is_no_edit() -> None:
    seen = versions(("new", "12:03"), ("old", "12:01"), ("new", "12:04"), ("new", "12:02"))

    assert history.since(seen) == NOON + timedelta(minutes=2)


def test_a_history_without_its_times_is_none() -> None:
    with pytest.raises(Transient, match="a history without its times"):
        history.since([Version(value="new", timestamp="yesterday")])
