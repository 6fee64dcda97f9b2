"""What the portal would refuse is known without sending, with the same code; and only reads leave."""

from collections.abc import Callable

import pytest

from connectors.hubspot import HubSpotOptions
from connectors.operation import Claim, Item, Outcome, Write
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import CONTACTS, hubspot, item, settle, told

Scene = Callable[[StandIn], list[Item]]


def of_another(portal: StandIn) -> list[Item]:
    portal.create(email="ana@example.com", firstname="Ana", healthie_id="9")
    return [item("1", email="ana@example.com", firstname="Ana")]


def of_another_name(portal: StandIn) -> list[Item]:
    portal.create(email="ana@example.com", firstname="Bea")
    return [item("1", email="ana@example.com", firstname="Ana")]


def of_several(portal: StandIn) -> list[Item]:
    portal.create(email="ana@example.com")
    portal.double("ana@example.com")
    return [item("1", email="ana@example.com")]


def of_one_who_is_there(portal: StandIn) -> list[Item]:
    portal.create(email="old@example.com", healthie_id="1")
    portal.create(email="ana@example.com")
    return [item("1", email="ana@example.com")]


def of_a_family(_: StandIn) -> list[Item]:
    return [item("1", email="ana@example.com"), item("2", email="ana@example.com"), item("3", plan="gold")]


def of_a_family_that_is_there(portal: StandIn) -> list[Item]:
    portal.create(email="ana@example.com", healthie_id="1")
    return [item("1", email="ana@example.com"), item("2", email="ana@example.com")]


def of_none(portal: StandIn) -> list[Item]:
    return [item("1", email="no address"), item("2", email="Ana@Example.com"), item("3", email=None)]


def no_option(_: StandIn) -> list[Item]:
    return [item("1", lifecyclestage="none of these"), item("2", lifecyclestage="lead")]


def of_another_type(_: StandIn) -> list[Item]:
    return [item("1", visits="many"), item("2", visits=10**17), item("3", visits=3)]


def no_key(_: StandIn) -> list[Item]:
    return [item("A B", plan="gold"), item("2", plan="gold")]


def to_be_adopted(portal: StandIn) -> list[Item]:
    portal.create(email="ana@example.com", firstname="Ana")
    return [item("1", email="ana@example.com", firstname="Ana")]


SCENES: list[Scene] = [
    of_another, of_another_name, of_several, of_one_who_is_there, of_a_family, of_a_family_that_is_there,
    of_none, no_option, of_another_type, no_key, to_be_adopted,
]  # fmt: skip


@pytest.mark.parametrize("adopt", [True, False], ids=["adopts", "never"])
@pytest.mark.parametrize("scene", SCENES, ids=[one.__name__ for one in SCENES])
def test_a_stage_refuses_what_the_portal_does(portal: StandIn, scene: Scene, adopt: bool) -> None:
    options = HubSpotOptions(adopt=adopt)
    writing, reading = (
        hubspot(portal, CONTACTS, options=options),
        hubspot(portal, CONTACTS, options=options, read_only=True),
    )
    writing.prepare()
    items = scene(portal)
    image = reading.writes()["upsert_contacts"]
    assert image.refuses is not None and image.rules is not None
    portal.reset()

    refused = image.refuses(items)
    rest = [one for one in items if one.key not in {each.key for each in refused}]
    foretold = told([*refused, *_taken(image, rest)])

    assert {"read", "search", "schema"} >= portal.counts().keys()
    sent = settle(writing.writes()["upsert_contacts"], *items)
    assert foretold == {key: said for key, said in sent.items() if said.startswith("rejected")}
    writing.close()
    reading.close()


def _taken(image: Write, items: list[Item]) -> list[Outcome]:
    """Those whose e-mail somebody else has; of whom nobody is nearer than the portal says."""
    assert image.rules is not None
    own = {one.key: image.record(one.patient, one.arguments) for one in items}
    claims = [one for one in image.rules(items) if isinstance(one, Claim)]
    return [Outcome(one.key, "rejected", one.code) for one in claims if one.holder not in ("", own[one.key])]


def test_what_is_missing_would_be_made_and_is_no_reason(portal: StandIn) -> None:
    reading = hubspot(portal, CONTACTS, read_only=True)
    refuses = reading.writes()["upsert_contacts"].refuses
    assert refuses is not None

    said = refuses([item("1", email="ana@example.com", plan="gold", visits=3), item("2", visits=10**17)])

    assert told(said) == {"k2": "rejected out_of_range"}
    assert "definition" not in portal.counts() and "write" not in portal.counts()
    reading.close()
