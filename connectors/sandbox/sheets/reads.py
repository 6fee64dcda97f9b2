"""What Google shows of a spreadsheet: whole resources, cut down by a field mask, and values of ranges."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from connectors.sandbox.sheets.state import Row, Sheet, Spreadsheet, Value, entered, invalid, plain, typed

Body = Mapping[str, Any]
Mask = Mapping[str, Any]
"""A parsed field mask: name -> what is wanted of it; empty for all of it."""


def parse_mask(text: str) -> Mask:
    """`a,b(c,d.e)` as {"a": {}, "b": {"c": {}, "d": {"e": {}}}}."""
    made: dict[str, Any] = {}
    for each in _split(text):
        head, inner = each, ""
        if each.endswith(")"):
            head, _, inner = each[:-1].partition("(")
        first, _, rest = head.replace("/", ".").partition(".")
        below = dict(parse_mask(f"{rest}({inner})" if rest and inner else rest or inner))
        made[first] = {**made.get(first, {}), **below}
    return made


def _split(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    if text[start:]:
        yield text[start:]


def masked(value: JsonValue, mask: Mask) -> JsonValue:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [masked(each, mask) for each in value]
    if isinstance(value, dict):
        # a sheet's data is shown as it is asked for: to go through it once more takes as long as all the rest
        return {
            name: inner if name == "data" else masked(inner, mask[name])
            for name, inner in value.items()
            if name in mask
        }
    return value


def shown(book: Spreadsheet, sheets: list[Sheet], *, data: bool) -> dict[str, JsonValue]:
    """The spreadsheet's resource. `data`: with its cells."""
    return {
        "spreadsheetId": book.id,
        "properties": {"title": "Ana's patients", "locale": "en_US", "timeZone": "America/New_York"},
        "sheets": [_sheet(sheet, data=data) for sheet in sheets],
    }


def ranges(book: Spreadsheet, asked: list[str]) -> dict[str, JsonValue]:
    """The sheet of these ranges, with their cells: all of it, or some of its rows."""
    title = asked[0].rpartition("'")[0][1:].replace("''", "'")
    sheet = book.titled(title)
    found = _sheet(sheet, data=True)
    if "!" not in asked[0].rpartition("'")[2]:
        return {"spreadsheetId": book.id, "sheets": [found]}
    parts: list[JsonValue] = []
    for each in asked:
        first, _, last = each.rpartition("!")[2].partition(":")
        rows = sheet.rows[int(first) - 1 : int(last)]
        parts.append({"startRow": int(first) - 1, **_data(rows)})
    return {"spreadsheetId": book.id, "sheets": [{**found, "data": parts}]}


def tags(book: Spreadsheet, body: Body) -> dict[str, JsonValue]:
    """developerMetadata:search, by id."""
    there = book.tagged()
    wanted = [each["developerMetadataLookup"]["metadataId"] for each in body["dataFilters"]]
    found: list[JsonValue] = []
    for tag in wanted:
        if tag in there:
            place: JsonValue = {"dimensionRange": {"sheetId": there[tag][0].id, "dimension": "ROWS"}}
            found.append({"developerMetadata": {"metadataId": tag, "location": place}})
    return {"matchedDeveloperMetadata": found} if found else {}


def _sheet(sheet: Sheet, *, data: bool) -> dict[str, JsonValue]:
    size: JsonValue = {"rowCount": sheet.height, "columnCount": sheet.width}
    found: dict[str, JsonValue] = {
        "properties": {"sheetId": sheet.id, "title": sheet.title, "sheetType": "GRID", "gridProperties": size}
    }
    if data:
        found["data"] = [_data(sheet.rows)]
    return found


def _data(rows: list[Row]) -> dict[str, JsonValue]:
    shown: list[JsonValue] = [_row(row) for row in rows]
    while shown and shown[-1] == {}:
        shown.pop()
    metadata: list[JsonValue] = [
        {"developerMetadata": [tag.shown() for tag in row.tags]} if row.tags else {} for row in rows
    ]
    return {"rowData": shown, "rowMetadata": metadata}


def _row(row: Row) -> JsonValue:
    if not row.cells:
        return {}
    width = max(row.cells) + 1
    cells = [row.cells.get(column) for column in range(width)]
    return {"values": [{} if cell is None else {"userEnteredValue": dict(cell)} for cell in cells]}


def put(book: Spreadsheet, body: Body, *, strict: bool, mangled: tuple[str, str]) -> dict[str, JsonValue]:
    """values:batchUpdateByDataFilter. `strict`: a filter that matches nothing is an error."""
    option = body.get("valueInputOption")
    if option not in ("RAW", "USER_ENTERED"):
        raise invalid("'valueInputOption' is required but not specified")

    def enter(value: JsonValue) -> Value | None:
        if isinstance(value, str) and mangled[0]:
            value = value.replace(*mangled)
        return typed(value) if option == "USER_ENTERED" else entered(value)

    tags = book.tagged()
    touched: list[tuple[Body, Row]] = []
    for each in body.get("data", []):
        place = _place(book, tags, each["dataFilter"])
        if place is None and strict:
            raise invalid(f"No data matches the filter {each['dataFilter']}")
        if place is not None:
            _write(*place, each, enter)
            touched.append((each["dataFilter"], place[1]))
    responses: list[JsonValue] = []
    for filter_, row in touched:
        response: dict[str, JsonValue] = {"dataFilter": dict(filter_), "updatedRows": 1}
        if body.get("includeValuesInResponse"):
            response["updatedData"] = {"majorDimension": "ROWS", "values": [_plain(row)]}
        responses.append(response)
    return {"spreadsheetId": book.id, "responses": responses}


def _place(
    book: Spreadsheet, tags: Mapping[int, tuple[Sheet, Row]], filter_: Body
) -> tuple[Sheet, Row] | None:
    if "developerMetadataLookup" in filter_:
        return tags.get(filter_["developerMetadataLookup"]["metadataId"])
    place = filter_["gridRange"]
    sheet = book.sheet(place.get("sheetId", 0))
    if place.get("endRowIndex", sheet.height) - place.get("startRowIndex", 0) != 1:
        raise invalid("This stand-in writes ranges of one row")
    return sheet, sheet.rows[int(place.get("startRowIndex", 0))]


def _write(sheet: Sheet, row: Row, each: Body, enter: Callable[[JsonValue], Value | None]) -> None:
    values: list[list[JsonValue]] = each.get("values", [])
    if each.get("majorDimension", "ROWS") != "ROWS" or len(values) > 1:
        raise invalid("This stand-in writes one row for each filter")
    cells = values[0] if values else list[JsonValue]()
    if len(cells) > sheet.width:
        raise invalid(
            f"Requested writing within {sheet.width} columns, but tried writing {len(cells)}: {cells}"
        )
    for column, cell in enumerate(cells):
        made = None if cell is None else enter(cell)
        if made is not None:
            row.cells[column] = made
        elif cell is not None:
            row.cells.pop(column, None)


def _plain(row: Row) -> JsonValue:
    width = max(row.cells, default=-1) + 1
    return [plain(row.cells.get(column)) for column in range(width)]
