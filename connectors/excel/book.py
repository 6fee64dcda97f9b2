"""A workbook in memory: changed by openpyxl, read by calamine, and compared before it is given out."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.reader.excel import ExcelReader
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter
from python_calamine import CalamineError, CalamineWorkbook

from connectors.errors import Rejected
from connectors.excel.cells import Raw, escaped
from connectors.excel.kept import bad, look, sound

Grid = list[list[Raw]]
"""A sheet's cells by row and column, from A1 on."""

_LIKE_ESCAPE = re.compile(r"_x[0-9A-Fa-f]{4}_")
DATES: Final = ("_date_formats", "_timedelta_formats")  # of a workbook, in openpyxl
RELATIONS: Final = "_rels"  # of a sheet, there: its links, lists and comments
CELLS: Final = "_cells"  # of a sheet, there: iter_rows would make all those that are not there, too


def grids(content: bytes | None) -> dict[str, Grid]:
    """What every sheet shows. Raises Rejected for what is no workbook."""
    if content is None:
        return {}
    sound(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names
        }
    except (CalamineError, OSError, ValueError):
        pass  # outside of the `except`: that error may carry content
    raise bad("no workbook of .xlsx, or an encrypted one")


class Book:
    """One workbook, to be changed and saved."""

    def __init__(self, content: bytes | None) -> None:
        """Raises Rejected for what is no workbook, or could not be kept whole."""
        self.grids = grids(content)
        self._changed: set[tuple[str, int, int]] = set()
        if content is None:
            self._book = Workbook()
            self._book.remove(self._book.worksheets[0])
            return
        look(content)
        self._book = _opened(content)
        for sheet in self._book.worksheets:
            _restore(sheet, self.grids[sheet.title])

    def sheet(self, name: str) -> Worksheet:
        """The sheet of that name; it is made if it is not there."""
        for sheet in self._book.worksheets:
            if sheet.title.lower() == name.lower():
                return sheet
        self.grids.setdefault(name, [])
        made: Worksheet = self._book.create_sheet(name)
        return made

    def change(self, sheet: Worksheet, row: int, column: int) -> Cell:
        """A cell that is about to be changed."""
        self._changed.add((sheet.title, row, column))
        return cast(Cell, sheet.cell(row, column))

    @property
    def is_changed(self) -> bool:
        return bool(self._changed)

    def saved(self) -> bytes:
        """The new workbook. Raises Rejected if any other cell would not be what it was."""
        self._book.calculation.fullCalcOnLoad = True  # the values that formulas had are not kept
        content = _written(self._book)
        after = grids(content)
        for sheet in self._book.worksheets:
            for row, column in _differing(self.grids[sheet.title], after[sheet.title]):
                cell = sheet.cell(row, column)
                if (sheet.title, row, column) not in self._changed and cell.data_type != "f":
                    where = f"cell {cell.coordinate} of sheet {self._book.index(sheet) + 1}"
                    raise Rejected("would_be_lost", f"excel: {where} could not be kept; nothing was changed")
        return content


class _Reader(ExcelReader):
    """As openpyxl's own, but numbers that look like dates stay numbers: it would round and shift them."""

    def read_worksheets(self) -> None:
        for formats in DATES:
            setattr(self.wb, formats, set[int]())
        super().read_worksheets()


class _Writer(ExcelWriter):
    """As openpyxl's own, but in memory: a file in the machine's temporary folder would hold patient data."""

    def __init__(self, book: Workbook, archive: zipfile.ZipFile) -> None:
        super().__init__(book, archive)
        self._parts = archive

    def write_worksheet(self, ws: Worksheet) -> None:
        part = io.BytesIO()
        writer = WorksheetWriter(ws, part)
        writer.write()
        setattr(ws, RELATIONS, getattr(writer, RELATIONS))
        self._parts.writestr(ws.path[1:], part.getvalue())
        self.manifest.append(ws)  # pyright: ignore[reportUnknownMemberType]  # untyped


def there(sheet: Worksheet) -> Sequence[Cell | MergedCell]:
    """The cells of a sheet that hold something or have a format."""
    cells: Mapping[tuple[int, int], Cell | MergedCell] = getattr(sheet, CELLS)
    return tuple(cells.values())


def _written(book: Workbook) -> bytes:
    target = io.BytesIO()
    _Writer(book, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED)).save()  # which closes it
    return target.getvalue()


def _opened(content: bytes) -> Workbook:
    """The workbook. What openpyxl warns of, it would lose."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", category=UserWarning, module="openpyxl")
            warnings.filterwarnings("ignore", message="Workbook contains no default style", module="openpyxl")
            reader = _Reader(io.BytesIO(content), rich_text=True)
            reader.read()
            return reader.wb
    except UserWarning:
        code, what = "would_be_lost", "excel: the workbook has settings or dates that cannot be kept"
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        code, what = "bad_file", "excel: the workbook cannot be read"
    raise Rejected(code, f"{what}; save it anew in Excel, or let Ferry write to another one")


def _restore(sheet: Worksheet, grid: Grid) -> None:
    """Spell cells as they were: openpyxl takes one escape out of a text, and writes a link where none was."""
    for cell in there(sheet):
        if cell.data_type != "s" or isinstance(cell, MergedCell):
            continue
        raw = _cell(_row(grid, int(cell.row or 0) - 1), int(cell.column or 0) - 1)
        if cell.hyperlink is not None and raw == "":
            cell.value = None
        elif _LIKE_ESCAPE.search(str(cell.value)):
            if isinstance(cell.value, CellRichText) or not isinstance(raw, str):
                raise Rejected("would_be_lost", "excel: a formatted text holds _x…_; write it without")
            cell.value = escaped(raw)
            cell.data_type = "s"


def _differing(before: Grid, after: Grid) -> Iterator[tuple[int, int]]:
    """The rows and columns, from 1, of cells that are not what they were."""
    for row in range(max(len(before), len(after))):
        old, new = _row(before, row), _row(after, row)
        for column in range(max(len(old), len(new))):
            one, other = _cell(old, column), _cell(new, column)
            if type(one) is not type(other) or one != other:
                yield row + 1, column + 1


def _row(grid: Grid, row: int) -> Sequence[Raw]:
    return grid[row] if row < len(grid) else ()


def _cell(row: Sequence[Raw], column: int) -> Raw:
    return row[column] if column < len(row) else ""
