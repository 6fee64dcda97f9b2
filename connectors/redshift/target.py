"""One table as a target: batches of items become loads, and give one outcome for each item."""

import json
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.operation import Arguments, Item, Outcome
from connectors.redshift import schema, texts
from connectors.redshift.failures import Failure
from connectors.redshift.load import Loader
from connectors.redshift.texts import Names
from connectors.redshift.warehouse import Warehouse, error_for
from connectors.tabular import Key, Record, Rows
from connectors.values import Value, as_json

if TYPE_CHECKING:
    from connectors.redshift.session import Session

CHUNK = 2000  # keys in one SELECT: with four key columns 8,000 parameters, below the protocol's 32,767
SPLITS = 40  # loads of one batch that may fail; what is left then has time

State = Literal["done", "rejected", "unknown", "transient"]
STATES: Mapping[str, State] = {
    "row": "rejected",
    "table": "rejected",
    "unauthorized": "transient",  # rolled back; the next batch raises Unauthorized
    "transient": "transient",
    "lost": "unknown",
}


class Target:
    """A declared table in one warehouse."""

    def __init__(self, warehouse: Warehouse, loader: Loader, names: Names, rows: Rows) -> None:
        self.table = rows.table
        self.rows = rows
        self._warehouse, self._loader, self._names = warehouse, loader, names
        self._shape: schema.Shape | None = None  # once it is made
        self._seen: schema.Shape | None = None
        self._lock = threading.Lock()

    def make(self) -> schema.Shape:
        """Make what is not there, and see what is. Raises Transient, Unauthorized or Rejected."""
        if self._shape is None:
            self._warehouse.read(lambda session: schema.make(session, self._names, self.table))
            self._shape = self.look()
        return self._shape

    def look(self) -> schema.Shape:
        """The table as it is now."""
        return self._warehouse.read(lambda session: schema.look(session, self._names, self.table))

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows. Raises Transient or Unauthorized if nothing was applied, or Unknown."""
        with self._lock:
            try:
                shape = self.make()
            except Rejected as error:
                return [Outcome(item.key, "rejected", error.code) for item in items]
            records, outcomes = self.rows.records(
                items, lambda key, values: shape.objection(self.table, key, values)
            )
            return outcomes + self._deliver(records) if records else outcomes

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the table as it is now. Makes nothing."""
        shape = self._now().made

        def refused(key: Key, values: dict[str, Value]) -> str | None:
            null = any(values.get(name, "") is None for name in shape.strict)
            return shape.objection(self.table, key, values) or ("not_null" if null else None)

        return self.rows.records(items, refused)[1]

    def rules(self, items: Sequence[Item]) -> list[Outcome]:
        """Of rows that are not there yet: those that leave a column null that may not be."""
        given, keys = self._now().given, self.rows.keys(items)
        lacking = [item for item in items if not given <= item.arguments.keys()]
        there = self._there([key for item in lacking if (key := keys[item.key]) is not None], ())
        return [Outcome(item.key, "rejected", "not_null") for item in lacking if keys[item.key] not in there]

    def _now(self) -> schema.Shape:
        """The table as it is; looked at once, if nothing can change it here."""
        shape = self._shape or self._seen or self.look()
        if self._warehouse.read_only:
            self._seen = shape
        return shape

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        keys = self.rows.keys(items)
        readable = self._now().readable
        if not readable.issuperset(self.table.key):
            return dict.fromkeys(keys)  # no such table yet, so no rows
        asked = {name for item in items for name in item.arguments} & readable
        names = [name for name in self.table.plain if name in asked]
        found = self._there([key for key in keys.values() if key is not None], names)
        return {
            item.key: None if (key := keys[item.key]) is None else _held(found.get(key), item.arguments)
            for item in items
        }

    def _there(self, keys: Sequence[Key], names: Sequence[str]) -> dict[Key, dict[str, JsonValue]]:
        """The rows with these keys, in the key's columns and these."""
        found: dict[Key, dict[str, JsonValue]] = {}
        distinct = list(dict.fromkeys(keys))
        for at in range(0, len(distinct), CHUNK):
            part = distinct[at : at + CHUNK]
            found.update(self._warehouse.read(partial(self._select, (*self.table.key, *names), part)))
        return found

    def _select(
        self, names: Sequence[str], keys: Sequence[Key], session: "Session"
    ) -> dict[Key, dict[str, JsonValue]]:
        parts = [list(dict.fromkeys(parts)) for parts in zip(*keys, strict=True)]
        statement = texts.select(self._names, self.table, names, [len(each) for each in parts])
        width = len(self.table.key)
        return {
            cast(Key, tuple(row[:width])): {
                name: self._value(name, cell) for name, cell in zip(names, row, strict=True)
            }
            for row in session.rows(statement, [part for each in parts for part in each])
        }

    def _value(self, name: str, cell: object) -> JsonValue:
        if self.table.columns[name].type == "json" and isinstance(cell, str):
            return cast(JsonValue, json.loads(cell))
        return as_json(cell)

    def _deliver(self, records: list[Record]) -> list[Outcome]:
        """Load all rows at once; where a row is refused, by halves, so that the others are loaded."""
        outcomes: list[Outcome] = []
        parts = [records]
        failed = 0
        while parts:
            part = parts.pop()
            failure = self._loader.load(part) if failed < SPLITS else Failure("transient", "overloaded")
            failed += failure is not None
            if failure is not None and failure.kind == "row" and (halves := _halves(part)):
                parts += reversed(halves)
                continue
            if failure is not None and failure.kind == "table":
                self._shape = None  # look again before the next batch
            if failure is not None and failure.kind not in ("row", "table"):
                return outcomes + self._broken_off(failure, part, parts, nothing_yet=not outcomes)
            outcomes += _all_of(part, failure)
        return outcomes

    def _broken_off(
        self, failure: Failure, part: list[Record], later: list[list[Record]], *, nothing_yet: bool
    ) -> list[Outcome]:
        """The warehouse cannot go on. What was not tried was surely not applied."""
        if nothing_yet:
            raise error_for(failure, written=True)
        untried = Failure("transient", failure.code)
        return _all_of(part, failure) + [each for records in later for each in _all_of(records, untried)]


def _halves(part: list[Record]) -> list[list[Record]]:
    """Two halves; for one row that several items touch, its versions one by one; else nothing."""
    if len(part) > 1:
        return [part[: len(part) // 2], part[len(part) // 2 :]]
    versions = part[0].versions
    return [[Record(part[0].key, (version,))] for version in versions] if len(versions) > 1 else []


def _all_of(part: list[Record], failure: Failure | None) -> list[Outcome]:
    state: State = "done" if failure is None else STATES[failure.kind]
    code = "" if failure is None else failure.code
    return [Outcome(item, state, code) for record in part for item in record.items]


def _held(row: Mapping[str, JsonValue] | None, arguments: Arguments) -> Arguments | None:
    return None if row is None else {name: row[name] for name in arguments if name in row}
