"""Where Healthie shows change: its newest-first listings, the tags changed since, and every patient.

Healthie cannot be asked "changed since" but for tags (its API of 2026-01-01). What no listing shows,
addresses and policies among it, is left to the full sweep over `everyone`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

from pydantic import JsonValue

from connectors.changes import Feed, Page, Row
from connectors.errors import Rejected, Transient
from connectors.healthie.client import Client
from connectors.healthie.normal import MalformedError, as_utc
from connectors.healthie.query import PAGE
from connectors.healthie.reply import Json

PAGES: Final = 100_000  # of one listing: it must end


@dataclass(frozen=True, slots=True)
class Listing:
    """One root connection that shows change. `whose` are the paths to the patients of a row."""

    name: str
    area: str  # the field of the entry that its rows belong to; "" for all
    call: str
    select: str
    whose: tuple[tuple[str, ...], ...]
    newest_first: bool = True

    @property
    def document(self) -> str:
        since = "" if self.newest_first else ", $since: ISO8601DateTime"
        return (
            f"query Changed($first: Int!, $after: String{since}) {{\n"
            f"  rows: {self.call}, first: $first, after: $after) {{\n"
            f"    nodes {{ id created_at updated_at {self.select} }}\n"
            "    page_info { has_next_page end_cursor }\n"
            "    total_count\n"
            "  }\n"
            "}"
        )


_PERSON: Final = "{ id is_patient }"

LISTINGS: Final = (
    Listing(
        "users",
        "",
        "users(order_by: UPDATED_AT_DESC, show_all_by_default: true, include_suborg_patients: true",
        "",
        (("id",),),
    ),
    Listing(
        "appointments",
        "appointments",
        'appointments(filter: "all", is_org: true, include_suborganizations: true, with_all_statuses: true, '
        "include_blockers: false, order_by: UPDATED_AT_DESC",
        "user_id attendees { id }",  # a group appointment has no user_id
        (("user_id",), ("attendees",)),
    ),
    Listing(
        "billingItems",
        "billing_items",
        "billingItems(order_by: UPDATED_AT_DESC",
        f"sender {_PERSON} recipient {_PERSON}",
        (("sender",), ("recipient",)),
    ),
    Listing(
        "requestedPayments",
        "requested_payments",
        "requestedPayments(order_by: UPDATED_AT_DESC",
        f"sender {_PERSON} recipient {_PERSON}",
        (("sender",), ("recipient",)),
    ),
    Listing("cms1500s", "cms1500s", "cms1500s(order_by: UPDATED_AT_DESC", "patient_id", (("patient_id",),)),
    Listing(
        "tasks", "tasks", "tasks(show_hidden: true, order_by: UPDATED_AT_DESC", "client_id", (("client_id",),)
    ),
    Listing(
        "appliedTags",
        "active_tags",
        "appliedTags(updated_after: $since, order_by: UPDATED_AT_ASC",
        f"user {_PERSON}",
        (("user",),),
        newest_first=False,
    ),
)

BEGINNING: Final = datetime(2010, 1, 1, tzinfo=UTC)  # before Healthie


class HealthieFeed:
    """A listing, ready to be read page by page."""

    def __init__(self, client: Client, listing: Listing, zone: tzinfo) -> None:
        self.name = listing.name
        self.newest_first = listing.newest_first
        self._client = client
        self._listing = listing
        self._zone = zone

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        """One page. Raises Transient if the answer is no whole page, Rejected if a row has no time."""
        variables: dict[str, JsonValue] = {"first": PAGE, "after": after}
        if not self.newest_first:
            variables["since"] = (since or BEGINNING).astimezone(UTC).isoformat()
        reply = self._client.run(self._listing.document, variables)
        if reply.faults:
            raise Transient("incomplete_listing", f"healthie: {self.name}: errors beside a page")
        nodes, following, total = page_of(reply.data.get("rows"), self.name)
        if after is None and not nodes and (total or not self._listing.area):
            raise Transient("incomplete_listing", f"healthie: {self.name}: a page without its rows")
        return Page(tuple(self._row(node) for node in nodes), following, reply.clock, total)

    def _row(self, node: Json) -> Row:
        stamp = node.get("updated_at") or node.get("created_at")
        try:
            moment = as_utc(stamp if isinstance(stamp, str) else "", self._zone)
        except MalformedError:
            raise Rejected("unreadable_listing", f"healthie: {self.name}: a row without its time") from None
        patients = dict.fromkeys(id_ for path in self._listing.whose for id_ in _patients(node.get(path[0])))
        return Row(str(node.get("id")), moment, tuple(patients))


def feeds(client: Client, paths: Collection[str], zone: tzinfo) -> list[Feed]:
    """The listings that show changes of these fields; patients always."""
    areas = {path.partition(".")[0] for path in paths}
    return [
        HealthieFeed(client, listing, zone)
        for listing in LISTINGS
        if not listing.area or listing.area in areas
    ]


EVERYONE: Final = """query Everyone($first: Int!, $after: String) {
  users(order_by: CREATED_AT_ASC, show_all_by_default: true, include_suborg_patients: true,
        first: $first, after: $after) {
    nodes { id }
    page_info { has_next_page end_cursor }
    total_count
  }
}"""


def everyone(client: Client) -> Iterator[tuple[str, ...]]:
    """The ids of all patients, active and archived, page by page.

    Raises Transient if the ids are not as many as Healthie counts: a partial list proves no absence.
    A practice without any patient looks the same as an answer gone wrong, and is taken for that.
    """
    seen: set[str] = set()
    after: str | None = None
    for _ in range(PAGES):
        reply = client.run(EVERYONE, {"first": PAGE, "after": after})
        if reply.faults:
            raise Transient("incomplete_listing", "healthie: users: errors beside a page")
        nodes, after, total = page_of(reply.data.get("users"), "users")
        ids = tuple(str(node["id"]) for node in nodes if str(node["id"]) not in seen)
        seen.update(ids)
        if after is None and (len(seen) != total or not seen):
            raise Transient("incomplete_listing", "healthie: users: not as many as Healthie counts, or none")
        if ids:
            yield ids
        if after is None:
            return
    raise Transient("incomplete_listing", "healthie: users: the listing does not end")


def page_of(connection: JsonValue, name: str) -> tuple[list[Json], str | None, int]:
    """(rows, cursor of the next page or None at the end, total). Raises Transient for less."""
    if isinstance(connection, dict):
        nodes, page_info = connection.get("nodes"), connection.get("page_info")
        total = connection.get("total_count")
        if isinstance(nodes, list) and isinstance(page_info, dict) and isinstance(total, int):
            rows = [node for node in nodes if isinstance(node, dict) and node.get("id") is not None]
            more, cursor = page_info.get("has_next_page"), page_info.get("end_cursor")
            whole = len(rows) == len(nodes) and isinstance(more, bool)
            if whole and (not more or (isinstance(cursor, str) and rows)):
                return rows, cursor if more and isinstance(cursor, str) else None, total
    raise Transient("incomplete_listing", f"healthie: {name}: an answer that is no whole page")


def _patients(value: JsonValue) -> Iterator[str]:
    """Ids below a value: an id, a person or several."""
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, list):
        for one in value:
            yield from _patients(one)
    elif isinstance(value, Mapping) and value.get("is_patient") is not False:
        yield from _patients(value.get("id"))
