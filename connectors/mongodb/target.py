"""One table as a collection: a batch of items becomes one bulk of upserts, with an outcome for each item."""

import threading
from collections.abc import Mapping, Sequence
from typing import Literal

from pymongo import UpdateOne

from connectors.errors import ConnectorError, Rejected
from connectors.mongodb import documents, schema
from connectors.mongodb.client import Client, Document, Told, error_for
from connectors.mongodb.failures import DUPLICATE, Failure, of_statement
from connectors.mongodb.guard import Guard
from connectors.operation import Arguments, Item, Outcome
from connectors.tabular import Key, Record, Rows, Table
from connectors.values import Value

State = Literal["done", "rejected", "unknown", "transient", "superseded"]
STATES: Mapping[str, State] = {
    "item": "rejected",
    "newer": "superseded",
    "collection": "rejected",
    "unauthorized": "transient",  # this one was not applied; the next batch raises Unauthorized
    "transient": "transient",
    "lost": "unknown",
}
STALE = Failure("newer", "stale")
CONTENTION = Failure("transient", "contention")
UNSAID = Failure("lost", "no_answer_for_item")
UNCONFIRMED = Failure("lost", "not_confirmed")


class Target:
    """A declared table in one database. `newest`: the column by which the newest version wins, if any."""

    def __init__(self, client: Client, table: Table, newest: str | None) -> None:
        self.table = table
        self.rows = Rows(table)
        self._client = client
        self._guard = Guard(table, newest)
        self._shape: schema.Shape | None = None
        self._lock = threading.Lock()

    def look(self) -> schema.Shape:
        """The collection as it is now."""
        return schema.look(self._client, self.table)

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' documents. Raises Transient, Unauthorized (nothing was applied) or Unknown."""
        try:
            records, outcomes = self.sorted(items)
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]
        return outcomes + self._deliver(records) if records else outcomes

    def sorted(self, items: Sequence[Item]) -> tuple[list[Record], list[Outcome]]:
        """The documents that may be sent, and the items that may not. Raises as `Client.read` does."""
        objection = self.known().objection
        return self.rows.records(items, lambda key, values: objection or self._unfit(key, values))

    def newer(self, records: Sequence[Record]) -> list[Record]:
        """Those of which the collection has a newer version, by the column that says so."""
        ids = {documents.name_of(documents.id_of(self.table, one.key)): one for one in records}
        meant = [
            {"_id": documents.id_of(self.table, one.key), **is_newer}
            for one in records
            if (is_newer := self._guard.newer(one.values))
        ]
        return [ids[documents.name_of(one["_id"])] for one in (self.find({"$or": meant}) if meant else ())]

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' documents hold now, in the fields that each item sets. A missing one is null."""
        keys = self.rows.keys(items)
        names = [name for name in self.table.columns if any(name in item.arguments for item in items)]
        ids = {item: documents.id_of(self.table, key) for item, key in keys.items() if key is not None}
        wanted = {"_id": {"$in": list(ids.values())}}
        found = {documents.name_of(one["_id"]): one for one in self.find(wanted, names)}
        named = {item: documents.name_of(id_) for item, id_ in ids.items()}
        return {item.key: _held(found.get(named.get(item.key, "")), item.arguments) for item in items}

    def known(self) -> schema.Shape:
        """The collection as it was when it was looked at last."""
        with self._lock:
            if self._shape is None:
                self._shape = self.look()
            return self._shape

    def _unfit(self, key: Key, values: Mapping[str, Value]) -> str | None:
        return documents.objection(self.table, key, values)

    def find(self, wanted: Document, names: Sequence[str] | None = ()) -> list[Document]:
        """The documents that are meant. Raises as `Client.read` does."""
        self.known()  # whoever leads elsewhere is found out before a patient is named
        return self._client.find(self.table.name, wanted, names)

    def _deliver(self, records: Sequence[Record]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for part in self._guard.rounds(records):
            told = self._write(part)
            if not isinstance(told, Failure):
                outcomes += self._outcomes(part, told)
            elif told.kind == "collection" or outcomes:
                self._shape = None  # look again before the next batch
                outcomes += [outcome for record in part for outcome in _all_of(record, told)]
            else:
                raise error_for(told, written=True)
        return outcomes

    def _outcomes(self, records: Sequence[Record], told: Told) -> list[Outcome]:
        outcomes: list[Outcome] = []
        failures = self._failures(records, told)
        for at, record in enumerate(records):
            failure = failures.get(at)
            if failure is not None and failure.kind == "item" and len(record.versions) > 1:
                outcomes += self._one_by_one(record)
            else:
                outcomes += _all_of(record, failure)
        return outcomes

    def _one_by_one(self, record: Record) -> list[Outcome]:
        """What together was refused, version by version: a later one's fault does not undo an earlier one."""
        outcomes: list[Outcome] = []
        for version in record.versions:
            alone = Record(record.key, (version,))
            told = self._write([alone])
            failure = told if isinstance(told, Failure) else self._failures([alone], told).get(0)
            outcomes += _all_of(alone, failure)
        return outcomes

    def _write(self, records: Sequence[Record]) -> Told | Failure:
        return self._client.write(self.table.name, [self._statement(record) for record in records])

    def _statement(self, record: Record) -> UpdateOne:
        values = record.values
        key = dict(zip(self.table.key, record.key, strict=True))
        change = {"$setOnInsert": documents.fields_of(self.table, key)}
        if values:  # older servers refuse an empty $set
            change["$set"] = documents.fields_of(self.table, values)
        wanted = {"_id": documents.id_of(self.table, record.key), **self._guard.condition(values)}
        return UpdateOne(wanted, change, upsert=True)

    def _failures(self, records: Sequence[Record], told: Told) -> dict[int, Failure]:
        """What went wrong, by position."""
        if not told.confirmed:
            failures = dict.fromkeys(range(len(records)), UNCONFIRMED)
        elif told.settled < len(records):  # the server did not get to all of them, and does not say to which
            failures = dict.fromkeys(range(len(records)), UNSAID)
        else:
            failures = {}
        failures |= {at: of_statement(number) for at, (number, _) in told.refused.items()}
        same = [at for at, (number, by_id) in told.refused.items() if number == DUPLICATE and by_id]
        if same:
            failures |= self._met([records[at] for at in same], same)
        return failures

    def _met(self, records: Sequence[Record], positions: Sequence[int]) -> dict[int, Failure]:
        """Documents that are there although no update met them: a newer version is, or a rival was faster."""
        ids = [documents.id_of(self.table, record.key) for record in records]
        newer = [self._guard.newer(record.values) for record in records]
        meant = [{"_id": id_, **is_newer} for id_, is_newer in zip(ids, newer, strict=True) if is_newer]
        try:
            there = self.find({"$or": meant}) if meant else []
        except ConnectorError:  # the others were written: this is not to be said of all of them
            return dict.fromkeys(positions, UNSAID)
        found = {documents.name_of(one["_id"]) for one in there}
        return {
            at: STALE if documents.name_of(id_) in found else CONTENTION
            for at, id_ in zip(positions, ids, strict=True)
        }


def _all_of(record: Record, failure: Failure | None) -> list[Outcome]:
    state: State = "done" if failure is None else STATES[failure.kind]
    return [Outcome(item, state, "" if failure is None else failure.code) for item in record.items]


def _held(document: Document | None, arguments: Arguments) -> Arguments | None:
    return None if document is None else {name: documents.as_value(document.get(name)) for name in arguments}
