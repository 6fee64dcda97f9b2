"""batchUpdate: all requests of one batch, in order, or none. Only those that add or write cells are known."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import JsonValue

from connectors.sandbox.sheets.state import METADATA, Row, Sheet, Spreadsheet, Tag, Value, entered, invalid

Body = Mapping[str, Any]  # JSON that the discovery document has been asked about


@dataclass
class Draft:
    """A copy of the spreadsheet that the acts of one batch change: if one is refused, it is thrown away."""

    book: Spreadsheet
    tags: dict[int, tuple[Sheet, Row]]
    used: dict[int, int]  # characters of metadata, by sheet
    mangled: tuple[str, str] = ("", "")


def apply(book: Spreadsheet, requests: list[Body], mangled: tuple[str, str] = ("", "")) -> list[JsonValue]:
    """The replies. The spreadsheet is a copy: if this raises, it is thrown away."""
    draft = Draft(book, book.tagged(), {sheet.id: sheet.metadata() for sheet in book.sheets}, mangled)
    replies: list[JsonValue] = []
    for number, request in enumerate(requests):
        if len(request) != 1:
            raise invalid(f"Invalid requests[{number}]: it must name one kind")
        kind, body = next(iter(request.items()))
        if kind not in _KINDS:
            raise invalid(f"Invalid requests[{number}].{kind}: not known to this stand-in")
        replies.append(_KINDS[kind](draft, body))
        book.check_size()
    return replies


def _add_sheet(draft: Draft, body: Body) -> JsonValue:
    book = draft.book
    asked = body.get("properties", {})
    id_, title = (
        asked.get("sheetId", 1000 + len(book.sheets)),
        asked.get("title", f"Sheet{len(book.sheets) + 1}"),
    )
    if any(sheet.id == id_ for sheet in book.sheets):
        raise invalid(f"Invalid addSheet: a sheet with id {id_} already exists")
    if any(sheet.title.lower() == title.lower() for sheet in book.sheets):
        raise invalid(f'A sheet with the name "{title}" already exists. Please enter another name.')
    grid = asked.get("gridProperties", {})
    rows = [Row() for _ in range(grid.get("rowCount", 1000))]
    book.sheets.append(Sheet(id_, title, grid.get("columnCount", 26), rows, grid.get("frozenRowCount", 0)))
    return {"addSheet": {"properties": {"sheetId": id_, "title": title}}}


def _append(draft: Draft, body: Body) -> JsonValue:
    book = draft.book
    sheet = book.sheet(body.get("sheetId", 0))
    if body["dimension"] == "ROWS":
        sheet.rows += [Row() for _ in range(body["length"])]
    else:
        sheet.width += body["length"]
    return {}


def _insert(draft: Draft, body: Body) -> JsonValue:
    book = draft.book
    asked = body["range"]
    sheet, start, end = book.sheet(asked.get("sheetId", 0)), asked.get("startIndex", 0), asked["endIndex"]
    size = sheet.height if asked["dimension"] == "ROWS" else sheet.width
    if not 0 <= start < end or start >= size:
        raise invalid(f"Invalid insertDimension: range.startIndex[{start}] is after the last one, {size - 1}")
    if body.get("inheritFromBefore") and start == 0:
        raise invalid("Invalid insertDimension: inheritFromBefore cannot be true at index 0")
    if asked["dimension"] == "ROWS":
        sheet.rows[start:start] = [Row() for _ in range(end - start)]
    else:
        sheet.insert_columns(start, end - start)
    return {}


def _update_cells(draft: Draft, body: Body) -> JsonValue:
    book = draft.book
    start: Body = body["start"]
    sheet = book.sheet(start.get("sheetId", 0))
    if body["fields"] != "userEnteredValue":
        raise invalid(f"Invalid updateCells: fields {body['fields']} are not known to this stand-in")
    rows: list[Body] = body.get("rows", [])
    for down, row in enumerate(rows):
        number = int(start.get("rowIndex", 0)) + down
        cells: list[Body] = row.get("values", [])
        for right, cell in enumerate(cells):
            column = int(start.get("columnIndex", 0)) + right
            if number >= sheet.height or column >= sheet.width:
                raise invalid(f"Attempting to write row {number}, column {column}, beyond the sheet's end")
            _set(sheet.rows[number], column, mangle(cell.get("userEnteredValue"), draft.mangled))
    return {}


def mangle(value: Value | None, by: tuple[str, str]) -> Value | None:
    """What Google makes of a text that it does not store as it is."""
    if not by[0] or value is None or "stringValue" not in value:
        return value
    return {"stringValue": str(value["stringValue"]).replace(*by)}


def _set(row: Row, column: int, value: Value | None) -> None:
    made = value if value is None or "formulaValue" in value else entered(next(iter(value.values())))
    if made is None:
        row.cells.pop(column, None)
    else:
        row.cells[column] = made


def _create_tag(draft: Draft, body: Body) -> JsonValue:
    book = draft.book
    asked = body["developerMetadata"]
    place = asked["location"]["dimensionRange"]
    sheet, row = book.sheet(place.get("sheetId", 0)), int(place.get("startIndex", 0))
    if place["dimension"] != "ROWS" or place["endIndex"] != row + 1 or row >= sheet.height:
        raise invalid("Invalid createDeveloperMetadata: the location must be one row of the sheet")
    if asked.get("visibility") not in ("DOCUMENT", "PROJECT") or not asked.get("metadataKey"):
        raise invalid("Invalid createDeveloperMetadata: key and visibility must be specified")
    tag = Tag(asked["metadataId"], asked["metadataKey"], asked.get("metadataValue", ""))
    if tag.id <= 0 or tag.id in draft.tags:
        raise invalid(f"Invalid createDeveloperMetadata: metadata with id {tag.id} already exists")
    used = draft.used.get(sheet.id, 0) + tag.size
    if used > METADATA:
        raise invalid(f"The sheet would have more than {METADATA} characters of developer metadata")
    sheet.rows[row].tags.append(tag)
    draft.tags[tag.id], draft.used[sheet.id] = (sheet, sheet.rows[row]), used
    return {"createDeveloperMetadata": {"developerMetadata": tag.shown()}}


def _delete_tag(draft: Draft, body: Body) -> JsonValue:
    id_ = body["dataFilter"]["developerMetadataLookup"]["metadataId"]
    found: list[JsonValue] = []
    if id_ in draft.tags:
        sheet, row = draft.tags.pop(id_)
        found = [tag.shown() for tag in row.tags if tag.id == id_]
        draft.used[sheet.id] -= sum(tag.size for tag in row.tags if tag.id == id_)
        row.tags = [tag for tag in row.tags if tag.id != id_]
    return {"deleteDeveloperMetadata": {"deletedDeveloperMetadata": found}}


_KINDS: Final[Mapping[str, Callable[[Draft, Body], JsonValue]]] = {
    "addSheet": _add_sheet,
    "appendDimension": _append,
    "insertDimension": _insert,
    "updateCells": _update_cells,
    "createDeveloperMetadata": _create_tag,
    "deleteDeveloperMetadata": _delete_tag,
}
