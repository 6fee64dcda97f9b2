"""Values: as they are loaded, as SQLite keeps them, and as the REST interface gives them.

SQLite keeps a NUMERIC as its text, a TIMESTAMP as microseconds, JSON and lists as JSON text. A record is the
list of its values: as BigQuery does, one record's values go to another's fields by position.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, cast

from pydantic import JsonValue

from connectors.sandbox.bigquery.refusal import Refusal, invalid

Cell = str | int | None
LONG = {
    "INT64": "INTEGER",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
    "FLOAT64": "FLOAT",
    "BIGDECIMAL": "BIGNUMERIC",
}
KINDS = frozenset(
    {"STRING", "INTEGER", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "DATE", "TIMESTAMP", "JSON", "RECORD"}
)
RESERVED = ("_TABLE_", "_FILE_", "_PARTITION", "_ROW_TIMESTAMP", "__ROOT__", "_COLIDENTIFIER")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ZONED = re.compile(r".*(Z|[+-]\d\d:?\d\d| UTC)", re.ASCII)


@dataclass(frozen=True)
class Field:
    """A column, or a field of a record."""

    name: str
    kind: str
    mode: str = "NULLABLE"
    fields: tuple["Field", ...] = ()
    length: int | None = None
    precision: int | None = None
    scale: int = 0
    default: bool = False

    @property
    def repeated(self) -> bool:
        return self.mode == "REPEATED"

    @property
    def spoken(self) -> str:
        """The type as error messages and assignments know it."""
        inner = f"STRUCT<{', '.join(each.spoken for each in self.fields)}>" if self.fields else self.kind
        return f"ARRAY<{inner}>" if self.repeated else inner


def field_of(given: dict[str, Any]) -> Field:
    """A field of a schema as a client sends it. Raises Refusal."""
    name, kind = str(given.get("name", "")), str(given.get("type", "")).upper()
    kind = LONG.get(kind, kind)
    if not _NAME.fullmatch(name) or name.upper().startswith(RESERVED):
        raise invalid(f"Invalid field name {name!r}")
    if kind not in KINDS or (kind == "RECORD") != bool(given.get("fields")):
        raise invalid(f"Field {name}: type {kind} is not supported")
    return Field(
        name,
        kind,
        str(given.get("mode") or "NULLABLE").upper(),
        fields_of(given.get("fields") or ()),
        int(given["maxLength"]) if given.get("maxLength") else None,
        int(given["precision"]) if given.get("precision") else None,
        int(given.get("scale") or 0),
        bool(given.get("defaultValueExpression")),
    )


def fields_of(given: Sequence[dict[str, Any]]) -> tuple[Field, ...]:
    fields = tuple(field_of(each) for each in given)
    if len({each.name.lower() for each in fields}) < len(fields):
        raise invalid("Duplicate field names (they are compared without regard to case)")
    return fields


def loaded(field: Field, value: JsonValue) -> Cell:
    """A value of a JSON line as the column keeps it. Raises Refusal as a load job does."""
    if field.repeated:
        if value is None:
            return "[]"
        if not isinstance(value, list) or any(each is None for each in value):
            raise invalid(f"Field {field.name} is an array without nulls")
        return _text([_loaded_one(field, each) for each in value])
    if value is None:
        if field.mode == "REQUIRED":
            raise invalid(f"Missing required field: {field.name}")
        return None
    found = _loaded_one(field, value)
    return _text(found) if field.kind in ("RECORD",) else cast(Cell, found)


def _loaded_one(field: Field, value: JsonValue) -> JsonValue:
    if field.kind == "RECORD":
        if not isinstance(value, dict):
            raise invalid(f"Field {field.name} is a record")
        return record(field.fields, value)
    if field.kind == "JSON":
        return _text(value)
    return fit(field, _scalar(field, value))


def record(fields: Sequence[Field], values: dict[str, JsonValue]) -> list[JsonValue]:
    """The values of a row or record in the order of its fields."""
    by_name = {name.lower(): value for name, value in values.items()}
    if unknown := by_name.keys() - {field.name.lower() for field in fields}:
        raise invalid(f"No such field: {min(unknown)}")
    return [loaded(field, by_name.get(field.name.lower())) for field in fields]


def _scalar(field: Field, value: JsonValue) -> Cell:
    if field.kind == "STRING" and isinstance(value, str):
        return value
    if field.kind == "BOOLEAN" and isinstance(value, bool):
        return int(value)
    if field.kind == "INTEGER" and not isinstance(value, bool) and _WHOLE.fullmatch(str(value)):
        number = int(str(value))
        if -(2**63) <= number < 2**63:
            return number
    if field.kind in ("NUMERIC", "BIGNUMERIC") and isinstance(value, (str, int, float)):
        return _number(field, str(value))
    if field.kind == "DATE" and isinstance(value, str) and _DATE.fullmatch(value):
        return _day(value)
    if field.kind == "TIMESTAMP" and isinstance(value, str):
        return micros(value)
    raise invalid(f"Could not convert value to {field.kind.lower()}: field {field.name}")


def _number(field: Field, text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise invalid(f"Invalid {field.kind} value") from None
    whole, places = (29, 9) if field.kind == "NUMERIC" else (38, 38)
    if not number.is_finite() or number.copy_abs() >= Decimal(10) ** whole:
        raise invalid(f"Invalid {field.kind} value: out of range")
    return plain(_rounded(number, places))


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, Context(prec=100))


def plain(number: Decimal) -> str:
    """A number's one text."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise invalid("Invalid date") from None


