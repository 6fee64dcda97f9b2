"""Where a workbook is, and where in it a table is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from connectors.base import Settings
from connectors.tabular import Table

ROWS, COLUMNS = 1_048_576, 16_384  # of a sheet
LONGEST = 255  # characters of a list's header
_UNFIT = re.compile(r"[\x00-\x09\x0b-\x1f\ufffe\uffff]")  # in a header: it may have several lines
_SHEET = re.compile(r"(?!')[^\[\]:*?/\\\x00-\x1f]{1,31}(?<!')")


def _workbook(path: Path) -> Path:
    if path.suffix.lower() != ".xlsx" or path.name.startswith((".", "~")):
        raise ValueError("not the name of an .xlsx workbook")
    return path


def _sheet(name: str) -> str:
    if name and not _SHEET.fullmatch(name):
        raise ValueError("a sheet's name has at most 31 characters, and none of [ ] : * ? / \\")
    return name


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as unknown:
        raise ValueError("not the name of a time zone") from unknown
    return name


class ExcelCredentials(Settings):
    file: Annotated[Path, AfterValidator(_workbook)]  # the workbook; it is made if it is not there


def _header(text: str) -> str:
    if len(text) > LONGEST or _UNFIT.search(text):
        raise ValueError(f"a header has at most {LONGEST} characters, and no control characters")
    return text.strip()  # as it is looked for


class SheetOptions(Settings):
    """Where a table is. headers: what people call a column, where that is not its name."""

    sheet: Annotated[str, AfterValidator(_sheet)] = ""  # the table's name without it
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    headers: dict[str, Annotated[str, AfterValidator(_header)]] = Field(default_factory=dict[str, str])


class ExcelOptions(Settings):
    """timezone: an IANA name. Excel knows no zones: times are written in this one, and headers name it."""

    sheets: dict[str, SheetOptions] = Field(default_factory=dict[str, SheetOptions])
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"


class Arranged(Settings):
    """The tables and where they are: refused if they do not go together."""

    tables: tuple[Table, ...]
    options: ExcelOptions

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        for trouble in self._troubles():
            raise ValueError(trouble)
        return self

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.options.timezone)

    def place(self, table: Table) -> SheetOptions:
        return self.options.sheets.get(table.name, SheetOptions())

    def sheet(self, table: Table) -> str:
        return self.place(table).sheet or table.name

    def headers(self, table: Table) -> dict[str, str]:
        """What stands over each column."""
        named = self.place(table).headers
        zone = self.options.timezone
        return {
            name: named.get(name) or (f"{name} ({zone})" if column.type == "datetime" else name)
            for name, column in table.columns.items()
        }

    def _troubles(self) -> Iterator[str]:
        sheets = [self.sheet(table).lower() for table in self.tables]
        if len(set(sheets)) < len(sheets):
            yield "two tables have the same sheet"
        if not all(_SHEET.fullmatch(sheet) for sheet in sheets):
            yield "a table's name is too long for a sheet; name one in the options"
        known = {table.name: table.columns for table in self.tables}
        for name, place in self.options.sheets.items() if self.tables else ():
            if not place.headers.keys() <= known.get(name, {}).keys():
                yield f"options name a table or column that is not declared: {name}"
        for table in self.tables:
            headers = list(self.headers(table).values())
            if len(set(headers)) < len(headers) or "" in headers:
                yield f"two columns of {table.name} have the same header, or one has none"
