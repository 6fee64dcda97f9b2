"""What a field of Airtable holds: which values it keeps exactly, and how they are spelled in its API.

An empty cell is the one way to say "nothing": Airtable keeps no empty text beside it. An empty text clears
the cell, and is read back as whichever of the two was asked about.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, cast

from pydantic import JsonValue

from connectors.tabular import Column
from connectors.values import ColumnType, Value, as_json

LONGEST: Final = 100_000  # characters of a long text: https://support.airtable.com/docs/long-text-field
SAFE: Final = 2**53  # numbers are JavaScript's
PLACES: Final = 8  # of a number field at most
YES, NO = "true", "false"  # choices of a bool's single select

_LINE = frozenset({"singleLineText", "email", "phoneNumber", "url"})
_ABLE: Mapping[ColumnType, frozenset[str]] = {
    "str": _LINE | {"multilineText", "singleSelect"},
    "int": frozenset({"number"}),
    "decimal": frozenset({"number", "currency"}),
    "bool": frozenset({"checkbox", "singleSelect"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"dateTime"}),
    "json": frozenset({"multilineText"}),
}
_ABLE_KEYS: Mapping[ColumnType, frozenset[str]] = {
    "str": frozenset({"singleLineText", "multilineText"}),
    "int": frozenset({"number"}),
}
_ISO: JsonValue = {"name": "iso"}
_MADE: Mapping[ColumnType, tuple[str, JsonValue]] = {
    "str": ("multilineText", None),
    "int": ("number", {"precision": 0}),
    "decimal": ("number", {"precision": PLACES}),
    "bool": ("singleSelect", {"choices": [{"name": YES}, {"name": NO}]}),  # a checkbox knows no null
    "date": ("date", {"dateFormat": _ISO}),
    "datetime": ("dateTime", {"dateFormat": _ISO, "timeFormat": {"name": "24hour"}, "timeZone": "utc"}),
    "json": ("multilineText", None),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field as it was found."""

    id: str
    name: str
    type: str
    description: str = ""
    precision: int = PLACES
    choices: frozenset[str] = frozenset()


def mark(name: str) -> str:
    """The description of a table or field that Ferry made: it is found again when somebody renamed it."""
    return f"Kept by Ferry as {name}"


def made(name: str, column: Column, *, key: bool, choices: Collection[str]) -> dict[str, JsonValue]:
    """The field to be made for a column, as the API takes it."""
    kind: str
    options: JsonValue
    kind, options = ("singleLineText", None) if key and column.type == "str" else _MADE[column.type]
    if choices:
        kind, options = "singleSelect", {"choices": [{"name": choice} for choice in choices]}
    found: dict[str, JsonValue] = {"name": name, "type": kind, "description": mark(name)}
    if options is not None:
        found["options"] = options
    return found


def to_be(name: str, column: str, declared: Column, *, key: bool, choices: Collection[str]) -> Field:
    """The same field as it will be found, under its name for want of an id."""
    kind = "singleLineText" if key and declared.type == "str" else _MADE[declared.type][0]
    offered = (YES, NO) if declared.type == "bool" else choices
    return Field(name, name, "singleSelect" if choices else kind, mark(column), choices=frozenset(offered))


def holds(field: Field, kind: ColumnType, *, key: bool) -> bool:
    """Can a field hold a column's values, exactly?"""
    if kind == "bool" and field.type == "singleSelect":
        return {YES, NO} <= field.choices
    return field.type in (_ABLE_KEYS if key else _ABLE).get(kind, ())


def objection(value: Value, kind: ColumnType, field: Field, choices: Collection[str]) -> str | None:
    """Why this field cannot keep the value exactly as it is, as a code, or None."""
    if value is None:
        return "null_as_false" if field.type == "checkbox" else None
    if kind == "str":
        return _of_text(str(value), field, choices)
    return _of_other(value, kind, field)


def _of_other(value: Value, kind: ColumnType, field: Field) -> str | None:
    if kind == "json":
        return "too_long" if len(_spelled(value)) > LONGEST else None
    if isinstance(value, Decimal):
        return None if _is_exact(value, field.precision) else "too_precise"
    if kind == "int":
        return None if -SAFE < cast(int, value) < SAFE else "out_of_range"
    return "too_precise" if isinstance(value, datetime) and value.microsecond % 1000 else None


def of_key(part: str | int) -> str | None:
    """The same for a part of a key, which is looked for in a formula."""
    if isinstance(part, int):
        return None if -SAFE < part < SAFE else "out_of_range"
    plain = _is_trimmed(part) and part.isprintable() and "\\" not in part
    return None if plain else "inexact_key"  # UNVERIFIED: how a formula reads \\ and line breaks


def _of_text(text: str, field: Field, choices: Collection[str]) -> str | None:
    if not text:
        return None
    if field.type == "singleSelect":
        return None if text in field.choices or text in choices else "unknown_choice"
    if not _is_trimmed(text):
        return "not_trimmed"
    if field.type in _LINE and len(text.splitlines()) > 1:
        return "line_break"
    return "too_long" if len(text) > LONGEST else None


def _is_trimmed(text: str) -> bool:
    """Airtable takes blanks off both ends: JavaScript's idea of a blank counts the byte order mark, too."""
    return text == text.strip() == text.strip("\ufeff")


def _is_exact(number: Decimal, precision: int) -> bool:
    """Does it survive as a binary number of 64 bits, with so many places?"""
    exponent = number.as_tuple().exponent
    return (
        -int(exponent) <= precision
        and abs(number) < 10**15  # UNVERIFIED: larger ones are kept, but shown rounded
        and Decimal(repr(float(number))) == number
    )


def _spelled(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def sent(value: Value, kind: ColumnType, field: Field) -> JsonValue:
    """A value as the API takes it; null clears the cell."""
    if value is None or (kind == "str" and value == ""):
        return None
    if kind == "json":
        return _spelled(value)
    if kind == "bool" and field.type == "singleSelect":
        return YES if value else NO
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, (date, datetime)):
        return as_json(value)
    return cast(JsonValue, value)


def read(cell: JsonValue, kind: ColumnType, field: Field) -> JsonValue:
    """A cell of an answer as the JSON value of its column's type; as it is if it is none of that type."""
    if cell is None:
        return False if field.type == "checkbox" else None
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _number(cell, kind)
    return _text(cell, kind) if isinstance(cell, str) else cell


def _text(cell: str, kind: ColumnType) -> JsonValue:
    if kind == "bool":
        return {YES: True, NO: False}.get(cell, cell)
    try:
        if kind == "datetime":
            return as_json(datetime.fromisoformat(cell))
        return cast(JsonValue, json.loads(cell)) if kind == "json" else cell
    except (ValueError, RecursionError):
        return cell


def _number(cell: float, kind: ColumnType) -> JsonValue:
    if kind == "decimal":
        return as_json(Decimal(repr(cell)))
    return int(cell) if kind == "int" and float(cell).is_integer() else cell
