"""The statements, as Redshift spells them. Its MERGE knows no alias of the target and no further condition.

Names are of declared tables and columns, so letters, digits and _; a name with _ in front is ours. Redshift
folds all of them to lower case.
"""

# ruff: noqa: S608  # only declared names are put into a text; values are bound

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.tabular import Table
from connectors.values import DIGITS, PLACES

WIDEST = 65_535  # bytes of a VARCHAR
BYTES = 4  # of one character, at most
FLAGS = "_set"  # which columns a staged row sets: one character each, in the order of Table.plain
LOADS = "_loads"
RIGHTS = (
    "SELECT has_schema_privilege(current_user, %s, 'CREATE'), "
    "has_database_privilege(current_user, current_database(), 'TEMP')"
)


@dataclass(frozen=True, slots=True)
class Names:
    """How a table is named in statements."""

    schema: str
    table: str

    @property
    def full(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.table)}"

    @property
    def short(self) -> str:
        """For its columns in a MERGE, which knows no alias."""
        return quoted(self.table)

    @property
    def stage(self) -> str:
        return quoted(f"_stage_{self.table}")

    @property
    def loads(self) -> str:
        return f"{quoted(self.schema)}.{LOADS}"

    @property
    def target(self) -> str:
        """Its name in the ledger of loads: one for one table, however it was declared."""
        return self.table.lower()


def quoted(name: str) -> str:
    return f'"{name.lower()}"'


def kind(table: Table, column: str) -> str:
    """The type of a declared column."""
    declared = table.columns[column].type
    if declared == "str":
        return f"VARCHAR({min(table.length(column) * BYTES, WIDEST)})"
    return {
        "int": "BIGINT",
        "decimal": f"NUMERIC({DIGITS},{PLACES})",
        "bool": "BOOLEAN",
        "date": "DATE",
        "datetime": "TIMESTAMPTZ",
        "json": "SUPER",
    }[declared]


def make(names: Names, table: Table) -> str:
    """Keys are not enforced by Redshift, so none is declared: its planner would believe it."""
    columns = (
        f"{quoted(name)} {kind(table, name)}{' NOT NULL' if name in table.key else ''}"
        for name in table.columns
    )
    return f"CREATE TABLE IF NOT EXISTS {names.full} ({', '.join(columns)})"


def make_loads(names: Names) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {names.loads} (target VARCHAR(128) NOT NULL, number BIGINT NOT NULL, "
        "load VARCHAR(64) NOT NULL, row_count BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL)"
    )


def add(names: Names, table: Table, column: str) -> str:
    return f"ALTER TABLE {names.full} ADD COLUMN {quoted(column)} {kind(table, column)}"


def make_stage(names: Names, table: Table) -> str:
    """A session's own table for the rows of a load. What becomes SUPER waits there as text."""
    flags = f"{FLAGS} VARCHAR({max(len(table.plain), 1)})"
    columns = (
        f"{quoted(name)} {f'VARCHAR({WIDEST})' if column.type == 'json' else kind(table, name)}"
        for name, column in table.columns.items()
    )
    return f"CREATE TEMP TABLE {names.stage} ({', '.join((flags, *columns))})"


def open_line(names: Names) -> str:
    """A table's line in the ledger, before its first load. Values: target, moment, target."""
    return (
        f"INSERT INTO {names.loads} (target, number, load, row_count, loaded_at) "
        "SELECT CAST(%s AS VARCHAR(128)), 0, '', 0, CAST(%s AS TIMESTAMPTZ) "
        f"WHERE NOT EXISTS (SELECT 1 FROM {names.loads} WHERE target = %s)"
    )


