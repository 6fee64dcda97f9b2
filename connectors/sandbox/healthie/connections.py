"""Connections: Relay-style pages over a sorted list, with opaque cursors that name a place, not a number."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from graphql import GraphQLError

from connectors.sandbox.healthie.rows import Args, Row, number, text
from connectors.sandbox.healthie.table import Entry, Key, place

Keep = Callable[[Row], bool]


@dataclass(frozen=True)
class Listing:
    """What a list field could give: entries ascending by the order, those kept, and how many that are."""

    entries: Sequence[Entry]
    keep: Keep
    order: str  # UPDATED_AT_DESC
    counted: Callable[[], int] | None = None

    @property
    def descending(self) -> bool:
        return self.order.endswith("_DESC")

    def count(self) -> int:
        return self.counted() if self.counted else sum(1 for _, _, row in self.entries if self.keep(row))


@dataclass
class Connection:
    """One page of a listing."""

    listing: Listing
    page: list[Entry] = field(default_factory=list[Entry])
    has_next: bool = False
    has_previous: bool = False

    @cached_property
    def nodes(self) -> list[Row]:
        return [row for _, _, row in self.page]

    @cached_property
    def edges(self) -> list[Row]:
        return [{"node": made[2], "cursor": cursor(self.listing.order, made)} for made in self.page]

    @cached_property
    def page_info(self) -> Row:
        return {
            "has_next_page": self.has_next,
            "has_previous_page": self.has_previous,
            "start_cursor": cursor(self.listing.order, self.page[0]) if self.page else None,
            "end_cursor": cursor(self.listing.order, self.page[-1]) if self.page else None,
        }

    @cached_property
    def total_count(self) -> int:
        return self.listing.count()


def page_of(listing: Listing, args: Args, *, default: int, cap: int) -> Connection:
    """The page that first/after or last/before ask for.

    Raises:
        GraphQLError: both directions at once, a negative size, or a cursor of another order.
    """
    first, last = number(args, "first"), number(args, "last")
    if first is not None and last is not None:
        raise GraphQLError("Passing both `first` and `last` to paginate a connection is not supported.")
    if (first or 0) < 0 or (last or 0) < 0:
        raise GraphQLError("`first` and `last` must not be negative.")
    size = min(first if first is not None else last if last is not None else default, cap)
    low, high = _bounds(listing, text(args, "after"), text(args, "before"))
    from_end = last is not None
    walked = _walk(listing, low, high, reverse=listing.descending != from_end)
    found = list(islice(walked, size + 1))
    more = len(found) > size
    page = found[:size]
    if from_end:
        page.reverse()
        return Connection(listing, page, has_next=text(args, "before") is not None, has_previous=more)
    return Connection(listing, page, has_next=more, has_previous=text(args, "after") is not None)


def cursor(order: str, made: Entry) -> str:
    """The place of an entry in an order. It stays where it is when the row moves."""
    return urlsafe_b64encode(json.dumps([order, *made[0], made[1]]).encode()).decode().rstrip("=")


def empty(order: str = "ID_ASC") -> Connection:
    return Connection(Listing((), lambda _: False, order))


def _read_cursor(order: str, value: str) -> tuple[Key, int]:
    try:
        made_for, whole, word, id_ = json.loads(urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except ValueError as error:
        raise GraphQLError("Invalid cursor.") from error
    if made_for != order:
        raise GraphQLError("Invalid cursor: it was made for another order_by.")
    return (whole, word), id_


def _bounds(listing: Listing, after: str | None, before: str | None) -> tuple[int, int]:
    """The part of the ascending entries that lies between two cursors, both left out."""
    low, high = 0, len(listing.entries)
    upper, lower = (after, before) if listing.descending else (before, after)
    if lower is not None:
        low = bisect_right(listing.entries, _read_cursor(listing.order, lower), key=place)
    if upper is not None:
        high = bisect_left(listing.entries, _read_cursor(listing.order, upper), key=place)
    return low, high


def _walk(listing: Listing, low: int, high: int, *, reverse: bool) -> Iterator[Entry]:
    places = range(high - 1, low - 1, -1) if reverse else range(low, high)
    entries, keep = listing.entries, listing.keep
    return (entries[at] for at in places if keep(entries[at][2]))
