"""What a table is at the database, and how it differs from what was declared.

Tables are made and NULLable columns added; nothing is ever dropped, narrowed or changed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine.interfaces import ReflectedColumn

from connectors.tabular import Drift, Key, Table
from connectors.values import PLACES, Value

MICROSECONDS = 6  # places of a datetime's seconds
_LOOSE = sa.text(  # the columns of a table of PostgreSQL's that take two texts for one
    "SELECT attname FROM pg_attribute JOIN pg_type ON pg_type.oid = atttypid "
    "LEFT JOIN pg_collation ON pg_collation.oid = attcollation "
    "WHERE attrelid = to_regclass(:place) AND attnum > 0 AND (typname = 'citext' OR NOT collisdeterministic)"
)
_EXACT = re.compile(r"[0-9a-z]+", re.ASCII)  # what compares alike under every collation


@dataclass(frozen=True, slots=True)
class Shape:
    """A table as it was found. `lengths` and `places` are limits narrower than the declared ones."""

    drift: tuple[Drift, ...] = ()
    readable: frozenset[str] = frozenset()  # declared columns that are there, of a type that fits
    lengths: Mapping[str, int] = field(default_factory=dict[str, int])
    places: Mapping[str, int] = field(default_factory=dict[str, int])

    def objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be stored exactly as it is, as a code, or None."""
        for drift in self.drift:
            if drift.code == "missing_key":
                return "schema_drift"
            if drift.code in ("wrong_type", "missing_column") and drift.column in values:
                return "schema_drift"
            if drift.code == "inexact_key" and not all(_EXACT.fullmatch(str(part)) for part in key):
                return "inexact_key"
        if any(len(str(values[name] or "")) > most for name, most in self.lengths.items() if name in values):
            return "too_long"
        if any(_places(values[name]) > most for name, most in self.places.items() if name in values):
            return "too_precise"
        return None


def _places(value: Value) -> int:
    """How many digits after the point of a decimal, or of a datetime's seconds, are needed."""
    if isinstance(value, Decimal):
        return max(0, -int(value.as_tuple().exponent))
    if isinstance(value, datetime):
        return len(f"{value.microsecond:06}".rstrip("0"))
    return 0


