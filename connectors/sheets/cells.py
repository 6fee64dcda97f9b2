"""A value as a cell holds it, and back. A number that Sheets would round, and every moment, is text.

Sheets counts with doubles and shows 15 digits; a longer number stands as its digits. Days and moments are
ISO text: exact, sorted rightly, and the same in every time zone.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from connectors.sheets.answers import CellData
from connectors.values import ColumnType, Value, as_json, canonical

DIGITS: Final = 15  # of a number that a double holds and Sheets shows
LONGEST: Final = 50_000  # characters of a cell
FIRST_DAY: Final = date(1899, 12, 30)  # day 0 of Sheets

_WHOLE = re.compile(r"-?\d+", re.ASCII)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

Scalar = str | float | bool
"""What a cell is given. The empty text makes it blank: Sheets knows no other emptiness."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that a person computes. It is never written over."""


Held = Scalar | Formula | None
"""What a cell holds; None is blank."""


def held(cell: CellData) -> Held:
    """What a person or a program has entered into a cell."""
    entered = cell.get("userEnteredValue", {})
    if "formulaValue" in entered:
        return Formula()
    if "boolValue" in entered:
        return entered["boolValue"]
    if "numberValue" in entered:
        return entered["numberValue"]
    return entered.get("stringValue") or None


def cell_data(scalar: Scalar) -> CellData:
    """The cell of a new row."""
    if scalar == "" and isinstance(scalar, str):
        return {}
    if isinstance(scalar, bool):
        return {"userEnteredValue": {"boolValue": scalar}}
    if isinstance(scalar, str):
        return {"userEnteredValue": {"stringValue": scalar}}
    return {"userEnteredValue": {"numberValue": scalar}}


def cell_of(value: Value, kind: ColumnType) -> Scalar:
    """A value of a column of that type."""
    if value is None:
        return ""
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return _number(Decimal(value))
    return str(as_json(value))


def _number(number: Decimal) -> Scalar:
    text = format(canonical(number), "f")
    if len(text.lstrip("-").replace(".", "").lstrip("0")) > DIGITS:
        return text
    if "." not in text:
        return int(text)
    exact = float(text)
    return exact if Decimal(repr(exact)) == number else text


def text_of(cell: Held | JsonValue) -> str:
    """A cell as the text by which a key is recognised; "" if it is blank or a formula."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float):
        return format(canonical(Decimal(repr(cell))), "f")
    return cell if isinstance(cell, str) else ""


def value_of(cell: Held, kind: ColumnType) -> JsonValue:
    """A cell as the JSON value of its column's type; as its text if it is none of that type."""
    if cell is None or isinstance(cell, Formula):
        return None if cell is None else "=…"
    return _READ.get(kind, text_of)(cell)


def _bool(cell: Scalar) -> JsonValue:
    return cell if isinstance(cell, bool) else text_of(cell)


def _int(cell: Scalar) -> JsonValue:
    text = text_of(cell)
    return int(text) if not isinstance(cell, bool) and _WHOLE.fullmatch(text) else text


def _decimal(cell: Scalar) -> JsonValue:
    text = text_of(cell)
    return format(canonical(Decimal(text)), "f") if _NUMBER.fullmatch(text) else text


def _date(cell: Scalar) -> JsonValue:
    if isinstance(cell, bool | str) or cell != int(cell):
        return text_of(cell)
    try:  # a person has typed a day
        return (FIRST_DAY + timedelta(days=int(cell))).isoformat()
    except OverflowError:
        return text_of(cell)


def _json(cell: Scalar) -> JsonValue:
    if not isinstance(cell, str):
        return cell
    try:
        value: JsonValue = json.loads(cell)
    except ValueError:
        return cell
    return value


_READ: Mapping[ColumnType, Callable[[Scalar], JsonValue]] = {
    "bool": _bool,
    "int": _int,
    "decimal": _decimal,
    "date": _date,
    "json": _json,
}


def same(sent: Scalar, found: object) -> bool:
    """Does the cell hold what was sent?"""
    if isinstance(sent, str) or isinstance(found, str | bool) or isinstance(sent, bool):
        return type(sent) is type(found) and sent == found if sent != "" else found in (None, "")
    return isinstance(found, int | float) and float(found) == float(sent)


def unstorable(value: Value, kind: ColumnType) -> str | None:
    """Why a cell cannot hold this exactly, as a code, or None."""
    if value == "" and kind == "str":
        return "empty_text"
    cell = cell_of(value, kind)
    return "too_long" if isinstance(cell, str) and len(cell) > LONGEST else None
