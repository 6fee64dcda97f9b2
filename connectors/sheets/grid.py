"""One sheet as it was read, all of it at one moment: its header, its rows, and our tags on them.

A row is recognised by its key cells, never by its number and never by its tag: people sort, insert and
delete, and Google does not say whether metadata goes with the cells when they sort. The tag is developer
metadata on the row, whose id is made from the key. It does two things. A row is written by its tag, so that
the write meets the row wherever it is by then; and Google refuses a second tag of one id, so that no row is
added twice, not even by a request that was thought lost.
"""

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Final

from connectors.sheets.answers import SheetData
from connectors.sheets.cells import Held, held, text_of
from connectors.tabular import Key, Table
from connectors.values import as_json

MARK: Final = "f"  # a tag's name, one character long: a sheet takes 30,000 characters of metadata
IDS: Final = 9  # that a key's tag may have: two keys may share one of them
ROOM: Final = 30_000  # https://developers.google.com/workspace/sheets/api/guides/metadata, 2026-04

Place = tuple[str, ...]
"""A row's key as the text of its cells."""


@dataclass(frozen=True)
class Grid:
    """What was read. Rows and columns count from 0; row 0 is the header."""

    sheet: int  # Google's id of it, which stays when it is renamed
    title: str
    height: int
    width: int
    cells: Sequence[Sequence[Held]]  # each row without the blanks at its end
    tags: Mapping[int, int] = field(default_factory=dict[int, int])  # id -> row
    used: int = 0  # characters of the rows' metadata

    @cached_property
    def header(self) -> Sequence[str]:
        return [text_of(cell) for cell in self.cells[0]] if self.cells else []

    @property
    def blank(self) -> bool:
        """Is nothing in it?"""
        return not any(cell is not None for row in self.cells for cell in row)

    @property
    def edge(self) -> int:
        """The first column that nobody uses."""
        return max((len(row) for row in self.cells), default=0)

    def cell(self, row: int, column: int) -> Held:
        cells = self.cells[row] if row < len(self.cells) else ()
        return cells[column] if column < len(cells) else None

    def layout(self, table: Table) -> "Layout":
        """Where the declared columns are."""
        at = {name: self.header.index(name) for name in table.columns if name in self.header}
        doubled = [name for name in at if self.header.count(name) > 1]
        return Layout(table, at, tuple(doubled), self)


@dataclass(frozen=True)
class Layout:
    """A table in a grid. `doubled`: declared columns whose name is in the header more than once."""

    table: Table
    at: Mapping[str, int]
    doubled: tuple[str, ...]
    grid: Grid

    @property
    def missing(self) -> list[str]:
        return [name for name in self.table.columns if name not in self.at]

    @property
    def keyless(self) -> bool:
        """Can no row be recognised?"""
        return any(name in self.doubled or name not in self.at for name in self.table.key)

    @property
    def completed(self) -> "Layout":
        """The same once the columns that are not there are added."""
        return replace(
            self, at={**self.at, **{name: at for at, name in enumerate(self.missing, self.grid.edge)}}
        )

    @cached_property
    def rows(self) -> Mapping[Place, Sequence[int]]:
        """The rows of each key. One that a person copied is there twice."""
        found: dict[Place, list[int]] = {}
        for row in range(1, len(self.grid.cells)):
            place = self.place(row)
            if all(place):
                found.setdefault(place, []).append(row)
        return found

    def place(self, row: int) -> Place:
        """The key that a row has; some of it "" if it has none."""
        return tuple(text_of(self.grid.cell(row, self.at[name])) for name in self.table.key)

    @property
    def end(self) -> int:
        """The row after the last one with a key."""
        return max((rows[-1] for rows in self.rows.values()), default=0) + 1

    def tag_for(self, place: Place, row: int | None, taken: Container[int]) -> int:
        """The id of a key's tag: one that its row has, or else the first of its ids that is to be had.

        row: None for a new row. That gets an id which nothing here has: to take a tag away from where it was
            left behind would let a request that was thought lost add the row once more.
        taken: ids that are other keys' or in other sheets.
        """
        ids = [tag_id(self.grid.sheet, place, number) for number in range(IDS)]
        if row is not None and (its := [tag for tag in ids if self.grid.tags.get(tag) == row]):
            return its[0]
        free = [tag for tag in ids if tag not in taken and not self._is_anothers(tag, place)]
        unused = [tag for tag in free if tag not in self.grid.tags]
        return next(iter(unused if row is None and unused else free), ids[-1])

    def _is_anothers(self, tag: int, place: Place) -> bool:
        """Is it on the row of another key, whose tag it is? One that was left behind is nobody's."""
        there = self.place(self.grid.tags[tag]) if tag in self.grid.tags else place
        return there != place and tag in (tag_id(self.grid.sheet, there, each) for each in range(IDS))


def column_tag(grid: Grid, name: str) -> int:
    """The id of the tag that lets a column be added once."""
    ids = (tag_id(grid.sheet, ("", name), number) for number in count())
    return next(tag for tag in ids if tag not in grid.tags)


def place_of(key: Key) -> Place:
    return tuple(str(as_json(part)) for part in key)


def tag_id(sheet: int, place: Place, number: int = 0) -> int:
    """A positive number of 31 bits, the same for the same key."""
    digest = hashlib.sha256(json.dumps([sheet, *place, number]).encode()).digest()
    return int.from_bytes(digest[:4]) % (2**31 - 1) + 1


def read_grid(sheet: SheetData) -> Grid:
    """The sheet in Google's answer."""
    properties = sheet.get("properties", {})
    size = properties.get("gridProperties", {})
    cells: list[list[Held]] = []
    tags: dict[int, int] = {}
    used = 0
    for part in sheet.get("data", ()):
        first = part.get("startRow", 0)
        left: list[Held] = [None] * part.get("startColumn", 0)
        cells += [[] for _ in range(first - len(cells))]
        cells += [
            _without_end(left + [held(cell) for cell in row.get("values", ())])
            for row in part.get("rowData", ())
        ]
        for row, dimension in enumerate(part.get("rowMetadata", ()), first):
            for each in dimension.get("developerMetadata", ()):
                used += len(each.get("metadataKey", "")) + len(each.get("metadataValue", ""))
                tags[each.get("metadataId", 0)] = row
    while cells and not cells[-1]:
        cells.pop()
    return Grid(
        properties.get("sheetId", 0),
        properties.get("title", ""),
        size.get("rowCount", 0),
        size.get("columnCount", 0),
        cells,
        tags,
        used,
    )


def _without_end(cells: list[Held]) -> list[Held]:
    while cells and cells[-1] is None:
        cells.pop()
    return cells