def make(connection: sa.Connection, wanted: sa.Table) -> None:
    """Create the table if it is not there, and add the columns that are not."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(wanted.name, schema=wanted.schema):
        wanted.create(connection, checkfirst=False)
        return
    there = {column["name"].lower() for column in inspector.get_columns(wanted.name, schema=wanted.schema)}
    dialect = connection.dialect
    add = "ADD" if dialect.name == "mssql" else "ADD COLUMN"
    for column in wanted.columns:
        if column.name.lower() not in there and not column.primary_key:
            table = dialect.identifier_preparer.format_table(wanted)
            name = dialect.identifier_preparer.quote(column.name)
            kind = column.type.compile(dialect=dialect)
            connection.execute(sa.text(f"ALTER TABLE {table} {add} {name} {kind} NULL"))


def look(connection: sa.Connection, wanted: sa.Table, table: Table) -> Shape:
    """The table as it is now. One that is not there does not differ: it will be made as declared."""
    inspector = sa.inspect(connection)
    if not inspector.has_table(wanted.name, schema=wanted.schema):
        return Shape()
    there = {column["name"]: column for column in inspector.get_columns(wanted.name, schema=wanted.schema)}
    engine = connection.dialect.name
    drift = [*_column_drift(wanted, table, there, engine)]
    if not _has_key(inspector, wanted, table):
        drift.append(Drift(table.name, "", "missing_key"))
    drift += [Drift(table.name, name, "inexact_key") for name in _inexact(connection, wanted, table)]
    lengths, places = _limits(table, there)
    drift += [Drift(table.name, name, "narrower") for name in (*lengths, *places)]
    broken = {each.column for each in drift if each.code in ("wrong_type", "missing_column", "missing_key")}
    return Shape(tuple(drift), frozenset(table.columns) - broken, lengths, places)


def _column_drift(
    wanted: sa.Table, table: Table, there: Mapping[str, ReflectedColumn], engine: str
) -> Iterator[Drift]:
    for name in table.columns:
        if name not in there:  # also where only upper and lower case differ
            yield Drift(table.name, name, "missing_key" if name in table.key else "missing_column")
        elif not holds(table.columns[name].type, there[name]["type"], engine):
            yield Drift(table.name, name, "missing_key" if name in table.key else "wrong_type")
        elif name in table.key and engine == "mysql" and there[name]["nullable"]:
            yield Drift(table.name, name, "missing_key")  # its upsert's guard needs NOT NULL, see dialects
    for name, column in there.items():
        if name not in table.columns:
            filled = any(column.get(way) for way in ("nullable", "default", "computed", "identity"))
            filled = filled or column.get("autoincrement") is True
            yield Drift(table.name, name, "extra_column" if filled else "required_column")


def holds(declared: str, found: sa.types.TypeEngine[object], engine: str) -> bool:
    """Can a column of the found type hold the declared one, exactly?"""
    text = _is(found, sa.String) and not _is(found, sa.CHAR, sa.NCHAR, sa.Enum)
    exact = _is(found, sa.Numeric) and not _is(found, sa.Float)
    able = {
        "str": text,
        "json": _is(found, sa.JSON) or (text and engine in ("mysql", "mssql")),
        "int": _is(found, sa.Integer),
        "decimal": text if engine == "sqlite" else exact,
        "bool": _is(found, sa.Boolean, mysql.TINYINT),
        "date": _is(found, sa.Date),
        "datetime": _holds_moments(found, engine),
    }
    return able[declared]


def _is(found: sa.types.TypeEngine[object], *kinds: type[object]) -> bool:
    return isinstance(found, kinds)


def _holds_moments(found: sa.types.TypeEngine[object], engine: str) -> bool:
    if engine == "mssql":
        return type(found).__name__ == "DATETIMEOFFSET"
    if not isinstance(found, sa.DateTime) or isinstance(found, mysql.TIMESTAMP):
        return False
    return found.timezone or engine in ("sqlite", "mysql")


def _has_key(inspector: sa.Inspector, wanted: sa.Table, table: Table) -> bool:
    """Is there a unique key over exactly the key columns, whole, without a condition?"""
    name, schema, key = wanted.name, wanted.schema, set(table.key)
    if set(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"]) == key:
        return True
    constraints = inspector.get_unique_constraints(name, schema=schema)
    if inspector.dialect.name != "mysql" and any(set(found["column_names"]) == key for found in constraints):
        return True  # MySQL lists its constraints as indexes, and only there says what they leave out
    return any(
        found["unique"]
        and set(found["column_names"]) == key
        and not is_partial(found.get("dialect_options", {}))
        for found in inspector.get_indexes(name, schema=schema)
    )


def is_partial(options: Mapping[str, object]) -> bool:
    """Does a unique index leave rows out, or the rest of a text?"""
    return any(name.endswith(("_where", "_length")) and value is not None for name, value in options.items())


def _inexact(connection: sa.Connection, wanted: sa.Table, table: Table) -> list[str]:
    return [name for name in loose(connection, wanted) if name in table.key]


def loose(connection: sa.Connection, wanted: sa.Table) -> list[str]:
    """The text columns whose comparison ignores case or accents."""
    if connection.dialect.name == "postgresql":
        place = connection.dialect.identifier_preparer.format_table(wanted)
        return [str(name) for (name,) in connection.execute(_LOOSE, {"place": place})]
    if connection.dialect.name not in ("mysql", "mssql"):
        return []
    columns = sa.table(
        "columns", *map(sa.column, ("column_name", "collation_name", "table_name", "table_schema")),
        schema="information_schema" if connection.dialect.name == "mysql" else "INFORMATION_SCHEMA",
    )  # fmt: skip
    here = wanted.schema or connection.dialect.default_schema_name
    found = connection.execute(
        sa.select(columns.c.column_name, columns.c.collation_name).where(
            columns.c.table_name == wanted.name, columns.c.table_schema == here
        )
    )
    return [
        str(name)
        for name, collation in found
        if collation and not re.search(r"_bin2?$", collation, re.IGNORECASE)
    ]


def _limits(table: Table, there: Mapping[str, ReflectedColumn]) -> tuple[dict[str, int], dict[str, int]]:
    """Lengths and places that are narrower than declared. Engines would cut blanks and round, silently."""
    lengths: dict[str, int] = {}
    places: dict[str, int] = {}
    for name, column in table.columns.items():
        found = there[name]["type"] if name in there else None
        if isinstance(found, sa.String) and column.type == "str":
            if found.length is not None and found.length < table.length(name):
                lengths[name] = found.length
        elif isinstance(found, sa.Numeric) and column.type == "decimal":
            if found.scale is not None and found.scale < PLACES:
                places[name] = found.scale
        elif isinstance(found, mysql.DATETIME) and (found.fsp or 0) < MICROSECONDS:
            places[name] = found.fsp or 0
    return lengths, places
