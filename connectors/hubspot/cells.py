"""Values as HubSpot keeps them: text, whatever their type."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, cast

from pydantic import JsonValue

from connectors.hubspot.wire import Property
from connectors.values import ColumnType, Value, as_json, canonical

TEXT_MAX: Final = 65_536  # characters of a text property
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EXACT_DIGITS: Final = 15  # of a number, that survive as the double which HubSpot's own screens make of it

MADE_AS: Final[Mapping[ColumnType, tuple[str, str]]] = {  # type and field type of a property of ours
    "str": ("string", "text"),
    "json": ("string", "textarea"),
    "int": ("number", "number"),
    "decimal": ("number", "number"),
    "bool": ("bool", "booleancheckbox"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
}
_FITS: Final[Mapping[ColumnType, frozenset[str]]] = {
    "str": frozenset({"string", "enumeration", "phone_number"}),
    "json": frozenset({"string"}),
    "int": frozenset({"number"}),
    "decimal": frozenset({"number"}),
    "bool": frozenset({"bool"}),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
}
_WHOLE: Final = re.compile(r"-?\d{1,19}")


def fits(column: ColumnType, live: Property) -> bool:
    """Can the property hold the column's values?"""
    return live.type in _FITS[column] and not live.modification_metadata.read_only_value


def cell_of(value: Value, column: ColumnType) -> str:
    """The value as text. HubSpot has one empty: null and the empty text clear the property alike."""
    if value is None:
        return ""
    if column == "json" or isinstance(value, bool):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return str((value - EPOCH) // timedelta(milliseconds=1))
    return value.isoformat() if isinstance(value, date) else str(value)


def value_of(text: str | None, column: ColumnType) -> JsonValue:
    """The value that the text stands for; a text that stands for none, as a person wrote it."""
    if text is None or text == "":
        return None
    try:
        return _read(text, column)
    except (ValueError, ArithmeticError):
        return text


def _read(text: str, column: ColumnType) -> JsonValue:
    if column == "json":
        return cast(JsonValue, json.loads(text))
    if column == "int" and _WHOLE.fullmatch(text):
        return int(text)
    if column == "decimal":
        return as_json(canonical(Decimal(text)))
    if column == "bool" and text in ("true", "false"):
        return text == "true"
    if column == "datetime":
        return as_json(moment(text))
    return text


def moment(text: str) -> datetime:
    """An instant as HubSpot writes it. Raises ValueError."""
    if text.lstrip("-").isdecimal():
        return EPOCH + timedelta(milliseconds=int(text))
    read = datetime.fromisoformat(text)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def objection(name: str, value: Value, column: ColumnType, live: Property) -> str | None:
    """Why this value cannot be kept exactly as it is, as a code, or None."""
    if value is None or value == "":
        return None
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and column != "json":
        return _of_number(Decimal(value))
    if isinstance(value, datetime):
        return "too_precise" if value.microsecond % 1000 else None
    if (
        isinstance(value, str)
        and live.type == "enumeration"
        and not live.external_options
        and value not in {one.value for one in live.options}
    ):
        return "unknown_option"
    if isinstance(value, str) and name == "email" and value != value.lower():
        return "upper_case_email"  # HubSpot makes it lower case: it would not be what was written
    return "too_long" if len(cell_of(value, column)) > TEXT_MAX else None


def _of_number(number: Decimal) -> str | None:
    if len(canonical(number).as_tuple().digits) <= EXACT_DIGITS:
        return None
    return "out_of_range" if number == number.to_integral_value() else "too_precise"