def micros(text: str) -> int:
    """A TIMESTAMP's microseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" ", "T", 1))
    except ValueError:
        raise invalid("Could not parse as a timestamp") from None
    if moment.tzinfo is None and _ZONED.fullmatch(text):
        raise invalid("Could not parse as a timestamp")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1)


def fit(field: Field, value: Cell) -> Cell:
    """A value as the column takes it: too long is refused, too many places are rounded, as Google does."""
    if value is None:
        if field.mode == "REQUIRED":
            raise invalid(f"Required field {field.name} cannot be null")
        return None
    if field.length is not None and isinstance(value, str) and len(value) > field.length:
        raise invalid(f"Field {field.name}: STRING({field.length}) has maximum length {field.length}")
    if field.precision is not None and isinstance(value, str) and field.kind in ("NUMERIC", "BIGNUMERIC"):
        number = _rounded(Decimal(value), field.scale)
        if number.copy_abs() >= Decimal(10) ** (field.precision - field.scale):
            raise invalid(f"Field {field.name}: out of range of NUMERIC({field.precision}, {field.scale})")
        return plain(number)
    return value


def parse_json(text: str | None) -> str | None:
    """What PARSE_JSON gives."""
    if text is None:
        return None
    try:
        return _text(json.loads(text))
    except ValueError:
        raise Refusal(400, "invalidQuery", "Invalid input to PARSE_JSON: syntax error") from None


def given(field: Field, cell: Cell, *, whole: bool) -> JsonValue:
    """A cell as the REST interface gives it. `whole`: timestamps as whole microseconds."""
    if field.repeated:
        return [{"v": _given_one(field, each, whole=whole)} for each in json.loads(str(cell or "[]"))]
    return _given_one(field, cell, whole=whole)


def _given_one(field: Field, cell: JsonValue, *, whole: bool) -> JsonValue:
    if cell is None:
        return None
    if field.kind == "RECORD":
        values = cast(list[Cell], json.loads(cell) if isinstance(cell, str) else cell)
        pairs = zip(field.fields, values, strict=True)
        return {"f": [{"v": given(each, value, whole=whole)} for each, value in pairs]}
    if field.kind == "BOOLEAN":
        return "true" if cell else "false"
    if field.kind == "TIMESTAMP" and not whole:
        return repr(int(cast(int, cell)) / 1e6)
    return str(cell)


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
