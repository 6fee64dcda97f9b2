"""One table as a target: a batch of items becomes a part and a manifest, and gives one outcome for each."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress

from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unknown
from connectors.operation import Arguments, Item, Outcome
from connectors.s3.dataset import Dataset, spelled
from connectors.s3.layout import Row
from connectors.tabular import Key, Record, Rows, Table
from connectors.values import Value, as_json

RACES = 5  # times that another writer may be faster


class Target:
    """A declared table in one bucket."""

    def __init__(self, dataset: Dataset) -> None:
        self.table: Table = dataset.table
        self.rows = Rows(dataset.table)
        self._dataset = dataset
        self._lock = threading.Lock()

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows: all of them count afterwards, or none. Raises as a Write does."""
        with self._lock:
            for _ in range(RACES):
                try:
                    self._dataset.refresh()
                    records, outcomes = self.rows.records(items, self._objection)
                    changed = self._changed(records)
                    if changed and not self._dataset.add(changed):
                        continue
                except Rejected as error:
                    return [Outcome(item.key, "rejected", error.code) for item in items]
                if changed:
                    with suppress(Transient, Unknown, Rejected):  # it has time until the next batch
                        self._dataset.tidy()
                return outcomes + [Outcome(item, "done") for record in records for item in record.items]
        raise Transient("contention", "s3: others write the same dataset all the time; try again")

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be kept in the dataset as it is now. Puts nothing."""
        with self._lock:
            try:
                self._dataset.refresh()
            except Rejected as error:
                return [Outcome(item.key, "rejected", error.code) for item in items]
            return self.rows.records(items, self._objection)[1]

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets. Makes nothing."""
        keys = self.rows.keys(items)
        with self._lock:
            self._dataset.refresh()
            found = self._dataset.rows({key for key in keys.values() if key is not None})
        held: dict[str, Arguments | None] = {}
        for item in items:
            key = keys[item.key]
            row = None if key is None else found.get(key)
            held[item.key] = None if row is None else {name: row.get(name) for name in item.arguments}
        return held

    def look(self) -> Dataset:
        """The dataset as it is now."""
        with self._lock:
            self._dataset.refresh()
        return self._dataset

    def _objection(self, key: Key, values: Mapping[str, Value]) -> str | None:
        for drift in self._dataset.drift():
            if drift.code == "missing_key" or (drift.code == "wrong_type" and drift.column in values):
                return "schema_drift"
        return None

    def _changed(self, records: Sequence[Record]) -> dict[Key, Row]:
        """The rows that differ from what is there, whole: what an item does not set stays as it was."""
        held = self._dataset.rows([record.key for record in records])
        changed: dict[Key, Row] = {}
        for record in records:
            values: dict[str, JsonValue] = {name: as_json(value) for name, value in record.values.items()}
            before = held.get(record.key)
            if before is None:
                changed[record.key] = {**dict(zip(self.table.key, record.key, strict=True)), **values}
            elif any(spelled(before.get(name)) != spelled(value) for name, value in values.items()):
                changed[record.key] = {**before, **values}
        return changed
