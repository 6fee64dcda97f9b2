"""The text of delimited rows: RFC 4180, read strictly; a cell that is not touched stays as it was written."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field, JsonValue

from connectors.base import Settings
from connectors.errors import Rejected
from connectors.values import ColumnType, Value, as_json

FORMULA = re.compile(r"'*[=+\-@\t\r＝＋－＠]")  # what a spreadsheet may evaluate (CWE-1236)
BOM = "\ufeff"

Cells = list[str]
"""One row's cells as they are in the file, with their quotes."""


class Format(Settings):
    """How a file is written.

    bom: begin with a byte order mark: only if people open it in Excel. escape_formulas: put ' before text
    that a spreadsheet would evaluate: for people only, a program would read `'+1 555…`. null: what stands
    for null, unquoted; the same text as a value is quoted.
    """

    delimiter: Literal[",", ";", "\t", "|"] = ","
    bom: bool = False
    escape_formulas: bool = False
    null: str = Field(default="", pattern=r"^[A-Za-z\\-]{0,10}$")


def parse(text: str, form: Format) -> Iterator[tuple[int, Cells]]:
    """Each row's cells with the row's number, the header being row 1. Raises Rejected."""
    if "\0" in text:
        raise bad("a NUL character")
    cell = re.compile(
        rf'("[^"]*(?:""[^"]*)*"|[^"\r\n{re.escape(form.delimiter)}]*)'
        rf"({re.escape(form.delimiter)}|\r\n|\n|\r|\Z)"
    )
    number, at, cells = 1, 0, Cells()
    for match in cell.finditer(text):
        if match.start() != at:
            break
        at = match.end()
        cells.append(match[1])
        if match[2] != form.delimiter:
            if cells != [""]:  # an empty line, also the one after the last line's end
                yield number, cells
            number, cells = number + 1, []
    if at != len(text):
        raise bad(f"row {number}: a quote that is out of place or never closed")


def bad(what: str) -> Rejected:
    """The one-line answer to a file that cannot be read."""
    return Rejected("bad_file", f"csv: {what}; put the file right or move it away")


def compose(rows: Iterable[Cells], form: Format) -> str:
    """The file's text."""
    lines = (form.delimiter.join(cells) + "\r\n" for cells in rows)
    return (BOM if form.bom else "") + "".join(lines)


def cell_of(value: Value, kind: ColumnType, form: Format) -> str:
    """A value of a column of that type as a cell."""
    if value is None:
        return form.null
    if kind in ("json", "bool", "int"):
        return _quoted(json.dumps(value, ensure_ascii=False), form)
    text = str(as_json(value))
    if kind == "str" and form.escape_formulas and FORMULA.match(text):
        return _quoted("'" + text, form)
    return _quoted(text, form)


def _quoted(text: str, form: Format) -> str:
    special = any(character in text for character in ('"', "\r", "\n", form.delimiter))
    if special or text in ("", form.null) or text != text.strip() or text.startswith(BOM):
        return '"' + text.replace('"', '""') + '"'
    return text


def text_of(cell: str, form: Format) -> str | None:
    """A cell's text without its quotes and escape; None for null."""
    if cell == form.null:
        return None
    text = cell[1:-1].replace('""', '"') if cell.startswith('"') else cell
    if form.escape_formulas and text.startswith("'") and FORMULA.match(text):
        return text[1:]
    return text


def value_of(cell: str, kind: ColumnType, form: Format) -> JsonValue:
    """A cell as the JSON value of its column's type; as its text if it is none of that type."""
    text = text_of(cell, form)
    if text is None or kind in ("str", "date", "datetime", "decimal"):
        return text
    if kind == "bool":
        return {"true": True, "false": False}.get(text, text)
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return text
    if kind == "int" and (isinstance(value, bool) or not isinstance(value, int)):
        return text
    return value
