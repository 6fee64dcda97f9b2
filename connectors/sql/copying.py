"""PostgreSQL's bulk path: one COPY of all rows into a temporary table, then an upsert out of it.

The temporary table has the target's own columns, so that a value is read by the type that will hold it, and
is gone with the transaction. Its names begin with an underscore, as no declared one does.
"""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from connectors.values import Value

STAGED, GROUP = "_ferry_rows", "_ferry_group"

Group = tuple[str, ...]
"""The columns that some rows set, beside the key."""


def upsert(
    connection: sa.Connection,
    table: sa.Table,
    key: Sequence[str],
    groups: Mapping[Group, Sequence[Mapping[str, Value]]],
) -> None:
    """Insert these rows, or set their group's columns where their keys are, in the open transaction."""
    quote = connection.dialect.identifier_preparer
    target = quote.format_table(table)
    names = [
        *key,
        *(column.name for column in table.columns if any(column.name in given for given in groups)),
    ]
    columns = ", ".join(quote.quote(name) for name in names)
    staged = f"SELECT 0 AS {GROUP}, {columns} FROM {target} WITH NO DATA"  # noqa: S608  # declared and quoted
    connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {STAGED} ON COMMIT DROP AS {staged}")
    document = frozenset(name for name in names if isinstance(table.c[name].type, sa.JSON))
    with _copy(connection, f"COPY pg_temp.{STAGED} ({GROUP}, {columns}) FROM STDIN") as copy:
        for number, rows in enumerate(groups.values()):
            for row in rows:
                cells = (_cell(row.get(name), json_text=name in document) for name in names)
                copy.write_row((number, *cells))
    for number, given in enumerate(groups):
        connection.exec_driver_sql(_moved(quote.quote, target, key, given, number))


def _moved(quote: Callable[[str], str], target: str, key: Sequence[str], given: Group, number: int) -> str:
    columns = ", ".join(quote(name) for name in (*key, *given))
    changed = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in given)
    return (
        f"INSERT INTO {target} ({columns}) "  # noqa: S608  # declared and quoted names only
        f"SELECT {columns} FROM pg_temp.{STAGED} WHERE {GROUP} = {number} "
        f"ON CONFLICT ({', '.join(quote(name) for name in key)}) "
        f"DO {'UPDATE SET ' + changed if given else 'NOTHING'}"
    )


def _cell(value: Value, *, json_text: bool) -> Value:
    return json.dumps(value) if json_text and value is not None else value


@contextmanager
def _copy(connection: sa.Connection, statement: str) -> Generator[Any]:  # psycopg's Copy
    """A COPY that is being written. The driver's errors come as SQLAlchemy's, as everywhere else."""
    dialect, driver = connection.dialect, connection.connection.driver_connection
    assert driver is not None
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy
    except dialect.loaded_dbapi.Error as error:
        base = dialect.loaded_dbapi.Error
        raise DBAPIError.instance("COPY", None, error, base, hide_parameters=True, dialect=dialect) from error
