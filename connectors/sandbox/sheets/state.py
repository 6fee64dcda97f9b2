"""A spreadsheet as Google keeps it: sheets of rows, cells, and developer metadata that sticks to rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

Value = Mapping[str, JsonValue]
"""What was entered into a cell: {"stringValue": …}, or a numberValue, boolValue or formulaValue."""

CELLS: Final = 10_000_000  # of one spreadsheet
CHARACTERS: Final = 50_000  # of one cell
METADATA: Final = 30_000  # characters of one sheet's metadata


class Refusal(Exception):
    """Google answers with an error. Its text quotes what was sent, as Google's does."""

    def __init__(self, status: int, word: str, text: str, reason: str = "") -> None:
        super().__init__(text)
        self.status, self.word, self.reason = status, word, reason


def invalid(text: str) -> Refusal:
    return Refusal(400, "INVALID_ARGUMENT", text)


@dataclass(frozen=True, slots=True)
class Tag:
    """Developer metadata of a row."""

    id: int
    key: str
    value: str = ""

    @property
    def size(self) -> int:
        return len(self.key) + len(self.value)

    def shown(self) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {"metadataId": self.id, "metadataKey": self.key}
        return found | ({"metadataValue": self.value} if self.value else {})


@dataclass(slots=True)
class Row:
    """One row: its cells by column, and the metadata that is on it."""

    cells: dict[int, Value] = field(default_factory=dict[int, Value])
    tags: list[Tag] = field(default_factory=list[Tag])

    def copy(self) -> "Row":
        return Row(dict(self.cells), list(self.tags))


@dataclass
class Sheet:
    """One sheet of a spreadsheet."""

    id: int
    title: str
    width: int = 26
    rows: list[Row] = field(default_factory=list[Row])
    frozen: int = 0

    @property
    def height(self) -> int:
        return len(self.rows)

    def metadata(self) -> int:
        """Characters of metadata on its rows."""
        return sum(tag.size for row in self.rows for tag in row.tags)

    def copy(self) -> "Sheet":
        return Sheet(self.id, self.title, self.width, [row.copy() for row in self.rows], self.frozen)

    def insert_columns(self, at: int, count: int) -> None:
        self.width += count
        for row in self.rows:
            row.cells = {column + (count if column >= at else 0): cell for column, cell in row.cells.items()}

    def delete_column(self, at: int) -> None:
        self.width -= 1
        for row in self.rows:
            row.cells = {column - (column > at): cell for column, cell in row.cells.items() if column != at}


@dataclass
class Spreadsheet:
    """One file."""

    id: str
    sheets: list[Sheet] = field(default_factory=list[Sheet])

    def copy(self) -> "Spreadsheet":
        return Spreadsheet(self.id, [sheet.copy() for sheet in self.sheets])

    def titled(self, title: str) -> Sheet:
        for sheet in self.sheets:
            if sheet.title == title:
                return sheet
        raise invalid(f"Unable to parse range: {title}")

    def sheet(self, id_: int) -> Sheet:
        for sheet in self.sheets:
            if sheet.id == id_:
                return sheet
        raise invalid(f"No grid with id: {id_}")

    def tagged(self) -> dict[int, tuple[Sheet, Row]]:
        """Where each metadata's id is: it is there once."""
        return {tag.id: (sheet, row) for sheet in self.sheets for row in sheet.rows for tag in row.tags}

    def check_size(self) -> None:
        if sum(sheet.width * sheet.height for sheet in self.sheets) > CELLS:
            raise invalid(f"This action would increase the number of cells above the limit of {CELLS} cells.")


def entered(value: JsonValue) -> Value | None:
    """A value as it was typed by a program, raw; None for a blank cell."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int | float):
        return {"numberValue": float(value)}
    if not isinstance(value, str):
        raise invalid(f"Invalid values: {value}")
    if len(value) > CHARACTERS:
        raise invalid(f"Your input contains more than the maximum of {CHARACTERS} characters: {value[:40]}")
    return {"stringValue": value} if value else None


def typed(value: JsonValue) -> Value | None:
    """The same as a person types it: a formula is one, and what looks like a number becomes one."""
    if isinstance(value, str) and value.startswith(("=", "+")):
        return {"formulaValue": value}
    if isinstance(value, str):
        try:
            return {"numberValue": float(value)}
        except ValueError:
            return entered(value.removeprefix("'"))
    return entered(value)


def plain(value: Value | None) -> JsonValue:
    """What UNFORMATTED_VALUE shows. A formula's result is not worked out."""
    if value is None:
        return ""
    if "formulaValue" in value:
        return "#N/A"
    return next(iter(value.values()))


def row_of(cells: Sequence[JsonValue]) -> Row:
    """A row as a person types it."""
    made = ((column, typed(cell)) for column, cell in enumerate(cells) if cell is not None)
    return Row({column: cell for column, cell in made if cell is not None})
