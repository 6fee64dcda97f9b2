"""One table's sheet: which column is where, which row is whose. Rows without a key are people's own."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from openpyxl.cell.cell import MergedCell
from openpyxl.utils.cell import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.excel import cells
from connectors.excel.book import Book, Grid, there
from connectors.excel.options import COLUMNS, ROWS
from connectors.tabular import Drift, Record, Table
from connectors.values import Value

LOOK = "_style"  # of a cell, in openpyxl: all of it at once, which is ten times faster than by aspects

Place = tuple[JsonValue, ...]
"""A row's key as it is read."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table is in its sheet, and how times are written there."""

    table: Table
    sheet: str
    header_row: int
    headers: Mapping[str, str]  # by column
    zone: ZoneInfo


class Page:
    """A sheet as it is read. Rows and columns count from 1."""

    def __init__(self, layout: Layout, grids: Mapping[str, Grid]) -> None:
        self.layout = layout
        self.grid = next(
            (grid for name, grid in grids.items() if name.lower() == layout.sheet.lower()), Grid()
        )
        self.header = self._header()
        self.at = {
            name: self.header.index(header) + 1
            for name, header in layout.headers.items()
            if header in self.header
        }

    @property
    def is_empty(self) -> bool:
        return not any(cell != "" for row in self.grid for cell in row)

    @property
    def last_row(self) -> int:
        """The last row that holds anything."""
        filled = (number for number, row in enumerate(self.grid, 1) if any(cell != "" for cell in row))
        return max(filled, default=0)

    def _header(self) -> list[str]:
        at = self.layout.header_row - 1
        row = self.grid[at] if at < len(self.grid) else []
        return [cell.strip() if isinstance(cell, str) else "" for cell in row]

    def drift(self) -> Iterator[Drift]:
        """How the header differs from what was declared. An empty sheet does not differ."""
        layout, table = self.layout, self.layout.table
        if self.is_empty:
            return
        for name, header in layout.headers.items():
            if name not in self.at:
                yield Drift(table.name, name, "missing_key" if name in table.key else "missing_column")
            elif self.header.count(header) > 1:
                yield Drift(table.name, name, "missing_key" if name in table.key else "wrong_type")
        known = set(layout.headers.values())
        for header in self.header:
            if header and header not in known:
                yield Drift(table.name, header, "extra_column")

    def lacks(self, code: str) -> frozenset[str]:
        return frozenset(drift.column for drift in self.drift() if drift.code == code)

    def rows(self) -> dict[Place, list[int]]:
        """The rows of each key; more than one is an error of that key's."""
        if self.lacks("missing_key") or self.is_empty:
            return {}
        found: dict[Place, list[int]] = {}
        for number in range(self.layout.header_row + 1, len(self.grid) + 1):
            place = tuple(self.value(number, name) for name in self.layout.table.key)
            if None not in place:
                found.setdefault(place, []).append(number)
        return found

    def value(self, row: int, column: str) -> JsonValue:
        """A cell of a declared column; None where there is no such column."""
        line = self.grid[row - 1]
        at = self.at.get(column, len(line) + 1) - 1
        kind = self.layout.table.columns[column].type
        return cells.read(line[at], kind, self.layout.zone) if at < len(line) else None


