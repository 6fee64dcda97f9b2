"""Change: which entries may differ from what was last handled. The one reader of change."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pydantic import AwareDatetime

from connectors.base import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a listing: its id, when the source says it changed (UTC), whose entry it belongs to."""

    id: str
    stamp: datetime
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page. `after` continues the listing, None at its end. `clock` is the source's own clock."""

    rows: tuple[Row, ...]
    after: str | None
    clock: datetime | None = None


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


OVERLAP = timedelta(minutes=15)  # late commits and clock differences; must exceed the source's longest
