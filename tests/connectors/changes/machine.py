"""Any order of edits, late commits, deletions, scans, crashes and restored cursors: nothing is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from connectors.changes import Change, Cursor, Scan
from tests.connectors.changes.model import OVERLAP, Listing, at

ROWS = st.sampled_from([f"row{number}" for number in range(6)])
LANES = st.integers(0, 1)
DELAYS = st.sampled_from([0, 1, 5, OVERLAP - 1, OVERLAP])


@dataclass
class Lane:
    """One feed with its cursor, the scan under way, and what must still be nominated."""

    listing: Listing
    skew: int  # our clock minus the source's, seconds
    slowest: int  # seconds a commit may be late
    cursor: Cursor | None = None
    former: list[Cursor | None] = field(default_factory=lambda: [None])
    scan: Scan | None = None
    pages: Iterator[tuple[Change, ...]] | None = None
    owed: dict[str, set[str]] = field(default_factory=dict)  # row -> its patients, not yet nominated

    def owe(self, rows: list[str]) -> None:
        for row in rows:
            self.owed[row] = set(self.listing.visible[row].patients)

    def advance(self) -> bool:
        """One page more. False at the end, where the cursor moves."""
        assert self.scan is not None and self.pages is not None
        changes = next(self.pages, None)
        if changes is None:
            self.former.append(self.cursor)
            self.cursor, self.scan, self.pages = self.scan.cursor, None, None
            return False
        named = {change.patient for change in changes}
        self.owed = {row: patients - named for row, patients in self.owed.items() if patients - named}
        return True


def machine_for(reader: ModuleType) -> type[RuleBasedStateMachine]:
    """The machine for one version of `connectors.changes`."""

    class Reading(RuleBasedStateMachine):
        lanes: list[Lane]

        @initialize(
            newest_first=st.booleans(),
            shows_clock=st.booleans(),
            size=st.integers(1, 4),
            skew=st.sampled_from([-600, -1, 0, 1, 7, 600]),
            age=st.sampled_from([0, OVERLAP, 100]),
        )
        def begin(self, newest_first: bool, shows_clock: bool, size: int, skew: int, age: int) -> None:
            if not shows_clock:
                skew = min(skew, 7)  # without the source's clock, its difference is part of the overlap
            slowest = OVERLAP if shows_clock else OVERLAP - max(skew, 0)
            kinds = ((newest_first, "patients"), (not newest_first, "appointments"))
            self.lanes = [
                Lane(Listing(name, first, shows_clock, size, second=1000), skew, slowest) for first, name in kinds
            ]
            for lane in self.lanes:
                for number in range(4):
                    lane.owe(lane.listing.write(f"row{number}", (f"p{number}",)))
                lane.owe(lane.listing.pass_time(age))

        @rule(lane=LANES, row=ROWS, late=DELAYS, shared=st.booleans())
        def edit(self, lane: int, row: str, late: int, shared: bool) -> None:
            here = self.lanes[lane]
            patients = ("p" + row[3:], "both") if shared else ("p" + row[3:],)
            here.owe(here.listing.write(row, patients, min(late, here.slowest)))

        @rule(lane=LANES, row=ROWS)
        def delete(self, lane: int, row: str) -> None:
            self.lanes[lane].listing.delete(row)
            self.lanes[lane].owed.pop(row, None)

        @rule(seconds=st.sampled_from([1, 2, OVERLAP, 40]))
        def wait(self, seconds: int) -> None:
            for lane in self.lanes:
                lane.owe(lane.listing.pass_time(seconds))

        @rule(lane=LANES)
        def start_or_go_on(self, lane: int) -> None:
            here = self.lanes[lane]
            if here.scan is None:
                self._start(here)
            here.advance()

        @rule(lane=LANES)
        def finish(self, lane: int) -> None:
            here = self.lanes[lane]
            if here.scan is None:
                self._start(here)
            while here.advance():
                pass

        @rule(lane=LANES)
        def crash(self, lane: int) -> None:
            self.lanes[lane].scan = self.lanes[lane].pages = None

        @precondition(lambda self: any(lane.cursor is not None for lane in self.lanes))
        @rule(lane=LANES, pick=st.integers(0, 5))
        def restore_an_old_cursor(self, lane: int, pick: int) -> None:
            here = self.lanes[lane]
            here.cursor = here.former[min(pick, len(here.former) - 1)]

        @rule(lane=LANES)
        def cursor_from_the_future(self, lane: int) -> None:
            self.lanes[lane].cursor = Cursor(watermark=at(0).replace(year=2999))

        def teardown(self) -> None:
            for lane in getattr(self, "lanes", []):
                lane.owe(lane.listing.pass_time(OVERLAP))
                lane.scan = lane.pages = None
                self._start(lane)
                while lane.advance():
                    pass
                assert not lane.owed, "a change was never nominated"

        def _start(self, lane: Lane) -> None:
            listing, skew = lane.listing, lane.skew
            lane.scan = reader.scan(
                listing,
                lane.cursor,
                now=lambda: at(listing.second + skew),
                overlap=timedelta(seconds=OVERLAP),
            )
            lane.pages = iter(lane.scan)

    return Reading


