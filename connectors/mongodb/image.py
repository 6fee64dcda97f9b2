"""What one collection would refuse, asked of the server and written nowhere.

A validator is evaluated by the server itself, of documents that it is given in the command: MongoDB 6.0 or
newer. Where that is not possible, or not allowed, it is not known before what it refuses.
"""

import json
from collections.abc import Iterator, Sequence

import bson

from connectors.errors import Rejected, Unauthorized
from connectors.mongodb import documents
from connectors.mongodb.client import Client, Document
from connectors.mongodb.target import STALE, Target
from connectors.operation import Claim, Item, Outcome
from connectors.tabular import Record

AT_ONCE = 100  # documents held against a validator in one command
LARGEST = 120 * 1024  # bytes of one: together less than a command may have


class Image:
    """The read-only side of a target."""

    def __init__(self, client: Client, target: Target) -> None:
        self._client, self._target, self._table = client, target, target.table
        self._indexes: list[Document] | None = None

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What the collection refuses of these fields alone."""
        try:
            return self._target.sorted(items)[1]
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]

    def rules(self, items: Sequence[Item]) -> list[Outcome | Claim]:
        """What it refuses of them as documents, and beside the others that are there."""
        records, _ = self._target.rows.records(items, lambda _key, _values: None)
        newer = self._target.newer(records)
        told: list[Outcome | Claim] = [
            Outcome(item, "superseded", STALE.code) for one in newer for item in one.items
        ]
        records = [one for one in records if one not in newer]
        told += [Outcome(item, "rejected", "check") for one in self._broken(records) for item in one.items]
        for index in self._unique():
            told += self._claims(index, records)
        return told

    def _broken(self, records: Sequence[Record]) -> list[Record]:
        shape = self._target.known()
        if not shape.validator or not records:
            return []
        before = self._there(records, None)
        after = [{**before.get(_name(one["_id"]), {}), **one} for one in map(self._document, records)]
        wrong, _ = self._against(shape.validator, after)
        if shape.moderate:  # what did not fit before may stay so
            misfits, unsaid = self._against(shape.validator, list(before.values()))
            wrong -= misfits | unsaid
        return [one for one in records if _name(documents.id_of(self._table, one.key)) in wrong]

    def _against(self, validator: Document, each: Sequence[Document]) -> tuple[set[str], set[str]]:
        """The `_id` of each document that does not fit, and of each of which the server does not say it."""
        wrong: set[str] = set()
        large = [one for one in each if len(bson.encode(one)) >= LARGEST]
        unsaid, small = {_name(one["_id"]) for one in large}, [one for one in each if one not in large]
        for start in range(0, len(small), AT_ONCE):
            part = small[start : start + AT_ONCE]
            pipeline = [
                {"$documents": {"$literal": part}},
                {"$match": {"$nor": [validator]}},
                {"$project": {"_id": 1}},
            ]
            asked = {"aggregate": 1, "pipeline": pipeline, "cursor": {"batchSize": AT_ONCE}}
            try:
                answer = self._client.read(asked)
            except (Rejected, Unauthorized):
                unsaid |= {_name(one["_id"]) for one in part}
                continue
            wrong |= {_name(one["_id"]) for one in answer["cursor"]["firstBatch"]}
        return wrong, unsaid

    def _unique(self) -> list[Document]:
        """The unique indexes over declared fields; none, if they may not be looked at."""
        if self._indexes is None:
            try:
                answer = self._client.read({"listIndexes": self._table.name})
                found: list[Document] = answer["cursor"]["firstBatch"]
            except (Rejected, Unauthorized):  # also where there is no such collection yet
                found = []
            self._indexes = [one for one in found if one.get("unique") and self._is_plain(one)]
        return self._indexes

    def _is_plain(self, index: Document) -> bool:
        whole = "partialFilterExpression" not in index and "collation" not in index
        columns = self._table.columns
        return whole and all(name in columns and columns[name].type != "json" for name in index["key"])

    def _claims(self, index: Document, records: Sequence[Record]) -> Iterator[Claim]:
        """A field that is missing is null, and that only one may be; unless the index is sparse."""
        names = list(index["key"])
        now = self._there(records, names)
        have: list[tuple[Record, list[object]]] = []
        for record in records:
            made = self._document(record)
            whole = {**now.get(_name(made["_id"]), {}), **made}
            missing = index.get("sparse") and not any(name in whole for name in names)
            have.append((record, [] if missing else [whole.get(name) for name in names]))
        sought = [values for _, values in have if values]
        wanted = {name: {"$in": [values[at] for values in sought]} for at, name in enumerate(names)}
        there = self._target.find(wanted, names) if sought else []
        holders = {_spelled([one.get(name) for name in names]): self._named(one["_id"]) for one in there}
        for record, values in have:
            value = _spelled(values) if values else None
            for item in record.items:
                yield Claim(item, f"unique {index['name']}", value, "duplicate", holders.get(value or "", ""))

    def _there(self, records: Sequence[Record], names: Sequence[str] | None) -> dict[str, Document]:
        """The documents that are there, with these fields, or whole."""
        ids = [documents.id_of(self._table, one.key) for one in records]
        found = self._target.find({"_id": {"$in": ids}}, names)
        return {_name(one["_id"]): one for one in found}

    def _document(self, record: Record) -> Document:
        key = dict(zip(self._table.key, record.key, strict=True))
        return {
            "_id": documents.id_of(self._table, record.key),
            **documents.fields_of(self._table, {**key, **record.values}),
        }

    def _named(self, id_: object) -> str:
        """The record as its write names it; one that no row is has a name of its own."""
        key, patient = documents.key_of(self._table, id_), self._table.patient
        if key is None:
            return repr(id_)
        others = {name: documents.as_value(value) for name, value in key.items() if name != patient}
        return self._target.rows.record(str(key[patient]), others)


def _name(id_: object) -> str:
    return documents.name_of(id_)


def _spelled(values: Sequence[object]) -> str:
    return json.dumps([documents.as_value(value) for value in values], sort_keys=True)
