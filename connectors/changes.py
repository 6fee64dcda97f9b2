"""Change: which entries may differ from what was last handled. The one reader of change.

What it promises: a change that becomes visible in a feed at most `overlap` after its own stamp (plus the
difference of the clocks, where the feed shows none) is nominated by the scan under way or by the next
one, whatever is edited meanwhile and wherever a scan was broken off. It needs a feed that continues after
the last row it gave (keyset). A listing paged by position skips a row for each one that vanishes
before it; such a feed must overlap its own pages, and a full sweep finds what is still missed.

"No more" is believed of a feed that counts its rows only if as many were seen. Rows that moved past the
scan meanwhile are no loss, and are looked for at the listing's beginning before anything is refused.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import Settings
from connectors.errors import Rejected, Transient


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a listing: its id, when the source says it changed (UTC), whose entry it belongs to."""

    id: str
    stamp: datetime
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `after` continues the listing, None at its end. `clock` is the source's own clock.

    `total`: how many rows the whole listing has at this moment, if the source says.
    """

    rows: tuple[Row, ...]
    after: str | None
    clock: datetime | None = None
    total: int | None = None


class Feed(Protocol):
    """A listing of a source that shows change."""

    name: str
    newest_first: bool  # False: the listing is filtered by `since` on the source's side

    def fetch(self, after: str | None, since: datetime | None) -> Page: ...


class Cursor(Settings):
    """How far a feed has been read: everything visible up to `watermark` has been nominated."""

    watermark: AwareDatetime


@dataclass(frozen=True, slots=True)
class Change:
    """This entry may differ from what was last handled; the fingerprint decides."""

    patient: str
    feed: str
    stamp: datetime


class Scan(Protocol):
    """One reading of one feed. Iterate to the end, then ask for `cursor`."""

    def __iter__(self) -> Iterator[tuple[Change, ...]]: ...

    @property
    def cursor(self) -> Cursor: ...


LOOKS = 5  # at a listing's beginning, for rows that moved there; each is shorter than the one before
OVERLAP = timedelta(minutes=15)  # late commits and clock differences; must exceed the source's longest


def scan(
    feed: Feed, cursor: Cursor | None, *, now: Callable[[], datetime], overlap: timedelta = OVERLAP
) -> Scan:
    """A reading of everything that became visible since `cursor`; of everything, if there is none.

    Each patient is nominated once in a scan. Nothing is kept in memory but ids: theirs and the rows'.

    Args:
        now: our own clock, aware.
        overlap: how far before the cursor to look again.

    Raises (while it is iterated): what the feed raises; Rejected("feed_stuck") if its pages do not advance;
    Transient("incomplete_listing") if it ends before all rows that the source counts.
    """
    return _Reading(feed, cursor, now, overlap)


class _Reading:
    """One scan. The cursor is there only after the last page: a scan that broke off moves nothing."""

    def __init__(
        self, feed: Feed, cursor: Cursor | None, now: Callable[[], datetime], overlap: timedelta
    ) -> None:
        self._feed = feed
        self._before = cursor
        self._now = now
        self._overlap = overlap
        self._read_to: Cursor | None = None

    def __iter__(self) -> Iterator[tuple[Change, ...]]:
        started = watermark = self._now()
        floor = stop = self._floor(started)
        patients: set[str] = set()
        rows: set[str] = set()  # stays empty for a feed that does not count
        for look in range(1 + LOOKS):
            visible, reached, whole = started, False, False  # all up to `visible` was visible when we began
            for page in self._pages(floor):
                visible = min(visible, page.clock or visible)
                changes = self._unseen(page.rows, floor, patients)
                if changes:
                    yield changes
                rows.update(row.id for row in page.rows if page.total is not None)
                whole = page.total is None or len(rows) >= page.total
                reached = self._beyond(page.rows, stop)
                if reached or (look and whole):
                    break
            watermark = watermark if look else visible
            if whole or (reached and not look):
                self._read_to = Cursor(watermark=watermark)
                return
            stop, started = self._late(visible), self._now()
        raise Transient("incomplete_listing", f"{self._feed.name}: fewer rows than the source counts")

    def _pages(self, since: datetime | None) -> Iterator[Page]:
        """The listing from its beginning to its end."""
        after: str | None = None
        while True:
            page = self._feed.fetch(after, None if self._feed.newest_first else since)
            yield page
            if page.after is None:
                return
            if page.after == after:
                raise Rejected("feed_stuck", f"{self._feed.name}: the next page is the same page")
            after = page.after

    @property
    def cursor(self) -> Cursor:
        """Where the next scan begins. Only after the scan was iterated to its end."""
        if self._read_to is None:
            raise RuntimeError(f"{self._feed.name}: the scan has not come to its end")
        return self._read_to

    def _floor(self, started: datetime) -> datetime | None:
        """Rows from here on may not have been seen. None: any row may not."""
        if self._before is None or self._before.watermark > started + self._overlap:
            return None  # a cursor from the future says nothing about what was read
        return self._late(min(self._before.watermark, started))

    def _late(self, moment: datetime) -> datetime:
        """The earliest stamp of what may become visible only after this moment."""
        return moment - self._overlap

    def _unseen(self, rows: Sequence[Row], floor: datetime | None, seen: set[str]) -> tuple[Change, ...]:
        changes: list[Change] = []
        for row in rows:
            if floor is None or row.stamp >= floor:
                fresh = [patient for patient in dict.fromkeys(row.patients) if patient not in seen]
                seen.update(fresh)
                changes += (Change(patient, self._feed.name, row.stamp) for patient in fresh)
        return tuple(changes)

    def _beyond(self, rows: Sequence[Row], floor: datetime | None) -> bool:
        """Are all later rows older than the floor? A page that is out of order proves nothing."""
        if floor is None or not rows or not self._feed.newest_first:
            return False
        ordered = all(newer.stamp >= older.stamp for newer, older in pairwise(rows))
        return ordered and rows[-1].stamp < floor
