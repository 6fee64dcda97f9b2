"""The two statements. They hold names alone: values are parameters or rows of a staging table."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.tabular import Key, Table

AT = "_ferry_at"  # when a row was last sent, by Google's clock: an older sending never overwrites a newer one
GIVEN = "_ferry_given"  # of a staging table: which columns the row sets


@dataclass(frozen=True, slots=True)
class Query:
    """A statement with its parameters, each (name, type, value or values)."""

    text: str
    scalars: tuple[tuple[str, str, datetime], ...] = ()
    lists: tuple[tuple[str, str, list[str | int]], ...] = ()


def merge(
    target: str, staging: str, table: Table, columns: Sequence[str], texts: Collection[str], at: datetime
) -> Query:
    """Insert the staged rows, or set what each of them gives in the row with its key.

    columns: those that the target has, without the key. texts: those among them that are staged as JSON
    text, because it is not stated what BigQuery makes of a JSON string in a loaded file.
    """
    matched = " AND ".join(f"T.`{name}` = S.`{name}`" for name in table.key)
    value = {
        name: f"PARSE_JSON(S.`{name}`, wide_number_mode => 'round')" if name in texts else f"S.`{name}`"
        for name in columns
    }
    changes = [
        f"`{name}` = IF('{name}' IN UNNEST(S.`{GIVEN}`), {value[name]}, T.`{name}`)" for name in columns
    ]
    names = ", ".join(f"`{name}`" for name in (*table.key, *columns, AT))
    values = ", ".join([*(f"S.`{name}`" for name in table.key), *value.values(), "@at"])
    text = (
        f"MERGE INTO `{target}` AS T USING `{staging}` AS S ON {matched}\n"  # noqa: S608  # declared names only
        f"WHEN MATCHED AND (T.`{AT}` IS NULL OR T.`{AT}` <= @at) THEN UPDATE SET\n"
        f"  {f',{chr(10)}  '.join([*changes, f'`{AT}` = @at'])}\n"
        f"WHEN NOT MATCHED THEN INSERT ({names})\n  VALUES ({values})"
    )
    return Query(text, scalars=(("at", "TIMESTAMP", at),))


def select(target: str, table: Table, columns: Sequence[str], keys: Sequence[Key]) -> Query:
    """The key and these columns of all rows whose key has parts of the wanted ones: those, and more."""
    names = ", ".join(f"`{name}`" for name in (*table.key, *columns))
    wanted = " AND ".join(f"`{name}` IN UNNEST(@key_{at})" for at, name in enumerate(table.key))
    parts = [list(dict.fromkeys(part)) for part in zip(*keys, strict=True)]
    kinds = ["INT64" if table.columns[name].type == "int" else "STRING" for name in table.key]
    return Query(
        f"SELECT {names} FROM `{target}` WHERE {wanted}",  # noqa: S608  # likewise
        lists=tuple((f"key_{at}", kinds[at], part) for at, part in enumerate(parts)),
    )
