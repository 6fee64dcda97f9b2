"""Columns that people inserted in the very moment of a write: what the cells that it met held before.

A row is written from its first column on, so a column that comes in between shifts what was meant for those
behind it. Where each column was before is seen by the header.
"""

from collections.abc import Sequence
from typing import Final

from connectors.sheets.acts import Cells
from connectors.sheets.cells import Formula, Scalar
from connectors.sheets.grid import Layout

NEW: Final = -1  # a column that was not there


def were_moved(layout: Layout, header: Sequence[str]) -> bool:
    """Are the declared columns elsewhere than they were?"""
    return any(column >= len(header) or header[column] != name for name, column in layout.at.items())


def held_before(layout: Layout, header: Sequence[str], row: int, written: Cells) -> dict[int, Scalar]:
    """What the cells that were written held before, as far as that is known, by their column now."""
    known: dict[int, Scalar] = {}
    for column in written:
        was = _was(layout.grid.header, header, column)
        cell = layout.grid.cell(row, was) if was is not None and was != NEW else None
        if was is not None and not isinstance(cell, Formula):
            known[column] = "" if cell is None else cell
    return known


def _was(old: Sequence[str], new: Sequence[str], column: int) -> int | None:
    """Where the column was; NEW if it was not there; None if that cannot be told."""
    name = new[column] if column < len(new) else ""
    if name and new.count(name) == 1 and old.count(name) < 2:
        return old.index(name) if name in old else NEW
    if name:
        return None
    left = next((at for at in range(column - 1, -1, -1) if at < len(new) and new[at]), None)
    right = next((at for at in range(column + 1, len(new)) if new[at]), None)
    before = -1 if left is None else _only(old, new[left])
    after = len(old) if right is None else _only(old, new[right])
    return NEW if before is not None and after is not None and after - before == 1 else None


def _only(header: Sequence[str], name: str) -> int | None:
    return header.index(name) if header.count(name) == 1 else None
