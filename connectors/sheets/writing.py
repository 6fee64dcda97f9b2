"""One batch on its way into one sheet, while people sort, insert and delete in it.

Every row that was written is looked at in Google's answer. One that turns out to be another's, because it
was sorted into the place of ours in that moment, gets back what it held, and ours is written again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, Literal

from pydantic import JsonValue

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Outcome
from connectors.sheets.acts import Cells, put
from connectors.sheets.book import Book
from connectors.sheets.cells import Formula, Scalar, same, text_of
from connectors.sheets.grid import Layout, Place
from connectors.sheets.moved import held_before, were_moved
from connectors.sheets.plan import Change, Plan, acts, by_column, plan, settled

PART: Final = 1_500_000  # bytes of rows in one request; Google asks for no more than 2 MB
ROUNDS: Final = 4  # over rows that people move while they are written
REFUSALS: Final = 24  # of parts of one batch; then what was refused is not parted any more

State = Literal["done", "rejected", "unknown", "transient"]
Values = Sequence[JsonValue]


class Writing:
    """Changes of one batch, and what became of them."""

    def __init__(self, book: Book, layout: Layout) -> None:
        self._book = book
        self._sheet, self._table = layout.grid.sheet, layout.table
        self._layout: Layout | None = layout
        self._settled: dict[Place, tuple[State, str]] = {}
        self._open: dict[Place, Change] = {}
        self._added: dict[Place, Change] = {}
        self._harm: dict[Place, str] = {}  # whose write met what could not be given back: code
        self._owed: dict[Place, Place] = {}  # whose cells are to be given back: whose write met them
        self._doubted: set[Place] = set()  # refused alone, and tried once more
        self._asked: dict[int, bool] = {}  # tag: is it in another sheet?
        self._wanted: Collection[int] = ()  # the tags that were asked for last

    def deliver(self, changes: Sequence[Change]) -> list[Outcome]:
        """Write all of them; where a part is refused, by halves, so that the others are written.

        Raises Transient or Unauthorized if nothing was applied, or Unknown.
        """
        parts = list(_in_parts(changes))[::-1]
        refusals = 0
        while parts:
            part = parts.pop()
            try:
                self._settle(part)
            except Rejected as error:
                refusals += 1
                left = [change for change in part if change.place not in self._settled]
                again = self._again(left) if refusals < REFUSALS else []
                parts += again
                self._note([] if again else left, "rejected", error.code)
            except (Transient, Unknown, Unauthorized) as error:
                self._break_off(error, part, parts)
                break
        return [Outcome(item, *self._outcome(one.place)) for one in changes for item in one.items]

    def _again(self, left: list[Change]) -> list[list[Change]]:
        """What a refused part is tried as once more. Each part is looked at anew before."""
        if self._are_elsewhere():
            return [left]
        if len(left) > 1:
            return [left[len(left) // 2 :], left[: len(left) // 2]]
        alone = [change for change in left if change.place not in self._doubted]
        self._doubted |= {change.place for change in alone}
        return [alone] if alone else []

    def _are_elsewhere(self) -> bool:
        """Have other sheets some of the tags that were asked for? Then these are not asked for again."""
        unknown, self._wanted = {tag for tag in self._wanted if tag not in self._asked}, ()
        try:
            elsewhere = self._book.elsewhere(unknown, self._sheet)
        except ConnectorError:
            return False  # the part's next request says what is the matter
        self._asked |= {tag: tag in elsewhere for tag in unknown}
        return bool(elsewhere)

    def _break_off(
        self, error: ConnectorError, part: Sequence[Change], later: Sequence[Sequence[Change]]
    ) -> None:
        """Google cannot go on. What was not sent was surely not applied."""
        if not (self._settled or self._owed):
            raise error
        left = [change for change in part if change.place not in self._settled]
        self._note(left, "unknown" if isinstance(error, Unknown) else "transient", error.code)
        for changes in later:
            self._note(changes, "transient", error.code)

    def _settle(self, part: Sequence[Change]) -> None:
        owed = {place: change for place, change in self._open.items() if place in self._owed}
        self._open = owed | {change.place: _both(owed.get(change.place), change) for change in part}
        for _ in range(ROUNDS):
            layout = self._layout or self._look()
            self._layout = None  # the next round, and the next part, look again
            self._round(layout)
            if not self._open:
                return
        self._note(list(self._open.values()), "transient", "sheet_is_moving")

    def _look(self) -> Layout:
        return _whole(self._book.grid(self._sheet).layout(self._table))

    def _round(self, layout: Layout) -> None:
        elsewhere = {tag for tag, there in self._asked.items() if there}
        made = plan(layout, list(self._open.values()), elsewhere)
        self._note(made.done, "done")
        for change, code in made.refused:
            self._note([change], "rejected", code)
        self._wanted = [tag for _, tag in (*made.fresh, *made.stray)]
        seen = self._added_to(layout, made) if self._wanted else None
        self._wanted = ()
        if seen is not None and made.stray:
            layout = _whole(seen)
            made.put |= settled(layout, made.stray)
        if made.put:
            self._put(layout, made.put)

    def _added_to(self, layout: Layout, made: Plan) -> Layout | None:
        """Add rows and tags: the sheet right after, or of it the rows that were added. None if it is full."""
        rows = range(layout.end, layout.end + len(made.fresh))
        steps = list(acts(layout, made))
        try:
            grid = self._book.change_and_see(steps, layout.grid, None if made.stray else rows)
        except Rejected as refused:
            if refused.code != "spreadsheet_full" or not made.fresh:
                raise
            self._note([change for change, _ in made.fresh], "rejected", refused.code)
            return None
        seen = grid.layout(self._table)
        if were_moved(layout, grid.header):
            self._move(layout, seen, made.fresh)
            return seen
        for row, (change, _) in zip(rows, made.fresh, strict=True):
            self._added[change.place] = change
            cells = change.all.items()
            if all(same(cell, grid.cell(row, layout.at[name])) for name, cell in cells):
                self._note([change], "done")
            else:
                self._note([change], "rejected", "stored_differently")
        return seen

    def _move(self, layout: Layout, seen: Layout, added: Sequence[tuple[Change, int]]) -> None:
        """People changed the columns in that moment: what is in new rows moves to where it belongs."""
        rows: dict[int, Cells] = {}
        for change, tag in added:
            meant: Cells = {} if seen.missing or seen.doubled else by_column(seen, change.all)
            rows[tag] = {**dict.fromkeys(by_column(layout, change.all), ""), **meant}
        if rows:
            self._book.put(put(seen.grid, rows))

    def _put(self, layout: Layout, changes: Mapping[int, Change]) -> None:
        rows = {tag: by_column(layout, change.cells) for tag, change in changes.items()}
        header: Values | None = None
        found: dict[int, Values] = {}
        for each in self._book.put(put(layout.grid, rows)):
            values = (each.get("updatedData", {}).get("values") or [[]])[0]
            tag = each.get("dataFilter", {}).get("developerMetadataLookup", {}).get("metadataId")
            if tag is None:
                header = values or None
            else:
                found[tag] = values
        names = [] if header is None else [text_of(cell) for cell in header]
        if header is not None and were_moved(layout, names):
            self._put_right(layout, names, changes)
            return
        for tag, change in changes.items():
            self._verify(layout, change, found.get(tag))

    def _put_right(self, layout: Layout, header: Sequence[str], changes: Mapping[int, Change]) -> None:
        """People inserted a column in that moment: what was met by mistake gets back what it held."""
        self._harm |= {change.place: "columns_were_moved" for change in changes.values()}
        rows: dict[int, Cells] = {}
        whole: list[Place] = []
        for tag, change in changes.items():
            written = by_column(layout, change.cells)
            rows[tag] = held_before(layout, header, layout.rows[change.place][0], written)
            if len(rows[tag]) == len(written):
                whole.append(change.place)
        self._book.put(put(layout.grid, rows))
        for place in whole:
            del self._harm[place]

    def _verify(self, layout: Layout, change: Change, row: Values | None) -> None:
        """Is the row that was written the one that was meant, and does it hold what was sent?"""
        if row is None:
            self._note([change], "unknown", "no_answer_for_item")
            return
        place = tuple(_text(row, layout.at[name]) for name in layout.table.key)
        if place != change.place:
            self._give_back(layout, change, place)
        elif all(same(cell, _at(row, layout.at[name])) for name, cell in change.cells.items()):
            self._note([change], "done")
        else:
            self._note([change], "rejected", "stored_differently")

    def _give_back(self, layout: Layout, meant: Change, place: Place) -> None:
        """People sorted in that moment: the row of `place` now holds what was meant for another one."""
        held = self._held(layout, place, list(meant.cells))
        if held is None:
            self._harm[meant.place] = "row_was_moved"
            return
        self._owed[place] = meant.place
        back = Change(place, {}, held)
        self._open[place] = _both(back, self._open[place]) if place in self._open else back

    def _held(self, layout: Layout, place: Place, names: Sequence[str]) -> Mapping[str, Scalar] | None:
        """What these cells of a row held before; None if nobody knows."""
        if place in self._added:
            return {name: self._added[place].cells.get(name, "") for name in names}
        rows = layout.rows.get(place, ())
        if len(rows) != 1:
            return None
        cells = {name: layout.grid.cell(rows[0], layout.at[name]) for name in names}
        known = {
            name: "" if cell is None else cell
            for name, cell in cells.items()
            if not isinstance(cell, Formula)
        }
        return known if len(known) == len(cells) else None

    def _note(self, changes: Sequence[Change], state: State, code: str = "") -> None:
        for change in changes:
            self._open.pop(change.place, None)
            if change.items:
                self._settled[change.place] = (state, code)
            if state == "done":
                self._owed.pop(change.place, None)

    def _outcome(self, place: Place) -> tuple[State, str]:
        if place in self._owed.values():
            return "rejected", "row_was_moved"
        if place in self._harm:
            return "rejected", self._harm[place]
        return self._settled[place]


def _both(first: Change | None, then: Change) -> Change:
    """Both changes of one row: what the second one sets, and what only the first one does."""
    cells = then.cells if first is None else {**first.cells, **then.cells}
    return Change(then.place, then.key, cells, then.items)


def _whole(layout: Layout) -> Layout:
    if layout.missing or layout.keyless:
        raise Transient("sheet_is_moving", "sheets: people change the header; try again")
    return layout


def _in_parts(changes: Sequence[Change]) -> Iterator[list[Change]]:
    part: list[Change] = []
    size = 0
    for change in changes:
        if part and size + change.size > PART:
            yield part
            part, size = [], 0
        part.append(change)
        size += change.size
    if part:
        yield part


def _at(row: Values, column: int) -> JsonValue:
    return row[column] if column < len(row) else None


def _text(row: Values, column: int) -> str:
    return text_of(_at(row, column))
