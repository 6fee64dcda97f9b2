"""What a cell takes, by its field's type. What is empty is not kept at all."""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, cast

from pydantic import JsonValue

from connectors.sandbox.airtable.rules import Refusal

LONGEST = 100_000  # characters of a long text
BLANKS = "".join(chr(code) for code in (*range(9, 14), 32, 160, 0x1680, *range(0x2000, 0x200B))) + (
    "\u2028\u2029\u202f\u205f\u3000\ufeff"  # what JavaScript's trim() takes off
)
NUMBERS = ("number", "currency", "percent")
TEXTS = ("singleLineText", "multilineText", "email", "phoneNumber", "url")
COMPUTED = ("formula", "lastModifiedTime", "createdTime", "autoNumber", "count", "rollup", "createdBy")
MERGEABLE = ("number", "singleLineText", "multilineText", "singleSelect", "multipleSelects", "date")

FieldDict = dict[str, Any]  # a field as the API describes it


def made(field: FieldDict, given: JsonValue, *, typecast: bool) -> JsonValue:
    """What the cell holds afterwards; None if it is empty. A choice that is added changes the field.

    Raises Refusal.
    """
    if given is None:
        return None
    kind = field["type"]
    if kind in TEXTS and isinstance(given, str):
        return _text(given)
    if kind in NUMBERS and isinstance(given, (int, float)) and not isinstance(given, bool):
        return float(given) if math.isfinite(given) else _refuse(field)
    make = _MAKERS.get(kind)
    if make is None or not isinstance(given, (str, bool)):
        return _refuse(field)
    return make(field, given, typecast)


def _refuse(field: FieldDict) -> JsonValue:
    kind = "computed" if field["type"] in COMPUTED else field["type"]
    raise Refusal(
        422, "INVALID_VALUE_FOR_COLUMN", f'Field "{field["name"]}" cannot accept the value ({kind})'
    )


def _text(given: str) -> JsonValue:
    text = given.strip(BLANKS)
    if len(text) > LONGEST:
        raise Refusal(422, "INVALID_VALUE_FOR_COLUMN")
    return text or None


def _checkbox(field: FieldDict, given: str | bool, typecast: bool) -> JsonValue:
    return (given or None) if isinstance(given, bool) else _refuse(field)


def _choice(field: FieldDict, given: str | bool, typecast: bool) -> JsonValue:
    choices = cast(list[dict[str, str]], field["options"]["choices"])
    if given == "":
        return None
    if given not in [choice["name"] for choice in choices]:
        if not typecast or not isinstance(given, str):
            raise Refusal(
                422,
                "INVALID_MULTIPLE_CHOICE_OPTIONS",
                f'Insufficient permissions to create new select option "{given}"',
            )
        choices.append({"id": f"sel{len(choices):014}", "name": given})
    return given


def _day(field: FieldDict, given: str | bool, typecast: bool) -> JsonValue:
    try:
        return date.fromisoformat(str(given)).isoformat()
    except ValueError:
        return _refuse(field)


def _moment(field: FieldDict, given: str | bool, typecast: bool) -> JsonValue:
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        return _refuse(field)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


_MAKERS: Mapping[str, Callable[[FieldDict, str | bool, bool], JsonValue]] = {
    "checkbox": _checkbox,
    "singleSelect": _choice,
    "date": _day,
    "dateTime": _moment,
}
