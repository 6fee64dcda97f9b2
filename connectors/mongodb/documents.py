"""Rows as documents: what each declared type is as BSON, and what cannot be kept exactly.

str       string                    bool      bool
int       long                      date      string, "2026-03-01": BSON has no day without a time
decimal   decimal (Decimal128)      datetime  date, in UTC, to the millisecond
json      object, array or a plain value: whole numbers int or long, others double
"""

import math
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import cast

import bson
from bson import json_util
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from pydantic import JsonValue

from connectors.tabular import Key, Table
from connectors.values import Value, as_json

DIGITS = 34  # of a Decimal128
LARGEST = 16 * 1024 * 1024 - 64 * 1024  # bytes of a document, less what a server may add


def id_of(table: Table, key: Key) -> object:
    """A row's `_id`: the key itself; of several columns an object with their names in alphabetical order.

    In this order, so that declaring the key's columns in another one makes no second documents.
    """
    if len(key) == 1:
        return _long(key[0])
    return {name: _long(value) for name, value in sorted(zip(table.key, key, strict=True))}


def key_of(table: Table, found: object) -> Mapping[str, object] | None:
    """A key's columns out of an `_id`; None of one that a row's key never makes."""
    if len(table.key) == 1:
        return {table.key[0]: found} if isinstance(found, (str, int)) else None
    parts = cast(dict[str, object], found) if isinstance(found, dict) else {}
    return parts if parts.keys() == set(table.key) else None


def name_of(found: object) -> str:
    """The `_id` of a document that was asked for by its key, as text: 7 and 7.0 are one, as there."""
    if isinstance(found, dict):
        return repr([name_of(value) for value in cast(dict[str, object], found).values()])
    if isinstance(found, (int, float, Decimal128)):
        return repr(int(found.to_decimal() if isinstance(found, Decimal128) else found))
    return repr(found)


def as_bson(value: Value) -> object:
    """A validated value of a column that is no json, as it is stored."""
    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return _long(value)


def fields_of(table: Table, values: Mapping[str, Value]) -> dict[str, object]:
    """What is set in a document."""
    return {
        name: value if table.columns[name].type == "json" else as_bson(value)
        for name, value in values.items()
    }


def as_value(found: object) -> JsonValue:
    """A stored value as the JSON value that an argument has; what no argument can be, in MongoDB's words."""
    if isinstance(found, dict):
        return {name: as_value(value) for name, value in cast(dict[str, object], found).items()}
    if isinstance(found, list):
        return [as_value(value) for value in cast(list[object], found)]
    if found is None or isinstance(found, (str, bool, int, float)):
        return _scalar(found)
    if isinstance(found, Decimal128) and found.to_decimal().is_finite():
        return as_json(found.to_decimal())
    if isinstance(found, datetime):
        return as_json(found)
    return as_value(json_util.default(found))  # an ObjectId, bytes, …: somebody else's


def _scalar(found: str | float | bool | None) -> JsonValue:
    if isinstance(found, float) and not math.isfinite(found):
        return {"$numberDouble": str(found)}
    if isinstance(found, int) and not isinstance(found, bool):
        return int(found)  # a long is a class of its own
    return found


def objection(table: Table, key: Key, values: Mapping[str, Value]) -> str | None:
    """Why a row cannot be kept exactly as it is, as a code, or None."""
    for value in values.values():
        if isinstance(value, Decimal) and len(value.as_tuple().digits) > DIGITS:
            return "too_precise"
        if isinstance(value, datetime) and value.microsecond % 1000:
            return "too_precise"
        if isinstance(value, (dict, list)) and not _has_plain_names(value):
            return "unstorable_name"
    return None if fits(table, key, values) else "too_long"


def fits(table: Table, key: Key, values: Mapping[str, Value]) -> bool:
    """Is it no larger than a document may be?"""
    named = dict(zip(table.key, key, strict=True))
    return len(bson.encode(fields_of(table, {**named, **values}))) <= LARGEST


def _has_plain_names(value: JsonValue) -> bool:
    """Servers differ in what they do with `$` and `.` in a field's name."""
    stack: list[JsonValue] = [value]
    while stack:
        inner = stack.pop()
        if isinstance(inner, dict):
            if any(name.startswith("$") or "." in name for name in inner):
                return False
            stack.extend(inner.values())
        elif isinstance(inner, list):
            stack.extend(inner)
    return True


def _long(value: Value) -> Value:
    return Int64(value) if isinstance(value, int) and not isinstance(value, bool) else value