class Merge:
    """Rows on their way into a page."""

    def __init__(self, page: Page, book: Book) -> None:
        layout = page.layout
        self._page, self._book, self._layout = page, book, layout
        if page.lacks("missing_key"):
            raise Rejected("schema_drift", "excel: the sheet's header lacks a key column, or has it twice")
        self._sheet = book.sheet(layout.sheet)
        self._rows = page.rows()
        self._at = dict(page.at)
        self._keys = [self._at[name] for name in layout.table.key if name in self._at]
        self._formulas = _formulas(self._sheet)
        if any(column in self._keys and row > layout.header_row for row, column in self._formulas):
            raise Rejected("formula_in_key", "excel: a key column holds a formula; put values there")
        self._next = max([page.last_row, layout.header_row, *(row for row, _ in self._formulas)]) + 1
        self._fixed = self._complete_header()

    def _complete_header(self) -> frozenset[str]:
        """Add what the header lacks, at its right. Returns the columns that cannot be written."""
        missing = [name for name in self._layout.headers if name not in self._at]
        doubled = self._page.lacks("wrong_type")
        if missing and self._list_ends() is not None:  # a list's columns are Excel's to add
            return doubled | set(missing)
        wide = (len(row) for row in self._page.grid)
        at = max([0, *wide, *(column for _, column in self._formulas)])
        for name in missing:
            at += 1
            while self._is_merged(at):
                at += 1
            if at > COLUMNS:
                raise Rejected("sheet_full", "excel: the sheet has no column left; take some out")
            cell = self._book.change(self._sheet, self._layout.header_row, at)
            cells.put(cell, self._layout.headers[name], "str", self._layout.zone)
            self._at[name] = at
        return doubled

    def _is_merged(self, column: int) -> bool:
        row = self._layout.header_row
        return any(
            f.min_col <= column <= f.max_col and f.min_row <= row for f in self._sheet.merged_cells.ranges
        )

    def _list_ends(self) -> tuple[str, int] | None:
        """The list (Excel's own "table") whose header is ours: its name and its last row."""
        for listed in self._sheet.tables.values():
            left, first, right, last = (int(bound or 0) for bound in range_boundaries(str(listed.ref)))
            ours = bool(self._keys) and all(left <= key <= right for key in self._keys)
            if ours and first == self._layout.header_row:
                return str(listed.name), last
        return None

    def write(self, record: Record) -> str | None:
        """Put a row where it belongs. Returns why that cannot be, as a code, or None."""
        values = record.values
        if self._fixed & values.keys():
            return "schema_drift"
        rows = self._rows.get(record.key, [])
        if len(rows) > 1:
            return "doubled_key"
        row = rows[0] if rows else self._next
        for name in values:
            if code := self._objection(row, self._at[name]):
                return code
        if not rows and (code := self._append(record)):
            return code
        self._set(row, values)
        return None

    def _objection(self, row: int, column: int) -> str | None:
        cell = self._sheet.cell(row, column)
        if isinstance(cell, MergedCell):
            return "merged_cell"
        return "formula_there" if cell.data_type == "f" else None

    def _append(self, record: Record) -> str | None:
        row, ends = self._next, self._list_ends()
        if row > ROWS:
            return "sheet_full"
        if ends and ends[1] == row - 1:
            listed = self._sheet.tables[ends[0]]
            if listed.totalsRowCount:
                return "totals_row"
            listed.ref = _grown(listed.ref, row)
            if listed.autoFilter is not None:
                listed.autoFilter.ref = listed.ref
        if row - 1 > self._layout.header_row:
            self._dress(row)
        self._next += 1
        self._rows[record.key] = [row]
        self._set(row, dict(zip(self._layout.table.key, record.key, strict=True)))
        return None

    def _dress(self, row: int) -> None:
        """A new row looks like the one above it."""
        for column in self._at.values():
            above, cell = self._sheet.cell(row - 1, column), self._sheet.cell(row, column)
            if above.has_style and not cell.has_style and not isinstance(cell, MergedCell):
                setattr(cell, LOOK, copy(getattr(above, LOOK)))
                cell.quotePrefix = False

    def _set(self, row: int, values: Mapping[str, Value]) -> None:
        columns = self._layout.table.columns
        for name, value in values.items():
            cell = self._book.change(self._sheet, row, self._at[name])
            cells.put(cell, value, columns[name].type, self._layout.zone)


def _formulas(sheet: Worksheet) -> list[tuple[int, int]]:
    """Where a sheet has formulas. One that was not calculated yet shows nothing, but is there."""
    return [(int(cell.row or 0), int(cell.column or 0)) for cell in there(sheet) if cell.data_type == "f"]


def _grown(ref: str, row: int) -> str:
    start, end = ref.split(":")
    return f"{start}:{end.rstrip('0123456789')}{row}"
