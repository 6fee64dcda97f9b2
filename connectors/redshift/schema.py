"""What a table is in the warehouse, and how it differs from what was declared.

Tables are made and columns added; nothing is ever dropped, narrowed or changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from connectors.redshift import texts
from connectors.redshift.stage import LARGEST, size
from connectors.redshift.texts import Names
from connectors.tabular import Drift, Key, Table
from connectors.values import PLACES, ColumnType, Value

if TYPE_CHECKING:
    from connectors.redshift.session import Session

HOLDS: Mapping[ColumnType, tuple[str, ...]] = {
    "str": ("character varying",),
    "int": ("bigint",),
    "decimal": ("numeric",),
    "bool": ("boolean",),
    "date": ("date",),
    "datetime": ("timestamp with time zone",),
    "json": ("super",),
}


class Found(NamedTuple):
    """A column as the catalogue says it is."""

    name: str
    type: str
    length: int | None  # bytes
    places: int | None
    nullable: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it was found. `lengths` and `places` are limits narrower than the declared ones.

    strict: declared columns, the key left out, that may not be null; given: those of them without a default.
    """

    drift: tuple[Drift, ...] = ()
    readable: frozenset[str] = frozenset()  # declared columns that are there, of a type that fits
    lengths: Mapping[str, int] = field(default_factory=dict[str, int])
    places: Mapping[str, int] = field(default_factory=dict[str, int])
    strict: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()

    @property
    def made(self) -> "Shape":
        """As it is with the columns that the first write adds."""
        return replace(self, drift=tuple(one for one in self.drift if one.code != "missing_column"))

    def objection(self, table: Table, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be stored exactly as it is, as a code, or None."""
        for drift in self.drift:
            if drift.code in ("missing_key", "required_column"):
                return "schema_drift"
            if drift.code in ("wrong_type", "missing_column") and drift.column in values:
                return "schema_drift"
        sizes = {name: size(value, table.columns[name].type) for name, value in values.items()}
        sizes |= {name: len(str(part).encode()) for name, part in zip(table.key, key, strict=True)}
        if any(sizes[name] > self.lengths.get(name, texts.WIDEST) for name in sizes):
            return "too_long"
        if sum(sizes.values()) * 2 > LARGEST:  # every quote in it is written twice
            return "too_long"
        if any(_places(values[name]) > most for name, most in self.places.items() if name in values):
            return "too_precise"
        return None


def make(session: "Session", names: Names, table: Table) -> None:
    """Create the table and the ledger of loads, and add the columns that are not there."""
    session.run(texts.make_loads(names))
    there = {column.name for column in _columns(session, names)}
    if not there:
        session.run(texts.make(names, table))
        return
    for name in table.plain:
        if name.lower() not in there:
            session.run(texts.add(names, table, name))


def look(session: "Session", names: Names, table: Table) -> Shape:
    """The table as it is now. One that is not there does not differ: it will be made as declared."""
    there = {column.name: column for column in _columns(session, names)}
    if not there:
        return Shape()
    drift = list(_column_drift(table, there))
    broken = {each.column for each in drift if each.code in ("wrong_type", "missing_column", "missing_key")}
    if not broken & set(table.key) and session.rows(texts.doubled(names, table)):
        drift.append(Drift(table.name, "", "missing_key"))  # nothing in the warehouse forbids doubled keys
    lengths, places = _limits(table, there)
    drift += [Drift(table.name, name, "narrower") for name in (*lengths, *places)]
    own = {name: there[name.lower()] for name in table.plain if name.lower() in there}
    strict = frozenset(name for name, found in own.items() if found.nullable != "YES")
    given = frozenset(name for name in strict if own[name].default is None)
    return Shape(tuple(drift), frozenset(table.columns) - broken, lengths, places, strict, given)


def _columns(session: "Session", names: Names) -> list[Found]:
    found = session.rows(texts.columns_of(), (names.schema.lower(), names.table.lower()))
    return [Found(*row) for row in found]


def _column_drift(table: Table, there: Mapping[str, Found]) -> Iterator[Drift]:
    for name, column in table.columns.items():
        found = there.get(name.lower())
        if found is None:
            yield Drift(table.name, name, "missing_key" if name in table.key else "missing_column")
        elif found.type.lower() not in HOLDS[column.type]:
            yield Drift(table.name, name, "missing_key" if name in table.key else "wrong_type")
    declared = {name.lower() for name in table.columns}
    for name, found in there.items():
        if name not in declared:
            filled = found.nullable == "YES" or found.default is not None
            yield Drift(table.name, name, "extra_column" if filled else "required_column")


def _limits(table: Table, there: Mapping[str, Found]) -> tuple[dict[str, int], dict[str, int]]:
    lengths: dict[str, int] = {}
    places: dict[str, int] = {}
    for name, column in table.columns.items():
        found = there.get(name.lower())
        declared = min(table.length(name) * texts.BYTES, texts.WIDEST)
        if found is None:
            continue
        if column.type == "str" and found.length is not None and found.length < declared:
            lengths[name] = found.length
        if column.type == "decimal" and found.places is not None and found.places < PLACES:
            places[name] = found.places
    return lengths, places


def _places(value: Value) -> int:
    return max(0, -int(value.as_tuple().exponent)) if isinstance(value, Decimal) else 0
