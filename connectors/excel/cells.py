"""What a cell of a workbook holds: which values it keeps exactly, and how they are written and read.

Texts are texts: never a formula, a number or a date, whatever they look like. Excel knows no empty text: ""
clears a cell, and is read back as whichever of the two was asked about.
"""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, cast
from zoneinfo import ZoneInfo

from openpyxl.cell.cell import Cell
from pydantic import JsonValue

from connectors.values import ColumnType, Value, as_json

LONGEST: Final = 32_767  # UTF-16 units of a cell's text, as it is spelled in the file
EXACT: Final = 15  # digits that a number keeps
FIRST: Final = date(1904, 1, 2)  # the first day that both date systems have
GENERAL, AS_TEXT, WHOLE = "General", "@", "0"  # number formats

Raw = str | int | float | bool | date | time | datetime | timedelta
"""A cell as calamine reads it; "" is an empty one."""

_LIKE_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_NOT_XML = re.compile(r"[\x01-\x08\x0b-\x1f]")  # and \r, which XML would turn to \n
_NEVER = re.compile(r"[\ufffe\uffff]")
_EVALUATED = re.compile(r"['=+\-@]")  # what Excel may take for something else when a person edits the cell
_WHOLE = re.compile(r"-?\d+", re.ASCII)


def escaped(text: str) -> str:
    """The text as it is spelled in the file (ECMA-376, ST_Xstring)."""
    return _NOT_XML.sub(lambda found: f"_x{ord(found[0]):04X}_", _LIKE_ESCAPE.sub("_x005F_", text))


def objection(value: Value, kind: ColumnType, zone: ZoneInfo) -> str | None:
    """Why no cell can keep the value exactly as it is, as a code, or None."""
    if value is None:
        return None
    if kind in ("str", "json"):
        return _of_text(_text(value, kind))
    if isinstance(value, datetime):
        return _of_moment(value, zone)
    if isinstance(value, date):
        return "out_of_range" if value < FIRST else None
    return None


def _of_text(text: str) -> str | None:
    if _NEVER.search(text):
        return "not_in_xml"
    return "too_long" if len(escaped(text).encode("utf-16-le")) // 2 > LONGEST else None


def _of_moment(moment: datetime, zone: ZoneInfo) -> str | None:
    if moment.microsecond % 1000:
        return "too_precise"
    try:
        local = moment.astimezone(zone).replace(tzinfo=None, fold=0)  # as it is read back
        if local.date() < FIRST:
            return "out_of_range"
        return None if local.replace(tzinfo=zone).astimezone(UTC) == moment else "ambiguous_time"
    except OverflowError:
        return "out_of_range"


def put(cell: Cell, value: Value, kind: ColumnType, zone: ZoneInfo) -> None:
    """Write a value into a cell. Its format stays, unless nobody gave it one."""
    if value is None or (isinstance(value, str) and not value):
        cell.value = None
    elif kind in ("str", "json"):
        _put_text(cell, _text(value, kind))
    elif isinstance(value, datetime):
        cell.value = value.astimezone(zone).replace(tzinfo=None)
    elif isinstance(value, (bool, date)):
        cell.value = value
    else:
        _put_number(cell, cast(int | Decimal, value))


def _put_number(cell: Cell, number: int | Decimal) -> None:
    """As a number if that keeps every digit, else as a text."""
    text = str(as_json(number))
    if not _is_exact(number, text):
        _put_text(cell, text)
        cell.number_format = AS_TEXT  # else an edit would make a rounded number of it
        return
    cell.value = number if isinstance(number, int) else float(number)
    if isinstance(number, int) and cell.number_format == GENERAL:
        cell.number_format = WHOLE


def _is_exact(number: int | Decimal, text: str) -> bool:
    """Does it survive as a binary number of 64 bits, of which Excel shows 15 digits?"""
    whole, _, places = text.lstrip("-").partition(".")
    few = len((whole + places).strip("0")) <= EXACT and len(whole) <= EXACT
    return few and Decimal(repr(float(number))) == Decimal(number)


def _put_text(cell: Cell, text: str) -> None:
    cell.value = escaped(text)
    cell.data_type = "s"  # openpyxl has guessed: "=…" is no formula and "#N/A" no error here
    if cell.number_format == GENERAL:
        cell.number_format = AS_TEXT
    if _EVALUATED.match(text):
        cell.quotePrefix = True


def _text(value: Value, kind: ColumnType) -> str:
    return json.dumps(value, ensure_ascii=False) if kind == "json" else str(value)


def read(raw: Raw, kind: ColumnType, zone: ZoneInfo) -> JsonValue:
    """A cell as the JSON value of its column's type; as its text if it is none of that type."""
    if raw == "" and isinstance(raw, str):
        return None
    if isinstance(raw, (date, datetime)):
        return _read_moment(raw, kind, zone)
    if isinstance(raw, (time, timedelta)):
        return str(raw)
    if isinstance(raw, bool):
        return raw if kind in ("bool", "json") else str(raw).upper()
    return _read_text(raw, kind) if isinstance(raw, str) else _read_number(raw, kind)


def _read_moment(raw: date | datetime, kind: ColumnType, zone: ZoneInfo) -> JsonValue:
    moment = raw if isinstance(raw, datetime) else datetime(raw.year, raw.month, raw.day)  # noqa: DTZ001
    if kind == "datetime":
        return as_json(moment.replace(tzinfo=zone).astimezone(UTC))
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat()


def _read_text(raw: str, kind: ColumnType) -> JsonValue:
    try:
        if kind == "int" and _WHOLE.fullmatch(raw):
            return int(raw)
        return cast(JsonValue, json.loads(raw)) if kind == "json" else raw
    except (ValueError, RecursionError):
        return raw


def _read_number(raw: float, kind: ColumnType) -> JsonValue:
    """A number; as text where people's Excel has made a number of a text."""
    exact = as_json(Decimal(repr(raw)))
    if kind in ("str", "decimal"):
        return exact
    return int(raw) if float(raw).is_integer() else raw
