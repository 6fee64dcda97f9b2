"""When each property of a contact was edited last. HubSpot keeps the history of each one."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Final

from pydantic import Field, JsonValue

from connectors.errors import Transient
from connectors.hubspot.cells import moment
from connectors.hubspot.client import Client
from connectors.hubspot.wire import Wire

BATCH: Final = 50  # contacts of one request: with history HubSpot gives half as many


class Version(Wire):
    """One value that a property had, since when."""

    value: str | None = None
    timestamp: str


class Past(Wire):
    id: str
    properties_with_history: dict[str, tuple[Version, ...]] = Field(
        default_factory=dict[str, tuple[Version, ...]]
    )


class Pasts(Wire):
    results: tuple[Past, ...]


def edited(
    client: Client, contacts: Sequence[str], names: Collection[str]
) -> Mapping[str, Mapping[str, datetime]]:
    """By contact and property. What HubSpot tells no history of is left out. Raises as every read."""
    found: dict[str, Mapping[str, datetime]] = {}
    for at in range(0, len(contacts), BATCH):
        body: dict[str, JsonValue] = {
            "inputs": [{"id": id_} for id_ in contacts[at : at + BATCH]],
            "properties": [],
            "propertiesWithHistory": list(names),
        }
        answer = client.read(client.sdk.batches.read, Pasts, "contacts", body)
        for one in answer.results:
            past = one.properties_with_history
            found[one.id] = {name: since(past[name]) for name in names if past.get(name)}
    return found


def since(versions: Sequence[Version]) -> datetime:
    """Since when the newest value is there. UNVERIFIED: does a write of the same value make a version?"""
    try:
        dated = sorted(((moment(one.timestamp), one.value) for one in versions), key=lambda one: one[0])
    except ValueError:
        raise Transient("bad_answer", "hubspot: a history without its times") from None
    newest = dated[-1][1]
    return list(takewhile(lambda one: one[1] == newest, reversed(dated)))[-1][0]
