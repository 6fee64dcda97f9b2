"""One sheet as a target: batches of items become rows, and give one outcome for each item."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from connectors.errors import Rejected, Transient
from connectors.operation import Arguments, Item, Outcome
from connectors.sheets.acts import HEIGHT, Act, new_columns, new_sheet, sheet_id
from connectors.sheets.book import Book
from connectors.sheets.cells import unstorable, value_of
from connectors.sheets.grid import ROOM, Grid, Layout, place_of
from connectors.sheets.plan import change_of, plan
from connectors.sheets.writing import Writing
from connectors.tabular import Drift, Key, Rows, Table
from connectors.values import Value

MAKINGS: Final = 3  # of columns, while other runs make some of them


class Tab:
    """A declared table in one spreadsheet.

    clear_empty: an empty text is written as a blank cell; it is refused otherwise, for Sheets cannot tell it
        from null.
    """

    def __init__(self, book: Book, table: Table, title: str, *, clear_empty: bool) -> None:
        self.table = table
        self.rows = Rows(table)
        self._book = book
        self._title = title
        self._clear_empty = clear_empty

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows. Raises Transient or Unauthorized if nothing was applied, or Unknown."""
        with self._book.lock:
            self._book.private()
            try:
                layout = self._made()
            except Rejected as error:
                return [Outcome(item.key, "rejected", error.code) for item in items]
            records, outcomes = self.rows.records(items, self._objection(layout))
            changes = [change_of(self.table, record) for record in records]
            return outcomes + Writing(self._book, layout).deliver(changes)

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the sheet as it is now, as far as Google is not needed to say so."""
        self._book.private()
        empty = Grid(sheet_id(self._title), self._title, HEIGHT, len(self.table.columns), [])
        grid = self._book.grid_of(self._title) or empty
        layout = grid.layout(self.table)
        if layout.keyless and not grid.blank:
            return [Outcome(item.key, "rejected", "schema_drift") for item in items]
        records, outcomes = self.rows.records(items, self._objection(layout))
        refused = plan(layout.completed, [change_of(self.table, record) for record in records]).refused
        return outcomes + [
            Outcome(item, "rejected", code) for change, code in refused for item in change.items
        ]

    def room(self) -> int:
        """For how many new rows the sheet has room now: each takes a character of its metadata."""
        grid = self._book.grid_of(self._title)
        return ROOM - (0 if grid is None else grid.used)

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        self._book.private()
        grid = self._book.grid_of(self._title)
        keys = self.rows.keys(items)
        layout = None if grid is None else grid.layout(self.table)
        if layout is None or layout.keyless:
            return dict.fromkeys(keys)
        return {item.key: self._held(layout, keys[item.key], item.arguments) for item in items}

    def make(self) -> None:
        """Make the sheet if it is not there, and add the columns that are not. Raises as a write does."""
        with self._book.lock:
            self._book.private()
            self._made()

    def drift(self) -> list[Drift]:
        """How the header differs from what was declared. A sheet that is not there does not differ."""
        grid = self._book.grid_of(self._title)
        if grid is None or grid.blank:
            return []
        layout, name = grid.layout(self.table), self.table.name
        bad = {*layout.missing, *layout.doubled}
        return [
            *(Drift(name, each, "missing_key") for each in self.table.key if each in bad),
            *(Drift(name, each, "missing_column") for each in self.table.plain if each in layout.missing),
            *(Drift(name, each, "wrong_type") for each in self.table.plain if each in layout.doubled),
            *(
                Drift(name, each, "extra_column")
                for each in grid.header
                if each and each not in self.table.columns
            ),
        ]

    def _made(self) -> Layout:
        """The sheet with all its columns, as it is now."""
        refused: Rejected | None = None
        grid = self._book.grid_of(self._title)
        if grid is None:
            refused = self._tried(new_sheet(self._title, list(self.table.columns)))
            grid = self._book.grid_of(self._title)
        if grid is None:
            raise refused or Transient("sheet_is_moving", "sheets: the sheet was taken away; try again")
        layout = grid.layout(self.table)
        if layout.keyless and not grid.blank:
            raise Rejected("schema_drift", "sheets: the header lacks a key column or has it twice")
        for _ in range(MAKINGS):
            if not layout.missing:
                break
            refused = self._tried(new_columns(layout.grid, layout.missing))
            layout = self._book.grid(grid.sheet).layout(self.table)
        if layout.missing or layout.keyless:
            raise refused or Transient("sheet_is_moving", "sheets: people change the header; try again")
        return layout

    def _tried(self, acts: Iterator[Act]) -> Rejected | None:
        """Make something. What another run made in the same moment is refused: a look tells."""
        try:
            self._book.change(list(acts))
        except Rejected as refused:
            return refused
        return None

    def _objection(self, layout: Layout) -> Callable[[Key, dict[str, Value]], str | None]:
        def refused(key: Key, values: dict[str, Value]) -> str | None:
            if any(name in layout.doubled for name in values):
                return "schema_drift"
            for name, value in values.items():
                code = unstorable(value, self.table.columns[name].type)
                if code is not None and not (code == "empty_text" and self._clear_empty):
                    return code
            return None

        return refused

    def _held(self, layout: Layout, key: Key | None, arguments: Arguments) -> Arguments | None:
        rows = () if key is None else layout.rows.get(place_of(key), ())
        if not rows:
            return None
        return {name: self._value(layout, rows[0], name, arguments[name]) for name in arguments}

    def _value(self, layout: Layout, row: int, name: str, asked: JsonValue) -> JsonValue:
        cell = layout.grid.cell(row, layout.at[name]) if name in layout.at else None
        if cell is None and asked == "" and self._clear_empty:
            return ""
        return value_of(cell, self.table.columns[name].type)
