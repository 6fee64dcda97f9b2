"""One declared table of a base: rows are upserted by the fields of its key, ten at a time."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Literal

from pydantic import JsonValue

from connectors.airtable.credentials import AirtableCredentials
from connectors.airtable.fields import mark
from connectors.airtable.shape import Arranged, Found, Shape, fields_to_make, is_table_id, look, once_made
from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Arguments, Item, Outcome
from connectors.tabular import Drift, Key, Record, Rows, Table

if TYPE_CHECKING:
    from connectors.airtable.wire import Row, Wire

AT_ONCE: Final = 10  # records of one request
BATCH: Final = 100  # items: as many as one listing shows at once
OF_ROWS: Final = frozenset({"refused", "invalid_value", "unknown_choice"})  # refusals that one row may cause
LOST: Final = 2  # answers that may be lost in one batch before the rest waits

State = Literal["rejected", "unknown", "transient"]


class Base:
    """One base: its tables are looked at once, and again when something was made or refused."""

    def __init__(
        self, credentials: AirtableCredentials, arranged: Arranged, *, read_only: bool = False
    ) -> None:
        self._read_only = read_only
        self._credentials = credentials
        self._arranged = arranged
        self._lock = threading.RLock()
        self._wire: Wire | None = None
        self._shapes: dict[str, Shape] = {}
        self._tables: Sequence[Found] = ()  # as they were when the shapes were seen

    @property
    def wire(self) -> "Wire":
        """The way to the base. pyairtable is slow to import: that waits until something is sent."""
        from connectors.airtable.wire import Wire  # noqa: PLC0415

        with self._lock:
            if self._wire is None:
                self._wire = Wire(self._credentials, read_only=self._read_only)
            return self._wire

    @property
    def requests(self) -> int:
        """How many requests have left."""
        return 0 if self._wire is None else self._wire.requests

    def shape(self, table: Table) -> Shape:
        """A declared table as it was last seen."""
        with self._lock:
            if table.name not in self._shapes:
                self._tables = self.wire.tables()
                self._shapes = {
                    each.name: look(each, self._arranged.place(each), self._tables)
                    for each in self._arranged.tables
                }
            return self._shapes[table.name]

    def as_made(self, table: Table) -> Shape:
        """A declared table as `make` would leave it now. Makes nothing."""
        with self._lock:
            self.forget()
            self.shape(table)
            return once_made(table, self._arranged.place(table), self._tables)

    def forget(self) -> None:
        """Look again before the next use."""
        with self._lock:
            self._shapes = {}

    def make(self, table: Table) -> Shape:
        """Make what is missing of a table, as far as it may be. What cannot be made stays drift."""
        with self._lock:
            shape = self.shape(table)
            if shape.id and not shape.missing:
                return shape
            self.forget()  # even if that fails: a lost answer may have made it
            self._make(shape)
            return self.shape(table)

    def _make(self, shape: Shape) -> None:
        fields, name = fields_to_make(shape), shape.place.table or shape.table.name
        if shape.id:
            for field in fields:
                _tried(partial(self.wire.make_field, shape.id, field))
        elif not is_table_id(name):  # a table that was named by its id is gone
            _tried(partial(self.wire.make_table, name, mark(shape.table.name), fields))

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()


def _tried(make: Callable[[], None]) -> None:
    """Make something. Raises Transient or Unauthorized."""
    try:
        make()
    except Rejected:
        pass  # a name that is taken in other letters: it stays drift
    except Unknown as lost:
        raise Transient(lost.code, str(lost)) from None


class Target:
    """A declared table."""

    def __init__(self, base: Base, table: Table) -> None:
        self.table = table
        self.rows = Rows(table)
        self._base = base
        self._made = False

    def make(self) -> Shape:
        """The table, once made. What could not be made is tried once, not with every batch."""
        shape = self._base.shape(self.table) if self._made else self._base.make(self.table)
        self._made = True
        return shape

    def drift(self) -> tuple[Drift, ...]:
        """How the table differs now from what was declared. Changes nothing."""
        self._base.forget()
        return self._base.shape(self.table).drift

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows. Raises Transient or Unauthorized if nothing was applied, or Unknown."""
        outcomes = self._sent(items)
        if self._made:
            return outcomes
        # people changed the table in that moment: what it refused goes into the table as it is now
        gone = {one.key for one in outcomes if one.code == "schema_drift"}
        kept = [one for one in outcomes if one.key not in gone]
        again = [item for item in items if item.key in gone]
        try:
            return kept + self._sent(again)
        except (Transient, Unknown, Unauthorized) as error:
            if not kept:
                raise
            state: State = "unknown" if isinstance(error, Unknown) else "transient"
            return kept + [Outcome(item.key, state, error.code) for item in again]

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the table as it is now, as far as its schema and its keys say."""
        shape = self._base.as_made(self.table)
        if not shape.id:
            return [Outcome(item.key, "rejected", "schema_drift") for item in items]
        records, outcomes = self.rows.records(items, shape.objection)
        return outcomes + self._doubled(records)

    def _doubled(self, records: Sequence[Record]) -> list[Outcome]:
        """The rows whose key several records have."""
        there = self._base.shape(self.table)
        keys = [record.key for record in records if _can_be_asked(there, record.key)]
        counted: Counter[tuple[JsonValue, ...]] = Counter()
        for at in range(0, len(keys), BATCH):
            part = [dict(zip(there.key, key, strict=True)) for key in keys[at : at + BATCH]]
            counted.update(there.key_of(row.cells) for row in self._base.wire.find(there.id, part, there.key))
        doubled = [record for record in records if counted[record.key] > 1]
        return [each for record in doubled for each in _all([record], "rejected", "doubled_key")]

    def _sent(self, items: Sequence[Item]) -> list[Outcome]:
        shape = self.make()
        if not shape.id:
            return [Outcome(item.key, "rejected", "schema_drift") for item in items]
        records, outcomes = self.rows.records(items, shape.objection)
        return outcomes + self._deliver(shape, records)

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        try:
            return self._present(items)
        except Rejected:  # people changed the table since it was looked at
            self._base.forget()
            self._made = False
            return self._present(items)

    def _present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        keys = self.rows.keys(items)
        shape = self._base.shape(self.table)
        found = self._rows(shape, keys, {name for item in items for name in item.arguments})
        held: dict[str, Arguments | None] = {}
        for item in items:
            cells = None if (key := keys[item.key]) is None else found.get(key)
            held[item.key] = None if cells is None else _held(shape, cells, item.arguments)
        return held

    def _rows(
        self, shape: Shape, keys: Mapping[str, Key | None], asked: set[str]
    ) -> dict[tuple[JsonValue, ...], Mapping[str, JsonValue]]:
        distinct = list(dict.fromkeys(key for key in keys.values() if _can_be_asked(shape, key)))
        wanted = [shape.fields[name].id for name in shape.readable & {*asked, *self.table.key}]
        found: dict[tuple[JsonValue, ...], Mapping[str, JsonValue]] = {}
        for at in range(0, len(distinct), BATCH):
            part = [dict(zip(shape.key, key, strict=True)) for key in distinct[at : at + BATCH] if key]
            for row in self._base.wire.find(shape.id, part, wanted):
                found.setdefault(shape.key_of(row.cells), row.cells)
        return found

    def _deliver(self, shape: Shape, records: Sequence[Record]) -> list[Outcome]:
        """Write all rows, ten at once; where a row is refused, by halves, so that the others are written."""
        outcomes: list[Outcome] = []
        parts = [list(records[at : at + AT_ONCE]) for at in range(0, len(records), AT_ONCE)][::-1]
        applied, lost = False, 0
        while parts:
            part = parts.pop()
            try:
                outcomes += self._upsert(shape, part)
                applied = True
            except Rejected as error:
                halves = _halves(part) if error.code in OF_ROWS else []
                parts += halves[::-1]
                outcomes += [] if halves else self._refused(shape, part, error.code)
            except Unknown as error:
                if not applied and not parts:
                    raise
                outcomes += _all(part, "unknown", error.code)
                applied, lost = True, lost + 1
                if lost == LOST:
                    return outcomes + [each for rest in parts for each in _all(rest, "transient", error.code)]
            except (Transient, Unauthorized) as error:
                self._base.forget()
                if not applied:
                    raise
                return outcomes + [
                    each for rest in (part, *parts) for each in _all(rest, "transient", error.code)
                ]
        return outcomes

    def _upsert(self, shape: Shape, part: Sequence[Record]) -> list[Outcome]:
        rows = [shape.sent(record.key, record.values) for record in part]
        typecast = any(shape.adds_choice(record.values) for record in part)
        answered = self._base.wire.upsert(shape.id, shape.key, rows, typecast=typecast)
        if typecast:
            self._base.forget()
        there = {shape.key_of(row.cells): row for row in answered}
        return [each for record in part for each in _answered(shape, record, there.get(record.key))]

    def _refused(self, shape: Shape, part: Sequence[Record], code: str) -> list[Outcome]:
        """Why it was refused: Airtable tells a key that several records have from nothing else."""
        self._base.forget()
        if code == "schema_drift":
            self._made = False
        if code == "refused" and len(part) == 1:
            named = dict(zip(shape.key, part[0].key, strict=True))
            try:
                rows: Sequence[Row] = self._base.wire.find(shape.id, [named], shape.key)
            except ConnectorError:
                rows = ()  # then it stays "refused"
            if sum(shape.key_of(row.cells) == part[0].key for row in rows) > 1:
                code = "doubled_key"
        return _all(part, "rejected", code)


def _answered(shape: Shape, record: Record, row: "Row | None") -> list[Outcome]:
    """What became of one record, by what the answer shows of it."""
    if row is None:
        return _all([record], "unknown", "no_answer_for_item")
    if not shape.keeps(record.values, row.cells):
        return _all([record], "rejected", "stored_differently")
    return [Outcome(item, "done", reference=row.id) for item in record.items]


def _can_be_asked(shape: Shape, key: Key | None) -> bool:
    return key is not None and bool(shape.readable) and shape.objection(key, {}) is None


def _held(shape: Shape, cells: Mapping[str, JsonValue], arguments: Arguments) -> Arguments:
    """An empty cell is an empty text where one was asked about: Airtable knows no other."""
    held: dict[str, JsonValue] = {}
    for name, asked in arguments.items():
        if name in shape.readable:
            value = shape.read(name, cells)
            held[name] = "" if value is None and asked == "" else value
    return held


def _halves(part: list[Record]) -> list[list[Record]]:
    """Two halves; for one row that several items touch, its versions one by one; else nothing."""
    if len(part) > 1:
        return [part[: len(part) // 2], part[len(part) // 2 :]]
    versions = part[0].versions
    return [[Record(part[0].key, (version,))] for version in versions] if len(versions) > 1 else []


def _all(part: Sequence[Record], state: State, code: str) -> list[Outcome]:
    return [Outcome(item, state, code) for record in part for item in record.items]
