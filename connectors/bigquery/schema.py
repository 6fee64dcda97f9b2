"""What a table is at BigQuery, and how it differs from what was declared.

Tables are made and NULLABLE columns added; nothing is ever dropped, narrowed or changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from connectors.bigquery.options import Layout
from connectors.bigquery.statements import AT, GIVEN
from connectors.tabular import Drift, Key, Table
from connectors.values import DIGITS, PLACES, Value

Field = Mapping[str, Any]  # of a schema, as the REST interface spells it

TYPES: Final = {
    "str": "STRING",
    "int": "INTEGER",
    "decimal": "NUMERIC",
    "bool": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "json": "JSON",
}
SPELLINGS: Final = {"INT64": "INTEGER", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC"}
WIDE: Final = {"BIGDECIMAL", "BIGNUMERIC"}
_EXACT = re.compile(r"[0-9a-z]+", re.ASCII)  # what compares alike under every collation


@dataclass(frozen=True, slots=True)
class Found:
    """A table as it is at Google."""

    fields: tuple[Field, ...]
    plain: bool  # neither a view nor an external table


@dataclass(frozen=True, slots=True)
class Made:
    """How a table is to be made."""

    fields: Sequence[Field]
    partition: tuple[str, str] | None = None  # column and unit
    cluster: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it was found. The limits are those that are narrower than the declared ones."""

    drift: tuple[Drift, ...] = ()
    readable: frozenset[str] = frozenset()  # declared columns that are there, of a type that fits
    lengths: Mapping[str, int] = field(default_factory=dict[str, int])
    digits: Mapping[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])  # before, after
    required: frozenset[str] = frozenset()
    records: Mapping[str, Field] = field(
        default_factory=dict[str, Field]
    )  # lists, in the order of their fields

    @property
    def made(self) -> "Shape":
        """As it is with the columns that the first write adds."""
        return replace(self, drift=tuple(one for one in self.drift if one.code != "missing_column"))

    def objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be stored exactly as it is, as a code, or None."""
        broken = {drift.column.partition(".")[0] for drift in self.drift if drift.code in _BROKEN}
        codes = {drift.code for drift in self.drift}
        if "missing_key" in codes or broken.intersection(values):
            return "schema_drift"
        if "inexact_key" in codes and not all(_EXACT.fullmatch(str(part)) for part in key):
            return "inexact_key"
        if "required_column" in codes or any(values.get(name) is None for name in self.required):
            return "not_null"
        if any(len(str(values[name] or "")) > most for name, most in self.lengths.items() if name in values):
            return "too_long"
        return next(
            (code for name, limits in self.digits.items() if (code := _beyond(values.get(name), limits))),
            None,
        )


_BROKEN = ("wrong_type", "missing_column")


def _beyond(value: Value, limits: tuple[int, int]) -> str | None:
    if not isinstance(value, Decimal):
        return None
    before, after = limits
    if max(0, -int(value.as_tuple().exponent)) > after:
        return "too_precise"
    return "out_of_range" if value.copy_abs() >= Decimal(10) ** before else None


def kind(found: Field) -> str:
    """A column's type in one spelling."""
    return SPELLINGS.get(str(found["type"]), str(found["type"]))


def wanted(table: Table, layout: Layout) -> Made:
    """The declared table. Only the key is REQUIRED."""
    fields = [_column(table, layout, name) for name in (*table.key, *table.plain)]
    moment = {"name": AT, "type": "TIMESTAMP", "description": "when Ferry last sent the row"}
    partition = None if layout.partition_by is None else (layout.partition_by, layout.partition_unit)
    return Made([*fields, moment], partition, layout.cluster_by or table.key)


def _column(table: Table, layout: Layout, name: str) -> dict[str, Any]:
    if name in layout.records:
        within = [_nullable(each, TYPES[kind_]) for each, kind_ in layout.records[name].items()]
        return {"name": name, "type": "RECORD", "mode": "REPEATED", "fields": within}
    column = _nullable(name, TYPES[table.columns[name].type])
    return column | {"mode": "REQUIRED"} if name in table.key else column


def _nullable(name: str, kind_: str) -> dict[str, Any]:
    return {"name": name, "type": kind_, "mode": "NULLABLE"}


def staging(table: Table, shape: Shape, columns: Sequence[str]) -> list[Field]:
    """The table that rows are loaded into. Records have the target's own order of fields: it is by position
    that BigQuery gives one record's values to another."""
    plain = [
        "STRING" if table.columns[name].type == "json" else TYPES[table.columns[name].type]
        for name in columns
    ]
    given: Field = {"name": GIVEN, "type": "STRING", "mode": "REPEATED"}
    return [
        *(_nullable(name, TYPES[table.columns[name].type]) for name in table.key),
        *(
            shape.records.get(name) or _nullable(name, kind_)
            for name, kind_ in zip(columns, plain, strict=True)
        ),
        given,
    ]


