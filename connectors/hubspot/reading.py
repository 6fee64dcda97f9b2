"""Reading contacts: many in few requests, each answered for, none invented."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from connectors.entry import Absent, Found, Reading
from connectors.errors import Rejected, Transient
from connectors.hubspot.cells import moment
from connectors.hubspot.client import Client
from connectors.hubspot.wire import PLAIN, Batch, Listing, Property, Stored
from connectors.values import as_json

BATCH: Final = 100
PAGE: Final = 100
PAGES: Final = 1_000_000  # of one listing: it must end

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


def read(
    client: Client, contacts: Sequence[str], paths: Collection[str], known: Mapping[str, Property]
) -> Iterator[Reading]:
    """One reading for each distinct contact, with exactly these properties, in no promised order.

    A contact that was archived, or merged into another one, is absent.

    Raises Rejected for a property that the portal does not have: HubSpot leaves it out in silence.
    """
    for name in paths:
        if name not in known:
            raise Rejected(
                "unknown_field", f"hubspot: contacts have no property {name}, or the token sees none"
            )
    ids = list(dict.fromkeys(contacts))
    for at in range(0, len(ids), BATCH):
        asked = ids[at : at + BATCH]
        there = {one.id: one for one in by_id(client, "contacts", asked, paths)}
        for id_ in asked:
            yield _reading(id_, there.get(id_), paths, known)


def _reading(
    id_: str, stored: Stored | None, paths: Collection[str], known: Mapping[str, Property]
) -> Reading:
    if stored is None:
        return Absent(id_, "unknown")
    hidden = [name for name in paths if known[name].data_sensitivity != PLAIN]
    if any(name not in stored.properties for name in hidden):
        return Absent(id_, "restricted")  # a scope was taken away meanwhile: that is no empty value
    return Found(id_, {name: _typed(stored.properties.get(name), known[name].type) for name in paths})


def by_id(
    client: Client, kind: str, ids: Sequence[str], names: Collection[str], *, by: str | None = None
) -> tuple[Stored, ...]:
    """The records that are there of at most 100 ids, or of values of a unique property."""
    body: dict[str, JsonValue] = {
        "inputs": [{"id": id_} for id_ in ids],
        "properties": list(names),
        "propertiesWithHistory": [],
    }
    if by is not None:
        body["idProperty"] = by
    answer = client.read(client.sdk.batches.read, Batch, kind, body)
    for trouble in answer.errors:
        if trouble.category != "OBJECT_NOT_FOUND":
            raise Transient("incomplete_listing", f"hubspot: {kind}: errors beside a batch")
    return answer.results


def everyone(client: Client) -> Iterator[tuple[str, ...]]:
    """The ids of all contacts but the archived ones, page by page. Raises Transient for a broken listing."""
    after: str | None = None
    for _ in range(PAGES):
        page = listing(client, after, archived=False)
        ids = tuple(one.id for one in page.results)
        if page.after is not None and (page.after == after or not ids):
            raise Transient("incomplete_listing", "hubspot: contacts: the next page is the same page")
        if ids:
            yield ids
        after = page.after
        if after is None:
            return
    raise Transient("incomplete_listing", "hubspot: contacts: the listing does not end")


def listing(client: Client, after: str | None, *, archived: bool) -> Listing:
    """One page of the plain listing, which is never late and never ends early."""
    options: dict[str, object] = {"limit": PAGE, "archived": archived, "properties": ["hs_object_id"]}
    if after is not None:
        options["after"] = after
    return client.read(client.sdk.objects.get_page, Listing, "contacts", **options)


def _typed(text: str | None, kind: str) -> JsonValue:
    """A value by its property's type; one that is not of it stays text."""
    if text is None or text == "":
        return None
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind == "bool" and text in ("true", "false"):
        return text == "true"
    if kind == "datetime":
        try:
            return as_json(moment(text))
        except ValueError:
            return text
    return text
