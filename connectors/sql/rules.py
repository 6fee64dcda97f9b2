"""What a database refuses of rows beyond their columns' types, found without writing.

Checks are evaluated by the database itself, in a SELECT, so that no column leaves it that is not declared.
Not known before: triggers, row policies, exclusions, and unique indexes that are partial or of expressions.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import ReflectedColumn

from connectors.sql.schema import is_partial, loose
from connectors.tabular import Key, Record, Table
from connectors.values import Value, as_json

AT_ONCE = 50  # rows that are held against a check in one statement
CHUNK = 500  # values in one SELECT
ROW, THERE, ONE = "_ferry_row", "_ferry_there", "_ferry_one"
_MARIADB = sa.text(  # also those that are told with their column alone
    "SELECT check_clause FROM information_schema.check_constraints "
    "WHERE constraint_schema = COALESCE(:schema, DATABASE()) AND table_name = :name"
)

Row = Mapping[str, Value]
Values = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Columns that name a row of another table, in the order of the columns that they refer to."""

    columns: tuple[str, ...]
    schema: str | None
    table: str
    referred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """A table's rules as they are now."""

    there: sa.TableClause
    strict: frozenset[str]  # may not be null
    filled: frozenset[str]  # have a default
    checks: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]  # of declared columns alone, without the key
    foreign: tuple[Foreign, ...]  # likewise
    loose: frozenset[str]  # texts that differ in case may be one there


def look(connection: sa.Connection, wanted: sa.Table, table: Table) -> Rules | None:
    """The rules of the table; None if it is not there, and will be made as declared."""
    inspector, name, schema = sa.inspect(connection), wanted.name, wanted.schema
    if not inspector.has_table(name, schema=schema):
        return None
    columns = inspector.get_columns(name, schema=schema)
    ours = {name for name, column in table.columns.items() if column.type != "json"}
    unique = (each for each in _unique(inspector, wanted) if each and set(each) != set(table.key))
    return Rules(
        there=sa.table(name, *(sa.column(one["name"], one["type"]) for one in columns), schema=schema),
        strict=frozenset(one["name"] for one in columns if not one["nullable"]),
        filled=frozenset(one["name"] for one in columns if _fills_itself(one)),
        checks=tuple(_checks(connection, inspector, wanted)),
        unique=tuple(dict.fromkeys(each for each in unique if ours.issuperset(each))),
        foreign=tuple(each for each in _foreign(inspector, wanted) if ours.issuperset(each.columns)),
        loose=frozenset(loose(connection, wanted)),
    )


def _fills_itself(column: ReflectedColumn) -> bool:
    return any(column.get(way) for way in ("default", "computed", "identity")) or (
        column.get("autoincrement") is True
    )


def _checks(connection: sa.Connection, inspector: sa.Inspector, wanted: sa.Table) -> list[str]:
    if getattr(connection.dialect, "is_mariadb", False):
        asked = {"schema": wanted.schema, "name": wanted.name}
        return [str(text) for (text,) in connection.execute(_MARIADB, asked)]
    return [one["sqltext"] for one in inspector.get_check_constraints(wanted.name, schema=wanted.schema)]


def _unique(inspector: sa.Inspector, wanted: sa.Table) -> Iterator[tuple[str, ...]]:
    name, schema = wanted.name, wanted.schema
    yield tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"])
    if inspector.dialect.name != "mysql":  # there they are among the indexes
        for one in inspector.get_unique_constraints(name, schema=schema):
            yield tuple(one["column_names"])
    for index in inspector.get_indexes(name, schema=schema):
        names = tuple(each for each in index["column_names"] if each is not None)
        whole = len(names) == len(index["column_names"]) and not is_partial(index.get("dialect_options", {}))
        if index["unique"] and whole:
            yield names


def _foreign(inspector: sa.Inspector, wanted: sa.Table) -> Iterator[Foreign]:
    if inspector.dialect.name == "sqlite":
        return  # it keeps none, unless a connection asks for it
    for one in inspector.get_foreign_keys(wanted.name, schema=wanted.schema):
        columns, referred = tuple(one["constrained_columns"]), tuple(one["referred_columns"])
        yield Foreign(columns, one["referred_schema"], one["referred_table"], referred)


