"""How each engine spells a column's type and an upsert. The only place that differs between engines."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.type_api import TypeEngine

from connectors.tabular import Table
from connectors.values import DIGITS, PLACES, canonical

SHORT = 255  # characters up to which MySQL and SQL Server get a VARCHAR; longer ones are unlimited text


class Moment(sa.types.TypeDecorator[datetime]):
    """A datetime in UTC, for engines whose datetime knows no offset."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        return mysql.DATETIME(fsp=6) if dialect.name == "mysql" else sa.DateTime()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Zoned(sa.types.TypeDecorator[datetime]):
    """A datetime with its offset, always given back in UTC."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime]:
        if dialect.name == "mssql":
            return mssql.DATETIMEOFFSET(6)  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
        return sa.DateTime(timezone=True)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)


class Exact(sa.types.TypeDecorator[Decimal]):
    """A decimal as text: SQLite has none, and its floats are not exact."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(canonical(value), "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def type_of(table: Table, column: str, engine: str) -> TypeEngine[Any]:  # of what depends on the table
    """The engine's type of a declared column."""
    kind = table.columns[column].type
    if kind == "str":
        return _text(table, column, engine)
    if kind == "json":
        return postgresql.JSONB(none_as_null=True) if engine == "postgresql" else sa.JSON(none_as_null=True)
    made: dict[str, TypeEngine[Any]] = {
        "int": sa.BigInteger(),
        "decimal": Exact() if engine == "sqlite" else sa.Numeric(DIGITS, PLACES),
        "bool": sa.Boolean(),
        "date": sa.DATE(),  # sa.Date() would be a DATETIME on an old SQL Server
        "datetime": Moment() if engine in ("sqlite", "mysql") else Zoned(),
    }
    return made[kind]


def _text(table: Table, column: str, engine: str) -> TypeEngine[str]:
    length, is_key = table.length(column), column in table.key
    if engine == "sqlite":
        return sa.Text()
    if engine == "postgresql":
        return sa.Text() if table.columns[column].max_length is None else sa.String(length)
    if engine == "mysql":
        if length > SHORT:
            return mysql.LONGTEXT()
        return mysql.VARCHAR(length, collation="utf8mb4_bin" if is_key else None)
    bounded = length if length <= SHORT else None
    return sa.Unicode(bounded, collation="Latin1_General_100_BIN2" if is_key else None)


def table_of(table: Table, schema: str | None, engine: str) -> sa.Table:
    """The declared table in the engine's own types. Only the key is NOT NULL."""
    columns = [
        sa.Column(
            name,
            type_of(table, name, engine),
            primary_key=name in table.key,
            autoincrement=False,
            nullable=name not in table.key,
        )
        for name in (*table.key, *table.plain)
    ]
    return sa.Table(
        table.name,
        sa.MetaData(),
        *columns,
        schema=schema,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
    )


def upsert(table: sa.Table, key: Sequence[str], given: Sequence[str], engine: str) -> sa.Executable:
    """One statement for one row: insert it, or set the given columns of the row with that key.

    Not PostgreSQL's: it takes all rows at once, see copying.py. MySQL's driver makes one statement of many
    rows; SQLite's prepares it once.
    """
    if engine == "sqlite":
        return _on_conflict(sqlite.insert(table), key, given)
    if engine == "mysql":
        return _on_duplicate_key(mysql.insert(table), key, given)
    return merge(table, key, given)


def _on_conflict(statement: sqlite.Insert, key: Sequence[str], given: Sequence[str]) -> sa.Executable:
    if not given:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    return statement.on_conflict_do_update(
        index_elements=list(key), set_={name: statement.excluded[name] for name in given}
    )


def _on_duplicate_key(statement: mysql.Insert, key: Sequence[str], given: Sequence[str]) -> mysql.Insert:
    # It fires on any unique key. A row that another unique key found is not ours: setting its key to
    # NULL makes the engine refuse the statement (1048) where it would overwrite another patient.
    columns, new = statement.table.c, statement.inserted
    ours = sa.and_(*(columns[name] == new[name] for name in key))
    guard: list[tuple[str, object]] = [(key[0], sa.func.if_(ours, columns[key[0]], sa.null()))]
    return statement.on_duplicate_key_update([*guard, *((name, new[name]) for name in given)])


def merge(table: sa.Table, key: Sequence[str], given: Sequence[str]) -> sa.TextClause:
    """SQL Server's upsert. HOLDLOCK keeps two sessions from inserting the same key."""
    preparer = mssql.dialect().identifier_preparer  # type: ignore[no-untyped-call]  # SQLAlchemy left it untyped
    quote, target = preparer.quote, preparer.format_table(table)
    names = [*key, *given]
    columns = ", ".join(quote(name) for name in names)
    matched = " AND ".join(f"target.{quote(name)} = source.{quote(name)}" for name in key)
    changed = ", ".join(f"target.{quote(name)} = source.{quote(name)}" for name in given)
    update = f"WHEN MATCHED THEN UPDATE SET {changed} " if given else ""
    return sa.text(
        f"MERGE INTO {target} WITH (HOLDLOCK) AS target "  # noqa: S608  # declared and quoted names only
        f"USING (VALUES ({', '.join(':' + name for name in names)})) AS source ({columns}) ON {matched} "
        f"{update}WHEN NOT MATCHED THEN INSERT ({columns}) "
        f"VALUES ({', '.join('source.' + quote(name) for name in names)});"
    ).bindparams(*(sa.bindparam(name, type_=table.c[name].type) for name in names))