def extended(found: Found, made: Made) -> list[Field] | None:
    """The table's own schema with what is missing, None if nothing is. A key cannot be added."""
    fields, more = _with(found.fields, made.fields)
    return fields if more else None


def _with(there: Sequence[Field], declared: Sequence[Field]) -> tuple[list[Field], bool]:
    by_name = {str(each["name"]).lower(): dict(each) for each in there}
    more = False
    for each in declared:
        present = by_name.get(str(each["name"]).lower())
        if present is None and each.get("mode") != "REQUIRED":
            by_name[str(each["name"]).lower()] = dict(each)
            more = True
        elif present is not None and each.get("fields") and _is_list(present):
            present["fields"], within = _with(present.get("fields", ()), each["fields"])
            more = more or within
    return list(by_name.values()), more


def look(found: Found | None, table: Table, layout: Layout) -> Shape:
    """The table as it is now. One that is not there does not differ: it will be made as declared."""
    if found is None:
        return Shape()
    if not found.plain:
        return Shape((Drift(table.name, "", "missing_key"),))
    declared = {each["name"]: each for each in wanted(table, layout).fields}
    there = {str(each["name"]).lower(): each for each in found.fields}
    own = {name: there[name.lower()] for name in declared if name.lower() in there}
    drift = [*_column_drift(table, layout, declared, own), *_extra_drift(table, found, declared)]
    limits = {
        name: limit for name in table.columns if name in own and (limit := _digits(own[name], table, name))
    }
    lengths = {
        name: most for name in table.columns if name in own and (most := _length(own[name], table, name))
    }
    drift += [Drift(table.name, name, "narrower") for name in (*lengths, *limits)]
    broken = {each.column.partition(".")[0] for each in drift if each.code in (*_BROKEN, "missing_key")}
    return Shape(
        tuple(drift),
        frozenset(table.columns) - broken,
        lengths,
        limits,
        frozenset(name for name in table.plain if name in own and _is_required(own[name])),
        {name: own[name] for name in layout.records if name in own},
    )


def _column_drift(
    table: Table, layout: Layout, declared: Mapping[str, Field], own: Mapping[str, Field]
) -> Iterator[Drift]:
    for name, wants in declared.items():
        is_key = name in table.key
        if name not in own:
            yield Drift(table.name, name, "missing_key" if is_key else "missing_column")
        elif name in layout.records and _is_list(own[name]):
            yield from _record_drift(table.name, name, wants, own[name])
        elif not _holds(own[name], wants):
            yield Drift(table.name, name, "missing_key" if is_key else "wrong_type")
        elif is_key and own[name].get("collation"):
            yield Drift(table.name, name, "inexact_key")


def _record_drift(table: str, column: str, wants: Field, found: Field) -> Iterator[Drift]:
    there = {str(each["name"]).lower(): each for each in found.get("fields", ())}
    for each in wants["fields"]:
        present = there.pop(str(each["name"]).lower(), None)
        if present is None:
            yield Drift(table, f"{column}.{each['name']}", "missing_column")
        elif not _holds(present, each) or any(present.get(limit) for limit in ("maxLength", "precision")):
            yield Drift(table, f"{column}.{each['name']}", "wrong_type")
    for extra in there.values():  # a list is replaced whole: what somebody keeps within it would be lost
        yield Drift(table, f"{column}.{extra['name']}", "wrong_type")


def _extra_drift(table: Table, found: Found, declared: Mapping[str, Field]) -> Iterator[Drift]:
    known = {name.lower() for name in declared}
    for each in found.fields:
        if str(each["name"]).lower() not in known:
            filled = not _is_required(each)
            yield Drift(table.name, str(each["name"]), "extra_column" if filled else "required_column")


def _is_required(found: Field) -> bool:
    return found.get("mode") == "REQUIRED" and not found.get("defaultValueExpression")


def _is_list(found: Field) -> bool:
    return kind(found) == "RECORD" and found.get("mode") == "REPEATED"


def _holds(found: Field, wants: Field) -> bool:
    """Can the column hold the declared type, exactly?"""
    if found.get("mode") == "REPEATED" or wants.get("mode") == "REPEATED":
        return False
    return kind(found) == wants["type"] or (wants["type"] == "NUMERIC" and kind(found) in WIDE)


def _length(found: Field, table: Table, name: str) -> int | None:
    most = found.get("maxLength")
    if table.columns[name].type != "str" or most is None or int(most) >= table.length(name):
        return None
    return int(most)


def _digits(found: Field, table: Table, name: str) -> tuple[int, int] | None:
    if table.columns[name].type != "decimal" or found.get("precision") is None:
        return None
    after = int(found.get("scale") or 0)
    before = int(found["precision"]) - after
    return (before, after) if before < DIGITS - PLACES or after < PLACES else None
