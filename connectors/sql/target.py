"""One table as a target: batches of items become upserts, and give one outcome for each item."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import sqlalchemy as sa
from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.operation import Arguments, Item, Outcome
from connectors.sql import copying, schema
from connectors.sql.database import Database, error_for
from connectors.sql.dialects import table_of, upsert
from connectors.sql.failures import Failure
from connectors.tabular import Key, Record, Rows, Table
from connectors.values import Value, as_json

CHUNK = 500  # keys in one SELECT: with four key columns 2,000 parameters, below SQL Server's 2,100

State = Literal["done", "rejected", "unknown", "transient"]
STATES: Mapping[str, State] = {
    "row": "rejected",
    "table": "rejected",
    "unauthorized": "transient",  # rolled back; the next batch raises Unauthorized
    "transient": "transient",
    "lost": "unknown",
}


class Target:
    """A declared table in one database."""

    def __init__(self, database: Database, table: Table, in_schema: str | None) -> None:
        self.table = table
        self.rows = Rows(table)
        self._database = database
        self.wanted = table_of(table, in_schema, database.kind)
        self._statements: dict[tuple[str, ...], sa.Executable] = {}
        self._shape: schema.Shape | None = None

    def make(self) -> schema.Shape:
        """Make what is not there, and see what is. Raises Transient, Unauthorized or Rejected."""
        if self._shape is None:
            failure = self._database.write(partial(schema.make, wanted=self.wanted))
            if failure is not None:
                raise error_for(failure, written=False)
            self._shape = self.look()
        return self._shape

    def look(self) -> schema.Shape:
        """The table as it is now."""
        return self._database.read(partial(schema.look, wanted=self.wanted, table=self.table))

    def named(self, columns: Sequence[str], values: Sequence[Value]) -> str:
        """The record of the row with this key, as its write names it."""
        key = dict(zip(columns, values, strict=True))
        others = {name: as_json(value) for name, value in key.items() if name != self.table.patient}
        return self.rows.record(str(key[self.table.patient]), others)

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows. Raises Transient or Unauthorized if nothing was applied, or Unknown."""
        records, outcomes = self.rows.records(items, self.make().objection)
        records.sort(key=lambda record: record.key)  # two runs that lock in one order wait for each other
        return outcomes + self._deliver(records) if records else outcomes

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        keys = self.rows.keys(items)
        readable = (self._shape or self.look()).readable
        if not readable.issuperset(self.table.key):
            return dict.fromkeys(keys)  # no such table yet, so no rows
        asked = {name for item in items for name in item.arguments} & readable
        names = (*self.table.key, *(name for name in self.table.plain if name in asked))
        found: dict[Key, dict[str, JsonValue]] = {}
        distinct = list(dict.fromkeys(key for key in keys.values() if key is not None))
        for at in range(0, len(distinct), CHUNK):
            found.update(self._database.read(partial(self._select, names, distinct[at : at + CHUNK])))
        return {
            item.key: None if (key := keys[item.key]) is None else _held(found.get(key), item.arguments)
            for item in items
        }

    def _select(
        self, names: Sequence[str], keys: Sequence[Key], connection: sa.Connection
    ) -> dict[Key, dict[str, JsonValue]]:
        columns = self.wanted.c
        each_part = (list(dict.fromkeys(parts)) for parts in zip(*keys, strict=True))
        wanted = sa.select(*(columns[name] for name in names)).where(
            *(columns[name].in_(parts) for name, parts in zip(self.table.key, each_part, strict=True))
        )
        width = len(self.table.key)
        try:
            return {
                tuple(row[:width]): {name: as_json(value) for name, value in zip(names, row, strict=True)}
                for row in connection.execute(wanted)
            }
        except (ValueError, ArithmeticError):
            pass  # a cell that somebody else wrote is not of its column's type; that error quotes it
        raise Rejected("bad_value", f"sql: {self.table.name} holds a value that is not of its column's type")

    def _deliver(self, records: list[Record]) -> list[Outcome]:
        """Write all rows at once; where a row is refused, by halves, so that the others are written."""
        outcomes: list[Outcome] = []
        parts = [records]
        while parts:
            part = parts.pop()
            failure = self._database.write(partial(self._upsert, part))
            if failure is not None and failure.column in self.table.key:
                failure = Failure("row", "duplicate")  # see dialects: another unique key found another row
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
        """The database cannot go on. What was not tried was surely not applied."""
        if nothing_yet:
            raise error_for(failure, written=True)
        untried = Failure("transient", failure.code)
        return _all_of(part, failure) + [each for records in later for each in _all_of(records, untried)]

    def _upsert(self, records: Sequence[Record], connection: sa.Connection) -> None:
        groups: dict[tuple[str, ...], list[dict[str, Value]]] = {}
        for record in records:
            values = record.values
            given = tuple(name for name in self.table.plain if name in values)
            row: dict[str, Value] = dict(zip(self.table.key, record.key, strict=True))
            groups.setdefault(given, []).append({**row, **values})
        if self._database.kind == "postgresql":
            copying.upsert(connection, self.wanted, self.table.key, groups)
            return
        for given, rows in groups.items():  # drivers make one statement of many rows, or reuse a prepared one
            connection.execute(self._statement(given), rows)

    def _statement(self, given: tuple[str, ...]) -> sa.Executable:
        statement = self._statements.get(given)
        if statement is None:
            statement = upsert(self.wanted, self.table.key, given, self._database.kind)
            self._statements[given] = statement
        return statement


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
