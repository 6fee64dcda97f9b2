"""A source that behaves like a real listing: ties, moves, deletions, late commits, two clocks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from connectors.changes import Page, Row

START = datetime(2026, 3, 1, tzinfo=UTC)
OVERLAP = 3  # seconds; so short that edits, commits and scans often meet at its very edge


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


@dataclass
class Version:
    """One state of a row: stamped when it was written, seen by others when it is committed."""

    stamp: int
    patients: tuple[str, ...]


@dataclass
class Listing:
    """A feed over rows that change while it is read.

    Its `after` is the place of the last row given. It also understands "skip:<n>", for readers that
    page by position although they should not.
    """

    name: str = "patients"
    newest_first: bool = True
    shows_clock: bool = True
    counts: bool = True  # does each page say how many rows there are?
    size: int = 2
    second: int = 0
    visible: dict[str, Version] = field(default_factory=dict)
    pending: list[tuple[int, str, Version]] = field(default_factory=list)  # when, row, what
    calls: list[tuple[str | None, datetime | None]] = field(default_factory=list)

    def write(self, row: str, patients: tuple[str, ...], late: int = 0) -> list[str]:
        """A row is written now and committed at most `late` seconds later. Rows now visible by it."""
        self.pending.append((self.second + late, row, Version(self.second, patients)))
        return [] if late else self.commit(self.second)

    def pass_time(self, seconds: int) -> list[str]:
        """What falls due in the very last second may still be committed before or after a read in it."""
        self.second += seconds
        return self.commit(self.second - 1)

    def commit(self, second: int) -> list[str]:
        """Commit what is due by then. Rows now visible by it."""
        due = [each for each in self.pending if each[0] <= second]
        self.pending = [each for each in self.pending if each[0] > second]
        for _, row, version in due:
            if row not in self.visible or self.visible[row].stamp <= version.stamp:
                self.visible[row] = version
        return [row for _, row, _ in due]

    def delete(self, row: str) -> None:
        self.visible.pop(row, None)
        self.pending = [each for each in self.pending if each[1] != row]

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        self.calls.append((after, since))
        places = sorted(
            ((version.stamp, row) for row, version in self.visible.items()), reverse=self.newest_first
        )
        if since is not None:
            places = [place for place in places if at(place[0]) >= since]
        rest = self._rest(places, after)
        given = rest[: self.size]
        return Page(
            rows=tuple(Row(row, at(stamp), self.visible[row].patients) for stamp, row in given),
            after=json.dumps(given[-1]) if len(rest) > self.size else None,
            clock=at(self.second) if self.shows_clock else None,
            total=len(places) if self.counts else None,
        )

    def _rest(self, places: Sequence[tuple[int, str]], after: str | None) -> list[tuple[int, str]]:
        if after is None:
            return list(places)
        if after.startswith("skip:"):
            return list(places[int(after.removeprefix("skip:")) :])
        stamp, row = json.loads(after)
        last = (stamp, row)
        return [place for place in places if (place < last if self.newest_first else place > last)]
