"""The rows of one load as a compressed CSV file, of which a COPY loads exactly what was meant.

A COPY does not tell a quoted null marker from an unquoted one, so the marker is one that no cell holds.
"""

import gzip
import json
from collections.abc import Sequence
from datetime import datetime

from connectors.tabular import Record, Table
from connectors.values import ColumnType, Value, as_json

LARGEST = 4_000_000  # bytes of one row that a COPY takes, a little less


def written(records: Sequence[Record], table: Table, given: Sequence[str]) -> tuple[bytes, str]:
    """The file's content and its null marker. Columns: the flags, the key, and what is given."""
    rows = [_cells(record, table, given) for record in records]
    null = "~null~"
    held = {cell for row in rows for cell in row if cell is not None}
    while null in held:
        null += "~"
    header = ",".join(["_set", *table.key, *given])
    lines = (",".join(null if cell is None else _quoted(cell) for cell in row) for row in rows)
    return gzip.compress("".join(f"{line}\n" for line in (header, *lines)).encode(), 6, mtime=0), null


def size(value: Value, kind: ColumnType) -> int:
    """How many bytes a value takes in its column."""
    return len((text_of(value, kind) or "").encode())


def text_of(value: Value, kind: ColumnType) -> str | None:
    """A value as a COPY reads it."""
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if kind == "bool":
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f+00").rjust(29, "0")
    return str(as_json(value))


def _cells(record: Record, table: Table, given: Sequence[str]) -> list[str | None]:
    values = record.values
    flags = "".join("1" if name in values else "0" for name in table.plain) or "0"
    return [
        flags,
        *(str(part) for part in record.key),
        *(text_of(values.get(name), table.columns[name].type) for name in given),
    ]


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