def row_of(record: Record, table: Table) -> dict[str, Value]:
    """The record as the columns of a row."""
    return {**dict(zip(table.key, record.key, strict=True)), **record.values}


def lacks(rules: Rules, row: Row) -> bool:
    """Does the row, as it is inserted, leave a column null that may not be? An update is inserted first."""
    return any(row[name] is None if name in row else name not in rules.filled for name in rules.strict)


def broken(
    connection: sa.Connection, rules: Rules, wanted: sa.Table, rows: Sequence[Row], *, over: bool
) -> set[int]:
    """The positions of rows that break a check: as they are inserted, or `over` the rows that are there."""
    found: set[int] = set()
    for check in rules.checks:
        named = [one.name for one in rules.there.columns if re.search(rf"\b{re.escape(one.name)}\b", check)]
        known = [
            (at, row)
            for at, row in enumerate(rows)
            if over or not any(name in rules.filled and name not in row for name in named)
        ]
        condition = sa.text(f"NOT ({check.replace(':', chr(92) + ':')})")
        for start in range(0, len(known), AT_ONCE):
            part = known[start : start + AT_ONCE]
            each = (_laid(connection, rules, wanted, number, row, named, over=over) for number, row in part)
            laid = sa.union_all(*each).subquery(wanted.name)
            found |= {
                int(number) for (number,) in connection.execute(sa.select(laid.c[ROW]).where(condition))
            }
    return found


def _laid(
    connection: sa.Connection, rules: Rules, wanted: sa.Table, number: int, row: Row, names: Sequence[str],
    *, over: bool,
) -> sa.Select[tuple[int]]:  # fmt: skip
    """One row, out of parameters; what it does not set is null, or as the row that is there has it."""
    there = rules.there.alias(THERE)

    def cell(name: str) -> sa.ColumnElement[object]:
        if over and name not in row:
            return there.c[name]
        kind = wanted.c[name].type if name in row else sa.types.NullType()
        value = sa.bindparam(None, row.get(name), type_=kind, unique=True)
        return sa.cast(value, rules.there.c[name].type) if connection.dialect.name == "postgresql" else value

    laid = sa.select(sa.literal(number).label(ROW), *(cell(name).label(name) for name in names))
    if not over:
        return laid
    same = (there.c[key.name] == row[key.name] for key in wanted.primary_key)
    one = sa.select(sa.literal(1).label(ONE)).subquery(ONE)
    return laid.select_from(one.outerjoin(there, sa.and_(*same)))


def spelled(values: Values, columns: Sequence[str], rules: Rules) -> str:
    """Values as one text: equal ones are what the database takes for equal, accents left aside."""
    return json.dumps(
        [
            value.casefold().rstrip(" ") if name in rules.loose and isinstance(value, str) else as_json(value)
            for name, value in zip(columns, values, strict=True)
        ]
    )


def parts(rules: Rules, row: Row, now: Row | None, columns: Sequence[str]) -> Values | None:
    """What a row will have in these columns; None if a default decides it."""
    if now is None and any(name in rules.filled and name not in row for name in columns):
        return None
    whole = {**(now or {}), **row}
    return tuple(whole.get(name) for name in columns)


def found(
    connection: sa.Connection, where: sa.FromClause, columns: Sequence[str], sought: Sequence[Values],
    names: Sequence[str] = (),
) -> list[tuple[Values, Values]]:  # fmt: skip
    """The rows that have one of these values in the columns: those, and what they have in `names`."""
    rows: list[tuple[Values, Values]] = []
    width, distinct = len(columns), list(dict.fromkeys(sought))
    for start in range(0, len(distinct), CHUNK):
        part = distinct[start : start + CHUNK]
        among = (
            where.c[name].in_(set(each)) for name, each in zip(columns, zip(*part, strict=True), strict=True)
        )
        asked = sa.select(*(where.c[name] for name in (*columns, *names))).where(*among)
        rows += [(tuple(row[:width]), tuple(row[width:])) for row in connection.execute(asked)]
    return rows


def by_key(
    connection: sa.Connection, wanted: sa.Table, table: Table, keys: Sequence[Key], names: Sequence[str]
) -> dict[Values, dict[str, Value]]:
    """What the rows with these keys have in these columns."""
    rows = found(connection, wanted, table.key, keys, names)
    return {key: dict(zip(names, values, strict=True)) for key, values in rows}
