"""How a dataset's objects are laid out: where, in which format, and what a row's columns are.

A row is held as JSON values under its columns' names. What one format cannot tell apart by itself, its
encoding here does: null, "" and missing; 1, 1.0, "1" and true.
"""

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from importlib import import_module
from typing import Annotated, Any, Literal, cast

from pydantic import Field, JsonValue

from connectors import delimited
from connectors.base import Settings
from connectors.values import DIGITS, PLACES, ColumnType, Value, as_json

Row = dict[str, JsonValue]
Columns = Mapping[str, ColumnType]

Kind = Literal["jsonl", "csv", "parquet"]
Compression = Literal["none", "gzip", "zstd"]

VERSION = "_version"  # no declared column begins with _
ENDINGS: Mapping[Compression, str] = {"none": "", "gzip": ".gz", "zstd": ".zst"}
CONTENT_TYPES: Mapping[Kind, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
CSV = delimited.Format()


class S3Options(Settings):
    """A target's options.

    prefix: what every key begins with; no patient data: keys are in the bucket's access logs. partition:
    parts are put below dt=<day of writing, UTC>, below dt=<month>, or without it.
    """

    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*/?)*$", max_length=200)] = ""
    format: Kind = "jsonl"
    compression: Compression = "gzip"
    partition: Literal["day", "month", "none"] = "day"

    @property
    def root(self) -> str:
        """The prefix, ended."""
        return f"{self.prefix.strip('/')}/" if self.prefix.strip("/") else ""

    @property
    def ending(self) -> str:
        """`.jsonl.gz`: Parquet is compressed inside, and named by its format alone."""
        return f".{self.format}" + ("" if self.format == "parquet" else ENDINGS[self.compression])

    def folder(self, at: datetime) -> str:
        """Where a part that is written now is put."""
        if self.partition == "none":
            return ""
        return f"dt={at:%Y-%m-%d}/" if self.partition == "day" else f"dt={at:%Y-%m}/"


def encoded(rows: Sequence[Row], columns: Columns, options: S3Options) -> bytes:
    """The rows as an object's content. Equal rows give equal bytes."""
    if options.format == "parquet":
        return _parquet(rows, columns, options.compression)
    if options.format == "csv":
        lines = (
            [delimited.cell_of(row.get(name), kind, CSV) for name, kind in columns.items()] for row in rows
        )
        text = delimited.compose([list(columns), *lines], CSV)
    else:
        text = "".join(_line({name: row.get(name) for name in columns}) for row in rows)
    return _compressed(text.encode(), options.compression)


def decoded(content: bytes, columns: Columns, name: str) -> list[Row]:
    """The rows of an object of that name. Columns that it does not have are null."""
    if name.endswith(".parquet"):
        return _from_parquet(content, columns)
    if name.endswith(ENDINGS["gzip"]):
        content = gzip.decompress(content)
    elif name.endswith(ENDINGS["zstd"]):
        content = _zstd_undone(content)
    text = content.decode()
    if ".csv" in name.rpartition("/")[2]:
        return _from_csv(text, columns)
    return [cast(Row, json.loads(line)) for line in text.split("\n") if line]


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


def _compressed(content: bytes, compression: Compression) -> bytes:
    if compression == "gzip":
        return gzip.compress(content, 6, mtime=0)
    if compression == "zstd":
        return bytes(_arrow().Codec("zstd").compress(content, asbytes=True))
    return content


def _zstd_undone(content: bytes) -> bytes:
    pyarrow = _arrow()
    with pyarrow.CompressedInputStream(pyarrow.BufferReader(content), "zstd") as stream:
        return bytes(stream.read())


def _from_csv(text: str, columns: Columns) -> list[Row]:
    lines = delimited.parse(text, CSV)
    header = [str(delimited.text_of(cell, CSV)) for cell in next(lines)[1]]
    return [
        {
            name: delimited.value_of(cell, columns[name], CSV)
            for name, cell in zip(header, cells, strict=True)
            if name in columns
        }
        for _, cells in lines
    ]


def _arrow() -> Any:  # it has no types
    """Large, and only where it is asked for."""
    return import_module("pyarrow")


def _parquet_files() -> Any:  # likewise
    return import_module("pyarrow.parquet")


def _schema(columns: Columns) -> Any:  # likewise
    pa = _arrow()
    types: dict[ColumnType, Any] = {
        "str": pa.string(),
        "int": pa.int64(),
        "decimal": pa.decimal128(DIGITS, PLACES),
        "bool": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us", tz="UTC"),
        "json": pa.string(),
    }
    return pa.schema([pa.field(name, types[kind]) for name, kind in columns.items()])


def _parquet(rows: Sequence[Row], columns: Columns, compression: Compression) -> bytes:
    cells = [{name: _cell(row.get(name), kind) for name, kind in columns.items()} for row in rows]
    made = io.BytesIO()
    table = _arrow().Table.from_pylist(cells, schema=_schema(columns))
    _parquet_files().write_table(table, made, compression=compression)
    return made.getvalue()


def _from_parquet(content: bytes, columns: Columns) -> list[Row]:
    table = _parquet_files().read_table(_arrow().BufferReader(content))
    rows = cast(list[dict[str, Any]], table.to_pylist())
    return [
        {name: _value(cell, columns[name]) for name, cell in row.items() if name in columns} for row in rows
    ]


def _cell(value: JsonValue, kind: ColumnType) -> Value:
    if value is None:
        return None
    if kind == "json":
        return json.dumps(value, ensure_ascii=False)
    if kind == "decimal":
        return Decimal(str(value))
    if kind == "date":
        return date.fromisoformat(str(value))
    return datetime.fromisoformat(str(value)) if kind == "datetime" else value


def _value(cell: object, kind: ColumnType) -> JsonValue:
    return cast(JsonValue, json.loads(str(cell))) if kind == "json" and cell is not None else as_json(cell)
