"""The bodies of what is sent: every one of them adds, none takes a row, a column or a person's cell away.

New rows and columns are inserted, so that they are blank whatever people did since the sheet was read.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from connectors.sheets.cells import Scalar, cell_data
from connectors.sheets.grid import MARK, Grid, column_tag

Act = dict[str, JsonValue]
"""One request of a batchUpdate. All of a batch are applied, in order, or none."""

HEIGHT: Final = 100  # rows of a new sheet; more are added as they come
Cells = Mapping[int, Scalar]
"""A new row: what stands in which column."""


def sheet_id(title: str) -> int:
    """The id of the sheet that we make under that title, whatever people call it later."""
    return int.from_bytes(hashlib.sha256(title.encode()).digest()[:4]) % (2**31 - 1) + 1


def new_sheet(title: str, names: Sequence[str]) -> Iterator[Act]:
    """A sheet with that header. Its id is made from its title, so that two cannot be made at once."""
    sheet = sheet_id(title)
    size: JsonValue = {"rowCount": HEIGHT, "columnCount": len(names), "frozenRowCount": 1}
    yield {"addSheet": {"properties": {"sheetId": sheet, "title": title, "gridProperties": size}}}
    yield _update(sheet, 0, dict(enumerate(names)))


def new_columns(grid: Grid, names: Sequence[str]) -> Iterator[Act]:
    """Those columns, after the last one that anybody uses. By their tags each can be added only once."""
    edge = grid.edge
    if edge >= grid.width:
        yield _append(grid.sheet, "COLUMNS", edge - grid.width + 1)
    yield _insert(grid.sheet, "COLUMNS", edge, len(names), like_before=False)
    if grid.blank:
        yield _insert(grid.sheet, "ROWS", 0, 1, like_before=False)
    yield _update(grid.sheet, 0, {edge + at: name for at, name in enumerate(names)})
    for name in names:
        yield new_tag(grid.sheet, 0, column_tag(grid, name))


def new_rows(grid: Grid, at: int, rows: Sequence[Cells], tags: Sequence[int]) -> Iterator[Act]:
    """Those rows, each with its tag, from row `at` on."""
    if at >= grid.height:
        yield _append(grid.sheet, "ROWS", at - grid.height + 1)
    yield _insert(grid.sheet, "ROWS", at, len(rows), like_before=at > 1)
    yield _update(grid.sheet, at, *rows)
    for row, tag in enumerate(tags, at):
        yield new_tag(grid.sheet, row, tag)


def new_tag(sheet: int, row: int, tag: int) -> Act:
    """Refused by Google if the spreadsheet has a tag of that id."""
    place: JsonValue = {"sheetId": sheet, "dimension": "ROWS", "startIndex": row, "endIndex": row + 1}
    made: JsonValue = {
        "metadataId": tag,
        "metadataKey": MARK,
        "visibility": "DOCUMENT",
        "location": {"dimensionRange": place},
    }
    return {"createDeveloperMetadata": {"developerMetadata": made}}


def no_tag(tag: int) -> Act:
    """A tag that was left behind is taken away."""
    return {"deleteDeveloperMetadata": {"dataFilter": _by_tag(tag)}}


def put(grid: Grid, rows: Mapping[int, Cells]) -> dict[str, JsonValue]:
    """Those cells into the rows with these tags. The answer shows each row, and the header, as they are then.

    A row is as long as the sheet is wide, so that Google refuses all of it if a column was taken away since.
    """
    # UNVERIFIED: that blanks at a row's end count for that, and that a header of blanks alone is shown
    header: JsonValue = {"sheetId": grid.sheet, "startRowIndex": 0, "endRowIndex": 1}
    data: list[JsonValue] = [_row(grid, {"gridRange": header}, {})]
    data += [_row(grid, _by_tag(tag), cells) for tag, cells in rows.items()]
    return {
        "valueInputOption": "RAW",
        "data": data,
        "includeValuesInResponse": True,
        "responseValueRenderOption": "UNFORMATTED_VALUE",
        "responseDateTimeRenderOption": "SERIAL_NUMBER",
    }


def _row(grid: Grid, where: JsonValue, cells: Cells) -> JsonValue:
    values: JsonValue = [cells.get(column) for column in range(grid.width)]
    return {"dataFilter": where, "majorDimension": "ROWS", "values": [values]}


def _by_tag(tag: int) -> dict[str, JsonValue]:
    return {"developerMetadataLookup": {"metadataId": tag}}


def _append(sheet: int, dimension: str, length: int) -> Act:
    return {"appendDimension": {"sheetId": sheet, "dimension": dimension, "length": length}}


def _insert(sheet: int, dimension: str, at: int, length: int, *, like_before: bool) -> Act:
    place: JsonValue = {"sheetId": sheet, "dimension": dimension, "startIndex": at, "endIndex": at + length}
    return {"insertDimension": {"range": place, "inheritFromBefore": like_before}}


def _update(sheet: int, row: int, *rows: Cells) -> Act:
    """Cells of rows that were just inserted."""
    columns = [column for cells in rows for column in cells]
    left, right = min(columns), max(columns)
    data: JsonValue = [
        {"values": [cell_data(cells.get(column, "")) for column in range(left, right + 1)]}  # type: ignore[misc]  # a TypedDict of JSON is JSON
        for cells in rows
    ]
    start: JsonValue = {"sheetId": sheet, "rowIndex": row, "columnIndex": left}
    return {"updateCells": {"start": start, "rows": data, "fields": "userEnteredValue"}}
