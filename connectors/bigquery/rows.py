"""Rows as BigQuery loads them: JSON lines, each value in a spelling that loses nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from connectors.bigquery.options import Layout, element_model, list_of
from connectors.bigquery.statements import GIVEN
from connectors.operation import ArgumentModel
from connectors.tabular import Key, Record, Table
from connectors.values import Value, as_json, code_of

PART: Final = 4 * 1024 * 1024  # bytes of one load: the SDK sends up to 5 MiB in one request


class Lines:
    """Makes lines of one table's records."""

    def __init__(self, table: Table, layout: Layout) -> None:
        self._table = table
        self._lists: Mapping[str, TypeAdapter[list[ArgumentModel]]] = {
            name: TypeAdapter(list_of(element_model(name, fields))) for name, fields in layout.records.items()
        }

    def objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        """Why this row cannot be loaded, as a code, or None: a list is no such list, or it is too much."""
        try:
            line = self.line(Record(key, ()), dict(values))
        except ValidationError as error:
            return code_of(error)
        return "too_long" if len(line) > PART else None

    def parts(self, records: Sequence[Record]) -> Iterator[tuple[list[Record], bytes]]:
        """The records in parts of which each is loaded at once."""
        part: list[Record] = []
        lines: list[bytes] = []
        size = 0
        for record in records:
            line = self.line(record, record.values)
            if part and size + len(line) > PART:
                yield part, b"".join(lines)
                part, lines, size = [], [], 0
            part.append(record)
            lines.append(line)
            size += len(line)
        if part:
            yield part, b"".join(lines)

    def line(self, record: Record, values: Mapping[str, Value]) -> bytes:
        """One row. Raises ValidationError if a list of records is none."""
        parts = (_spelled(part) for part in record.key)
        row: dict[str, object] = dict(zip(self._table.key, parts, strict=True))
        for name, value in values.items():
            if value is not None:  # null is what is not there; so is an empty list
                row[name] = self._cell(name, value)
        row[GIVEN] = list(values)
        return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _cell(self, name: str, value: Value) -> object:
        if name in self._lists:
            return [_record(element) for element in self._lists[name].validate_python(value)]
        if self._table.columns[name].type == "json":
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return _spelled(value)


def _spelled(value: object) -> JsonValue:
    """As BigQuery's own exports spell it: whole numbers are texts there, and so exact."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return as_json(value)


def _record(element: ArgumentModel) -> dict[str, JsonValue]:
    """Its fields without those that are null: they need not be named."""
    values = {name: _spelled(getattr(element, name)) for name in type(element).model_fields}
    return {name: value for name, value in values.items() if value is not None}


def held(value: object) -> JsonValue:
    """A value that was read, as the JSON value that a validated argument has."""
    if isinstance(value, list):
        return [held(each) for each in cast(list[object], value)]
    if isinstance(value, dict):
        return {name: held(each) for name, each in cast(dict[str, object], value).items()}
    return as_json(value)
