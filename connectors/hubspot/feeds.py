"""Where HubSpot shows change: the search by time of change, and the listing of archived contacts.

The search gives 10,000 records of one query at most, and thousands of contacts may have one and the same
time: each page is a query of its own, for ids beyond the last one given (facts: an `after` would end).
It trails the writes by moments, which the overlap of a scan covers.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from connectors.changes import Feed, Page, Row
from connectors.errors import Rejected, Transient
from connectors.hubspot.cells import moment
from connectors.hubspot.client import Client
from connectors.hubspot.reading import listing
from connectors.hubspot.wire import Listing, Stored

PAGE: Final = 200
CHANGED: Final = "lastmodifieddate"


class ChangedContacts:
    """Contacts by the time of their last change, in the order of their ids."""

    name = "contacts"
    newest_first = False

    def __init__(self, client: Client, page: int = PAGE) -> None:
        self._client = client
        self._page = page

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        """One page. Raises Transient if it is not whole, Rejected if a row has no time."""
        filters: list[JsonValue] = [_at_least(since)] if since is not None else []
        filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": after or "0"})
        body: dict[str, JsonValue] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [CHANGED],
            "limit": self._page,
        }
        found = self._client.read(self._client.sdk.search.do_search, Listing, "contacts", body)
        ids = [_number(one.id) for one in found.results]
        if found.total is None or len(ids) < min(self._page, found.total):
            raise Transient("incomplete_listing", "hubspot: contacts: fewer rows than the search counts")
        if ids != sorted(set(ids)) or (ids and ids[0] <= _number(after or "0")):
            raise Transient("incomplete_listing", "hubspot: contacts: rows are not in the order of their ids")
        following = str(ids[-1]) if found.total > len(ids) else None
        return Page(tuple(_row(one) for one in found.results), following, self._client.clock)


class ArchivedContacts:
    """Contacts that were archived, or merged into another one: no search shows them. Read as a whole."""

    name = "archived"
    newest_first = False

    def __init__(self, client: Client) -> None:
        self._client = client

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        """One page. `since` is left to the scan: the listing cannot be asked so."""
        found = listing(self._client, after, archived=True)
        rows = tuple(Row(one.id, _time(one.archived_at), (one.id,)) for one in found.results)
        return Page(rows, found.after, self._client.clock)


def feeds(client: Client) -> Sequence[Feed]:
    """Both of them, whatever is read: HubSpot stamps the contact as a whole."""
    return (ChangedContacts(client), ArchivedContacts(client))


def _at_least(since: datetime) -> dict[str, JsonValue]:
    return {"propertyName": CHANGED, "operator": "GTE", "value": str(int(since.timestamp() * 1000))}


def _row(one: Stored) -> Row:
    return Row(one.id, _time(one.properties.get(CHANGED) or one.updated_at), (one.id,))


def _time(text: str | None) -> datetime:
    try:
        return moment(text or "")
    except ValueError:
        pass
    raise Rejected("unreadable_listing", "hubspot: contacts: a row without its time")


def _number(id_: str) -> int:
    if not id_.isdecimal():
        raise Transient("incomplete_listing", "hubspot: contacts: an id that is no number")
    return int(id_)
