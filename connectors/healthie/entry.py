"""From Healthie's records to entries: plain JSON values with exactly the asked paths.

Lists are ordered by id. Missing, null and empty stay apart: what Healthie did not answer is absent,
its null is None. What is malformed is left out and reported as a code.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from typing import Final, cast

from pydantic import JsonValue

from connectors.entry import Found
from connectors.healthie.fields import Leaf, branches, catalogue
from connectors.healthie.normal import MalformedError, day, metadata, minor, moment
from connectors.healthie.patient import Patient
from connectors.healthie.records import Kind, Record

Objects = dict[str, JsonValue]
Convert = Callable[[JsonValue, "Column", Record, tzinfo], JsonValue]
Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """One value of an entry's object: where it comes from, and which keys of it (metadata)."""

    leaf: Leaf
    name: str
    convert: Convert
    keys: tuple[Keys, ...] = ()  # () means the whole


@dataclass(slots=True)
class Shape:
    """What one object of an entry consists of."""

    plain: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # (source, name): as they are
    columns: list[Column] = field(default_factory=list[Column])
    below: dict[str, "Shape"] = field(default_factory=dict[str, "Shape"])

    def apply(self, record: Record, zone: tzinfo, troubles: dict[str, None]) -> Objects:
        """The object of this record. Codes of what was left out go into `troubles`."""
        there = record.model_fields_set
        values = record.__dict__
        made: Objects = {name: values[source] for source, name in self.plain if source in there}
        for column in self.columns:
            source = column.leaf.source
            value = values[source] if source in there else None
            if value is None:
                if source in there and not column.keys:
                    made[column.name] = None
                continue
            try:
                converted = column.convert(value, column, record, zone)
            except MalformedError as malformed:
                troubles[malformed.code] = None
            else:
                if converted or not column.keys:  # of the asked keys none is there: nor is the object
                    made[column.name] = converted
        for name, shape in self.below.items():
            if name in there:
                made[name] = shape.of(values[name], zone, troubles)
        return made

    def of(self, value: Record | list[Record] | None, zone: tzinfo, troubles: dict[str, None]) -> JsonValue:
        """The object or the objects of what is below a record."""
        if isinstance(value, list):
            rows = sorted(value, key=by_id) if len(value) > 1 else value
            return [self.apply(row, zone, troubles) for row in rows]
        return None if value is None else self.apply(value, zone, troubles)


def project(patient: Patient, paths: frozenset[str], zone: tzinfo) -> Found:
    """The entry of this patient with exactly these paths."""
    troubles: dict[str, None] = {}
    entry = _shape(paths).apply(patient, zone, troubles)
    return Found(patient.id, entry, tuple(sorted(troubles)))


def by_id(record: Record) -> tuple[int, str]:
    """The order of lists: by id as a number, then as text."""
    text = record.id or ""
    return (int(text), "") if text.isdecimal() and len(text) < 30 else (0, text)


@lru_cache(maxsize=64)
def _shape(paths: frozenset[str]) -> Shape:
    top = Shape()
    for path, keys in _grouped(paths).items():
        leaf, _ = catalogue().leaf(path)
        at, below = top, cast(type[Record], Patient)
        *parents, name = path.split(".")
        for parent in parents:
            at, below = at.below.setdefault(parent, Shape()), branches(below)[parent].record
        convert = _CONVERT.get(leaf.kind)
        if convert is None:
            at.plain.append((leaf.source, name))
        else:
            at.columns.append(Column(leaf, name, convert, keys))
    return top


def _grouped(paths: Iterable[str]) -> Mapping[str, tuple[Keys, ...]]:
    """{declared path: the metadata keys asked for, () for the whole}, in order."""
    found: dict[str, set[Keys]] = {}
    for path in sorted(paths):
        leaf, keys = catalogue().leaf(path)
        found.setdefault(leaf.entry.path, set()).add(keys)
    return {path: () if () in keys else tuple(sorted(keys)) for path, keys in sorted(found.items())}


def _json(value: JsonValue, column: Column, record: Record, zone: tzinfo) -> JsonValue:
    whole = metadata(value)
    if not column.keys or whole is None:
        return whole
    made: Objects = {}
    for keys in column.keys:
        _pick(whole, keys, made)
    return made


def _pick(whole: Objects, keys: Keys, into: Objects) -> None:
    """Copy the value at `keys`, if it is there."""
    at: JsonValue = whole
    for key in keys:
        if not isinstance(at, dict) or key not in at:
            return
        at = at[key]
    for key in keys[:-1]:
        below = into.setdefault(key, {})
        if not isinstance(below, dict):  # the shorter path was asked for too, and came first
            return
        into = below
    into.setdefault(keys[-1], at)


def _money(value: JsonValue, column: Column, record: Record, zone: tzinfo) -> JsonValue:
    currency = record.__dict__.get(column.leaf.beside) if column.leaf.beside else None
    return minor(cast(str | float, value), cast(str | None, currency))


def _moment(value: JsonValue, column: Column, record: Record, zone: tzinfo) -> JsonValue:
    return moment(cast(str, value), zone)


def _day(value: JsonValue, column: Column, record: Record, zone: tzinfo) -> JsonValue:
    return day(cast(str, value))


_CONVERT: Final[Mapping[Kind, Convert]] = {
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.MONEY: _money,
    Kind.JSON: _json,
}