def enter(names: Names) -> str:
    """Enters a load in its table's line, unless a later one, or itself, was before it.

    An UPDATE, as it locks: under snapshot isolation, Redshift's default, two INSERTs would both succeed.
    https://docs.aws.amazon.com/redshift/latest/dg/c_write_readwrite.html, 2026-11

    Values: number, load, rows, moment, target, number.
    """
    return (
        f"UPDATE {names.loads} SET number = CAST(%s AS BIGINT), load = CAST(%s AS VARCHAR(64)), "
        "row_count = CAST(%s AS BIGINT), loaded_at = CAST(%s AS TIMESTAMPTZ) "
        "WHERE target = %s AND number < CAST(%s AS BIGINT)"
    )


def entered(names: Names) -> str:
    """Values: target, load."""
    return f"SELECT 1 FROM {names.loads} WHERE target = %s AND load = %s"


def newest(names: Names) -> str:
    """The number of a table's newest load, NULL if it has no line. Values: target."""
    return f"SELECT MAX(number) FROM {names.loads} WHERE target = %s"


def clear(names: Names) -> str:
    """What an earlier load left in the stage is stale: it would be merged once more."""
    return f"DELETE FROM {names.stage}"


def copy(names: Names, columns: Sequence[str], url: str, role: str, region: str, null: str) -> str:
    """All words in it are ours: nothing in a COPY can be a parameter."""
    into = ", ".join((FLAGS, *map(quoted, columns)))
    return (
        f"COPY {names.stage} ({into}) FROM '{url}' IAM_ROLE '{role}' REGION '{region}' "
        f"FORMAT AS CSV GZIP NULL AS '{null}' IGNOREHEADER 1 DATEFORMAT 'YYYY-MM-DD' TIMEFORMAT 'auto' "
        "COMPUPDATE OFF STATUPDATE OFF"
    )


def merge(names: Names, table: Table, given: Sequence[str], partly: Sequence[str]) -> str:
    """Args:
    given: the columns that any row sets. partly: those among them that not every row sets.
    """

    def staged(column: str) -> str:
        text = f"{names.stage}.{quoted(column)}"
        return f"JSON_PARSE({text})" if table.columns[column].type == "json" else text

    def kept(column: str) -> str:
        if column not in partly:
            return staged(column)
        flag = f"SUBSTRING({names.stage}.{FLAGS}, {table.plain.index(column) + 1}, 1)"
        return f"CASE WHEN {flag} = '1' THEN {staged(column)} ELSE {names.short}.{quoted(column)} END"

    same = " AND ".join(f"{names.short}.{quoted(key)} = {names.stage}.{quoted(key)}" for key in table.key)
    sets = ", ".join(f"{quoted(name)} = {kept(name)}" for name in given or table.key[:1])
    every = (*table.key, *given)
    return (
        f"MERGE INTO {names.full} USING {names.stage} ON {same} "
        f"WHEN MATCHED THEN UPDATE SET {sets} "
        f"WHEN NOT MATCHED THEN INSERT ({', '.join(map(quoted, every))}) "
        f"VALUES ({', '.join(map(staged, every))})"
    )


def select(names: Names, table: Table, columns: Sequence[str], keys: Sequence[int]) -> str:
    """Values: the keys' parts, one key column after the other; `keys`: how many of each."""

    def read(column: str) -> str:
        name = quoted(column)
        return f"JSON_SERIALIZE({name})" if table.columns[column].type == "json" else name

    wanted = (
        f"{quoted(column)} IN ({', '.join(['%s'] * many)})"
        for column, many in zip(table.key, keys, strict=True)
    )
    return f"SELECT {', '.join(map(read, columns))} FROM {names.full} WHERE {' AND '.join(wanted)}"


def columns_of() -> str:
    """Values: schema, table."""
    return (
        "SELECT column_name, data_type, character_maximum_length, numeric_scale, is_nullable, column_default "
        "FROM svv_columns WHERE table_schema = %s AND table_name = %s"
    )


def doubled(names: Names, table: Table) -> str:
    keys = ", ".join(map(quoted, table.key))
    return f"SELECT {keys} FROM {names.full} GROUP BY {keys} HAVING COUNT(*) > 1 LIMIT 1"
