"""One table as a target: a batch is loaded beside it, and merged into it by one statement."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from pydantic import JsonValue

from connectors.bigquery import schema
from connectors.bigquery.options import Layout
from connectors.bigquery.rows import Lines, held
from connectors.bigquery.schema import Shape
from connectors.bigquery.statements import merge, select
from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Arguments, Item, Outcome
from connectors.tabular import Key, Record, Rows, Table
from connectors.values import Value

if TYPE_CHECKING:  # it brings Google's library
    from connectors.bigquery.api import Api

State = Literal["unknown", "transient"]
TRIES: Final = 3  # to add columns to a table that others change, too


class Target:
    """A declared table and the one that is there. `api` is made at the first use: to name a table is free."""

    def __init__(self, api: "Callable[[], Api]", at: str, table: Table, layout: Layout) -> None:
        self.table = table
        self.rows = Rows(table)
        self._api, self._at, self._layout = api, at, layout
        self._lines = Lines(table, layout)
        self._texts = frozenset(name for name, column in table.columns.items() if column.type == "json")
        self._texts -= layout.records.keys()
        self._shape: Shape | None = None
        self._lock = threading.Lock()

    def make(self) -> Shape:
        """The table as it is, made or given the columns it lacks; looked at once."""
        with self._lock:
            if self._shape is None:
                self._shape = self._made()
            return self._shape

    def look(self) -> Shape:
        """The table as it is now."""
        return schema.look(self._api().find(self.table.name), self.table, self._layout)

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows. Raises Transient or Unauthorized if nothing was applied, or Unknown."""
        shape = self.make()
        records, outcomes = self._sorted(shape, items)
        parts = list(self._lines.parts(records))
        for number, (part, lines) in enumerate(parts):
            try:
                outcomes += self._merged(shape, part, lines)
            except Rejected as error:
                self._shape = None  # look again before the next batch
                code = "schema_drift" if error.code in ("invalid_query", "not_found") else error.code
                outcomes += _all_of(part, Outcome("", "rejected", code))
            except (Transient, Unauthorized, Unknown) as error:
                if number == 0:
                    raise
                state: State = "unknown" if isinstance(error, Unknown) else "transient"
                outcomes += _all_of(part, Outcome("", state, error.code))
                untried = [record for later, _ in parts[number + 1 :] for record in later]
                return outcomes + _all_of(untried, Outcome("", "transient", error.code))
        return outcomes

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the table as it is now. Makes nothing."""
        try:
            return self._sorted(self.look().made, items)[1]
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]

    def _sorted(self, shape: Shape, items: Sequence[Item]) -> tuple[list[Record], list[Outcome]]:
        """The rows that may be sent, and the items that may not."""

        def refused(key: Key, values: dict[str, Value]) -> str | None:
            return shape.objection(key, values) or self._lines.objection(key, values)

        return self.rows.records(items, refused)

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        keys = self.rows.keys(items)
        readable = (self._shape or self.look()).readable
        wanted = list(dict.fromkeys(key for key in keys.values() if key is not None))
        if not wanted or not readable.issuperset(self.table.key):
            return dict.fromkeys(keys)  # no such table yet, so no rows
        asked = {name for item in items for name in item.arguments} & readable
        names = [name for name in self.table.plain if name in asked]
        found = self._read(names, wanted)
        return {
            item.key: None
            if (key := keys[item.key]) is None
            else self._answer(found.get(key), item.arguments)
            for item in items
        }

    def _read(self, names: Sequence[str], keys: Sequence[Key]) -> dict[Key, dict[str, JsonValue]]:
        query = select(self._where(self.table.name), self.table, names, keys)
        every = (*self.table.key, *names)
        return {
            tuple(row[: len(self.table.key)]): {
                name: held(value) for name, value in zip(every, row, strict=True)
            }
            for row in self._api().rows(query)
        }

    def _answer(self, row: Mapping[str, JsonValue] | None, arguments: Arguments) -> Arguments | None:
        """BigQuery knows no list that is null: an empty one answers for both."""
        if row is None:
            return None
        lists = self._layout.records
        return {
            name: None if value is None and name in lists and row[name] == [] else row[name]
            for name, value in arguments.items()
            if name in row
        }

    def _made(self) -> Shape:
        made = schema.wanted(self.table, self._layout)
        for _ in range(TRIES):
            found = self._api().find(self.table.name)
            if found is None:
                self._api().create(self.table.name, made)
                continue
            fields = schema.extended(found, made) if found.plain else None
            if fields is None:
                return schema.look(found, self.table, self._layout)
            self._api().extend(found, fields)  # or somebody else did meanwhile: look again
        return self.look()

    def _merged(self, shape: Shape, records: Sequence[Record], lines: bytes) -> list[Outcome]:
        columns = [name for name in self.table.plain if name in shape.readable]
        name = f"ferry_staging_{uuid.uuid4().hex}"
        try:
            try:
                at = self._api().stage(name, schema.staging(self.table, shape, columns), lines)
            except Unknown as error:  # beside the table: nothing of it is changed
                raise Transient(error.code, str(error)) from error
            target, staged = self._where(self.table.name), self._where(name)
            query = merge(target, staged, self.table, columns, self._texts, at)
            changed = self._api().change(self.table.name, query)
        finally:
            self._api().drop(name)
        if changed < len(records):  # someone sent one of these rows after us: the next sending settles it
            return _all_of(records, Outcome("", "unknown", "newer_row"))
        return _all_of(records, Outcome("", "done"))

    def _where(self, name: str) -> str:
        return f"{self._at}.{name}"


def _all_of(records: Sequence[Record], outcome: Outcome) -> list[Outcome]:
    return [Outcome(item, outcome.state, outcome.code) for record in records for item in record.items]
