"""What people do in a spreadsheet, while programs do, too."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager

from pydantic import JsonValue

from connectors.sandbox.sheets.state import Row, Sheet, Spreadsheet, plain, row_of, typed


class People:
    """Hands on one spreadsheet. Rows count from 0, the header being row 0; columns are named by their header.

    tags_follow: whether developer metadata moves with the cells when people sort. Google does not say; a
        program must do with both.
    """

    def __init__(self, book: Spreadsheet, lock: AbstractContextManager[object] | None = None) -> None:
        self.book = book
        self.tags_follow = False
        self._lock = lock or threading.Lock()

    def add_sheet(self, title: str, rows: Sequence[Sequence[JsonValue]] = (), *, height: int = 50) -> None:
        with self._lock:
            made = [row_of(row) for row in rows] + [Row() for _ in range(height - len(rows))]
            self.book.sheets.append(Sheet(100 + len(self.book.sheets), title, rows=made))

    def rename_sheet(self, title: str, to: str) -> None:
        with self._lock:
            self.book.titled(title).title = to

    def type(self, title: str, row: int, column: int, value: JsonValue) -> None:
        """Enter something by hand: it may become a number or a formula. None empties the cell."""
        with self._lock:
            sheet = self.book.titled(title)
            sheet.width = max(sheet.width, column + 1)
            cells = sheet.rows[row].cells
            made = None if value is None else typed(value)
            if made is None:
                cells.pop(column, None)
            else:
                cells[column] = made

    def sort(self, title: str, name: str, *, down: bool = False) -> None:
        """Sort the rows below the header by a column; blank cells are last."""
        with self._lock:
            sheet, column = self.book.titled(title), self.column(title, name)
            rows = sheet.rows[1:]

            def by(row: Row) -> str:
                return str(plain(row.cells.get(column)))

            ordered = sorted((row for row in rows if by(row)), key=by, reverse=down)
            ordered += [row for row in rows if not by(row)]
            if self.tags_follow:
                sheet.rows[1:] = ordered
            else:
                for row, cells in zip(rows, [dict(row.cells) for row in ordered], strict=True):
                    row.cells = cells

    def insert_row(self, title: str, at: int, cells: Sequence[JsonValue] = ()) -> None:
        with self._lock:
            self.book.titled(title).rows.insert(at, row_of(cells))

    def delete_row(self, title: str, at: int) -> None:
        with self._lock:
            del self.book.titled(title).rows[at]

    def insert_column(self, title: str, at: int, name: JsonValue = None) -> None:
        with self._lock:
            sheet = self.book.titled(title)
            sheet.insert_columns(at, 1)
            made = None if name is None else typed(name)
            if made is not None:
                sheet.rows[0].cells[at] = made

    def delete_column(self, title: str, name: str) -> None:
        with self._lock:
            self.book.titled(title).delete_column(self.column(title, name))

    def column(self, title: str, name: str) -> int:
        """The number of the column with that header."""
        header = self.book.titled(title).rows[0].cells
        return next(column for column, cell in header.items() if plain(cell) == name)

    def look(self, title: str) -> list[list[JsonValue]]:
        """What stands there, formulas as they are written, without the blanks at the end."""
        with self._lock:
            sheet = self.book.titled(title)
            rows = [
                [_shown(row.cells.get(column)) for column in range(max(row.cells, default=-1) + 1)]
                for row in sheet.rows
            ]
        while rows and not rows[-1]:
            rows.pop()
        return rows

    def records(self, title: str) -> list[dict[str, JsonValue]]:
        """The rows below the header, by the header's names; blank cells are absent."""
        header, *rows = self.look(title) or [[]]
        return [
            {str(name): cell for name, cell in zip(header, row, strict=False) if cell is not None and name}
            for row in rows
            if row
        ]


def _shown(cell: Mapping[str, JsonValue] | None) -> JsonValue:
    return None if cell is None else next(iter(cell.values()))
