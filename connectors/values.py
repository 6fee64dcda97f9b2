"""What a cell of a row target may hold: each value is stored exactly as given or refused with a code."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal, cast

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    JsonValue,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationError,
)
from pydantic_core import PydanticCustomError

ColumnType = Literal["str", "int", "decimal", "bool", "date", "datetime", "json"]
Value = str | int | Decimal | bool | date | datetime | JsonValue

KEY_LENGTH = 200  # characters of a key column: four of them still fit the engines' index limits
TEXT_LENGTH = 1_000_000  # characters of one text or JSON value: below every engine's packet limit
DIGITS, PLACES = 38, 9  # of a decimal: what every engine keeps exactly
INTEGER = 2**63
EARLIEST = date(1000, 1, 1)  # MySQL's first day
DEPTH = 64  # of a JSON value

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)
_CODES = {  # pydantic's words that operators see often; every other one is "invalid_value"
    "missing": "missing_argument",
    "extra_forbidden": "unknown_argument",
    "string_too_long": "too_long",
    "string_unicode": "lone_surrogate",
    "greater_than_equal": "out_of_range",
    "less_than": "out_of_range",
    "decimal_max_digits": "out_of_range",
    "decimal_whole_digits": "out_of_range",
    "decimal_max_places": "too_precise",
}


def refuse(code: str) -> PydanticCustomError:
    """The error of a validator that refuses a value with a code of ours."""
    return PydanticCustomError("unstorable", "{code}", {"code": code})


def code_of(error: ValidationError) -> str:
    """The code for the first thing that was refused. Never a value."""
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "unstorable":
        return str(first.get("ctx", {}).get("code", "invalid_value"))
    return _CODES.get(first["type"], "invalid_value")


def storable(text: str) -> str:
    """The text itself. NUL and lone surrogates are refused: no two engines treat them alike."""
    if "\0" in text:
        raise refuse("nul_character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise refuse("lone_surrogate") from None
    return text


def canonical(number: Decimal) -> Decimal:
    """The same number without trailing zeros, exponent or negative zero."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return Decimal("0" if text == "-0" else text)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC; refused outside of what every engine can hold."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise refuse("out_of_range") from None
    if moment.date() < EARLIEST:
        raise refuse("out_of_range")
    return moment


def as_json(value: object) -> JsonValue:
    """A stored value as the JSON value that a validated argument has: what was written can be compared."""
    if isinstance(value, Decimal):
        return format(canonical(value), "f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return cast(JsonValue, value)


def kind_of(column_type: ColumnType, length: int) -> type[Value]:
    """The type that validates a value of a column, as an annotation."""
    if column_type == "str":
        text = Annotated[str, StringConstraints(max_length=length), AfterValidator(storable)]
        return cast(type[Value], text)
    return cast(type[Value], _KINDS[column_type])


def key_kind_of(column_type: ColumnType, length: int) -> type[Value]:
    """The same for a key: compared alike by every engine, so not empty and no blanks around it."""
    if column_type == "str":
        shape = StringConstraints(min_length=1, max_length=length)
        text = Annotated[str, shape, AfterValidator(storable), AfterValidator(_exact_key)]
        return cast(type[Value], text)
    return cast(type[Value], _KINDS[column_type])


def _exact_key(text: str) -> str:
    if text != text.strip():
        raise refuse("inexact_key")
    return text


def _date_written(value: object) -> object:
    # pydantic alone would take "20260101" or a number for a Unix time
    if isinstance(value, str) and _DATE.fullmatch(value):
        return value
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise refuse("invalid_value")


def _moment_written(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise refuse("invalid_value")


def _number_written(value: object) -> object:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return value
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return value
    raise refuse("invalid_value")


def _sound_json(value: JsonValue) -> JsonValue:
    stack: list[tuple[JsonValue, int]] = [(value, 0)]
    size = 0
    while stack:
        inner, depth = stack.pop()
        size += len(inner) + 4 if isinstance(inner, str) else 20
        if depth > DEPTH or size > TEXT_LENGTH:
            raise refuse("too_deep" if depth > DEPTH else "too_long")
        if isinstance(inner, list):
            stack.extend((each, depth + 1) for each in inner)
        elif isinstance(inner, dict):
            stack.extend((each, depth + 1) for pair in inner.items() for each in pair)
        else:
            _sound_scalar(inner)
    return value


def _sound_scalar(value: str | float | bool | None) -> None:
    if isinstance(value, str):
        storable(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise refuse("invalid_value")
    elif isinstance(value, int) and not -INTEGER <= value < INTEGER:
        raise refuse("out_of_range")


_KINDS: Mapping[ColumnType, object] = {
    "int": Annotated[StrictInt, Field(ge=-INTEGER, lt=INTEGER)],
    "decimal": Annotated[
        Decimal,
        BeforeValidator(_number_written),
        Field(max_digits=DIGITS, decimal_places=PLACES),
        AfterValidator(canonical),
        PlainSerializer(lambda number: format(number, "f"), return_type=str, when_used="json"),
    ],
    "bool": StrictBool,
    "date": Annotated[date, BeforeValidator(_date_written), Field(ge=EARLIEST)],
    "datetime": Annotated[AwareDatetime, BeforeValidator(_moment_written), AfterValidator(in_utc)],
    "json": Annotated[JsonValue, AfterValidator(_sound_json)],
}
