"""Any order of edits, late commits, deletions, scans, crashes and restored cursors: nothing is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from connectors import changes
from connectors.changes import Change, Cursor, Scan
from connectors.errors import Transient
from tests.connectors.changes.model import OVERLAP, Listing, at

ROWS = st.sampled_from([f"row{number}" for number in range(6)])
LANES = st.integers(0, 1)
DELAYS = st.sampled_from([0, 1, OVERLAP])


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
    due: set[str] = field(default_factory=set)  # rows that the scan under way must nominate

    def owe(self, rows: list[str]) -> None:
        for row in rows:
            self.owed[row] = set(self.listing.visible[row].patients)
            self.due.discard(row)  # seen by others only now: the next scan may nominate it

    def advance(self) -> bool:
        """One page more. False at the end, where the cursor moves."""
        assert self.scan is not None and self.pages is not None
        try:
            changes = next(self.pages, None)
        except Transient:
            raise AssertionError("a listing without a fault was refused") from None
        if changes is None:
            self.former.append(self.cursor)
            self.cursor, self.scan, self.pages = self.scan.cursor, None, None
            assert self.due.isdisjoint(self.owed), "a change was never nominated"
            return False
        named = {change.patient for change in changes}
        self.owed = {row: patients - named for row, patients in self.owed.items() if patients - named}
        return True


class Reading(RuleBasedStateMachine):
    """Two feeds, each read by itself while it is edited."""

    reader: ModuleType = changes
    counts: bool = True  # may feeds count their rows?
    lanes: list[Lane]

    @initialize(
        newest_first=st.booleans(),
        shows_clock=st.booleans(),
        counts=st.booleans(),
        size=st.integers(1, 4),
        skew=st.sampled_from([-600, 0, 1, 600]),
        age=st.sampled_from([0, OVERLAP, 100]),
    )
    def begin(
        self, newest_first: bool, shows_clock: bool, counts: bool, size: int, skew: int, age: int
    ) -> None:
        counts = counts and self.counts
        if not shows_clock:
            skew = min(skew, 1)  # without the source's clock, its difference is part of the overlap
        slowest = OVERLAP if shows_clock else OVERLAP - max(skew, 0)
        kinds = ((newest_first, "patients"), (not newest_first, "appointments"))
        self.lanes = [
            Lane(Listing(name, first, shows_clock, counts, size, second=1000), skew, slowest)
            for first, name in kinds
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

    @rule(seconds=st.sampled_from([1, OVERLAP, 40]))
    def wait(self, seconds: int) -> None:
        for lane in self.lanes:
            lane.owe(lane.listing.pass_time(seconds))

    @rule()
    def commit(self) -> None:
        for lane in self.lanes:
            lane.owe(lane.listing.commit(lane.listing.second))

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

    @rule(
        lane=LANES,
        what=st.sampled_from(["crash", "crash", "old cursor", "future cursor"]),
        pick=st.integers(0, 5),
    )
    def mishap(self, lane: int, what: str, pick: int) -> None:
        here = self.lanes[lane]
        if what == "crash":
            here.scan = here.pages = None
        elif what == "old cursor":
            here.cursor = here.former[min(pick, len(here.former) - 1)]
        else:
            here.cursor = Cursor(watermark=at(0).replace(year=2999))

    def teardown(self) -> None:
        for lane in getattr(self, "lanes", []):
            lane.owe(lane.listing.pass_time(OVERLAP + 1))
            lane.scan = lane.pages = None
            self._start(lane)
            while lane.advance():
                pass

    def _start(self, lane: Lane) -> None:
        listing, skew = lane.listing, lane.skew
        lane.due = set(lane.owed)
        lane.scan = self.reader.scan(
            listing,
            lane.cursor,
            now=lambda: at(listing.second + skew),
            overlap=timedelta(seconds=OVERLAP),
        )
        lane.pages = iter(lane.scan)


def machine_for(reader: ModuleType, *, counts: bool = True) -> type[Reading]:
    """The machine for one version of `connectors.changes`; with feeds that count their rows, or none."""
    return type("Reading", (Reading,), {"reader": reader, "counts": counts})
