"""What is to be done with a sheet as it was read, so that it holds the given rows."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final

from connectors.sheets.acts import Act, Cells, new_rows, new_tag, no_tag
from connectors.sheets.cells import Formula, Scalar, cell_of, same
from connectors.sheets.grid import ROOM, Layout, Place, place_of
from connectors.tabular import Record, Table

OVERHEAD: Final = 60  # bytes of JSON around a cell


@dataclass(frozen=True)
class Change:
    """One row's cells that are to be as given, by column. `items`: who waits for it."""

    place: Place
    key: Mapping[str, Scalar]
    cells: Mapping[str, Scalar]
    items: tuple[str, ...] = ()

    @property
    def all(self) -> Mapping[str, Scalar]:
        """The cells of a new row."""
        return {**self.key, **self.cells}

    @property
    def size(self) -> int:
        """About how many bytes it takes in a request."""
        cells = self.all.values()
        return sum(OVERHEAD + (6 * len(cell) if isinstance(cell, str) else 0) for cell in cells)


def change_of(table: Table, record: Record) -> Change:
    columns = table.columns
    key = zip(table.key, record.key, strict=True)
    return Change(
        place_of(record.key),
        {name: cell_of(value, columns[name].type) for name, value in key},
        {name: cell_of(value, columns[name].type) for name, value in record.values.items()},
        record.items,
    )


@dataclass
class Plan:
    """Who is to be done how. `done`: the sheet holds it already. `put`: by tag."""

    done: list[Change] = field(default_factory=list[Change])
    refused: list[tuple[Change, str]] = field(default_factory=list[tuple[Change, str]])
    fresh: list[tuple[Change, int]] = field(default_factory=list[tuple[Change, int]])
    stray: list[tuple[Change, int]] = field(default_factory=list[tuple[Change, int]])
    put: dict[int, Change] = field(default_factory=dict[int, Change])


def plan(layout: Layout, changes: Sequence[Change], elsewhere: Set[int] = frozenset()) -> Plan:
    """What becomes of each change. `elsewhere`: tags of other sheets."""
    made = Plan()
    taken = set(elsewhere)
    grid, room = layout.grid, ROOM - layout.grid.used
    for change in changes:
        rows = layout.rows.get(change.place, ())
        code = _objection(layout, change, rows)
        if code is not None:
            made.refused.append((change, code))
            continue
        if rows and _holds(layout, change, rows[0]):
            made.done.append(change)
            continue
        tag = layout.tag_for(change.place, rows[0] if rows else None, taken)
        if rows and grid.tags.get(tag) == rows[0]:
            made.put[tag] = change
            continue
        room -= tag not in grid.tags
        if room < 0:
            made.refused.append((change, "sheet_full"))
            continue
        taken.add(tag)
        (made.stray if rows else made.fresh).append((change, tag))
    return made


def acts(layout: Layout, made: Plan) -> Iterator[Act]:
    """New rows, and the tags of rows that have none or whose tag stayed behind when people sorted."""
    grid = layout.grid
    for _, tag in (*made.fresh, *made.stray):
        if tag in grid.tags:
            yield no_tag(tag)
    if made.fresh:
        rows = [by_column(layout, change.all) for change, _ in made.fresh]
        yield from new_rows(grid, layout.end, rows, [tag for _, tag in made.fresh])
    for change, tag in made.stray:
        yield new_tag(grid.sheet, layout.rows[change.place][0], tag)


def by_column(layout: Layout, cells: Mapping[str, Scalar]) -> Cells:
    """The same cells by the number of their column."""
    return {layout.at[name]: cell for name, cell in cells.items()}


def settled(layout: Layout, stray: Sequence[tuple[Change, int]]) -> dict[int, Change]:
    """Those of the rows that were tagged, whose tag is on their row."""
    tags = layout.grid.tags
    return {tag: change for change, tag in stray if tag in tags and layout.place(tags[tag]) == change.place}


def _objection(layout: Layout, change: Change, rows: Sequence[int]) -> str | None:
    if len(rows) > 1:
        return "duplicate_key"
    for row in rows:
        if any(isinstance(layout.grid.cell(row, layout.at[name]), Formula) for name in change.cells):
            return "holds_formula"
    return None


def _holds(layout: Layout, change: Change, row: int) -> bool:
    return all(same(cell, layout.grid.cell(row, layout.at[name])) for name, cell in change.cells.items())
