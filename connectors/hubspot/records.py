"""One declared table in the portal: items become records of HubSpot, and give one outcome for each item."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.hubspot import schema as schemas
from connectors.hubspot.cells import cell_of, value_of
from connectors.hubspot.client import Client
from connectors.hubspot.options import HubSpotOptions, ObjectType, object_type
from connectors.hubspot.reading import by_id
from connectors.hubspot.schema import Schema
from connectors.hubspot.sending import DRIFT, NOT_SHOWN, Sent, deliver, inputs, lost_by, shown, verdicts
from connectors.hubspot.wire import PLAIN, Batch, Stored
from connectors.operation import Arguments, Claim, Item, Need, Outcome
from connectors.tabular import Record, Rows, Table

BATCH = 100


class Records(ABC):
    """A table whose rows are records of one type, each named by a unique property: its key."""

    def __init__(self, client: Client, table: Table, options: HubSpotOptions) -> None:
        self.table = table
        self.rows = Rows(table)
        self.kind: ObjectType = object_type(table, options)
        self.key = next((name for name in table.key if name != table.patient), table.patient)
        self.client = client
        self._options = options
        self._schema: Schema | None = None
        self._looked: Schema | None = None  # until the first write makes what is missing
        self._lock = threading.Lock()

    def look(self) -> Schema:
        """The table's properties as they are now."""
        return schemas.look(self.client, self.kind, self.table, self.key, self._options)

    def make(self) -> Schema:
        """Make the properties that are not there, and see which are. Once, until something is refused."""
        with self._lock:
            if self._schema is None:
                found = self._looked or self.look()
                self._looked = None
                schemas.make(self.client, self.kind, found, self._options)
                lacks = len(found.properties) < len(schemas.columns(self.table, self.key))
                self._schema = self.look() if lacks else found
            return self._schema

    def _seen(self) -> Schema:
        """The properties as they were last seen; makes nothing."""
        if self._schema is not None:
            return self._schema
        if self._looked is None or not self._looked.is_keyed:
            self._looked = self.look()
        return self._looked

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Write the items' records; once more where the properties are not any more as they were seen.

        Raises as a Write does.
        """
        before = self._schema
        outcomes = self._send(items)
        if before is None or self._schema is not None:
            return outcomes
        settled = [outcome for outcome in outcomes if outcome.code != DRIFT]
        waiting = {outcome.key for outcome in outcomes} - {outcome.key for outcome in settled}
        again = [item for item in items if item.key in waiting]
        try:
            return settled + self._send(again)
        except (Transient, Unknown, Unauthorized) as trouble:
            if not settled:
                raise
            lost = lost_by(trouble)
            return settled + [Outcome(item.key, lost.state, lost.code) for item in again]

    def _send(self, items: Sequence[Item]) -> list[Outcome]:
        try:
            records, outcomes = self.rows.records(items, self.make().objection)
        except Rejected as error:
            return [Outcome(item.key, "rejected", error.code) for item in items]
        return outcomes + self.deliver(records) if records else outcomes

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        return deliver(records, self.upsert)

    def upsert(self, records: Sequence[Record]) -> Sent:
        """One batch. Raises Rejected if it is refused as a whole."""
        body = inputs(records, self._named)
        codes: set[str] = set()
        try:
            answer = self.client.write(self.client.sdk.batches.upsert, Batch, self.kind, body)
            sent = self.seen(records, verdicts(answer, records, self.key, self.table))
            codes = {verdict.code for verdict in sent.values()}
            return sent
        except Rejected as refused:
            codes = {refused.code}
            raise
        finally:
            if DRIFT in codes:
                self._schema = None  # look again before the next batch

    def seen(self, records: Sequence[Record], sent: Sent) -> Sent:
        """Those of which the answer left out what was sent are read; what is hidden even so is sent again."""
        unseen = {verdict.reference or "": at for at, verdict in sent.items() if verdict.code == NOT_SHOWN}
        if not unseen:
            return sent
        names = {name for at in unseen.values() for name in records[at].values}
        try:
            there = by_id(self.client, self.kind, list(unseen), [self.key, *sorted(names)])
        except (Rejected, Transient, Unauthorized):
            return sent
        found = {unseen[one.id]: one for one in there if one.id in unseen}
        read = {at: shown(one, self.key, records[at], self.table) for at, one in found.items()}
        return {**sent, **read}

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be kept in the properties as they are, or as they will be made. Makes nothing."""
        return self.rows.records(items, self._seen().as_made().objection)[1]

    @abstractmethod
    def rules(self, items: Sequence[Item]) -> Sequence[Claim | Need]:
        """What a record claims that no other one may have, and what it needs. Makes nothing."""

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' records hold now, in the columns that each item sets. Makes nothing."""
        keys = self.rows.keys(items)
        known = self._seen()
        if not known.is_keyed:
            return dict.fromkeys(keys)  # no such property yet, so no records
        asked = {name for item in items for name in item.arguments} & known.properties.keys()
        names = dict.fromkeys((self.key, *sorted(asked)))
        wanted = list(dict.fromkeys(str(key[-1]) for key in keys.values() if key is not None))
        found: dict[str | None, Mapping[str, str | None]] = {}
        for at in range(0, len(wanted), BATCH):
            for one in by_id(self.client, self.kind, wanted[at : at + BATCH], list(names), by=self.key):
                self.sure_to_show(one, asked)
                found[one.properties.get(self.key)] = one.properties
        held: dict[str, Arguments | None] = {}
        for item in items:
            key = keys[item.key]
            there = None if key is None else found.get(str(key[-1]))
            held[item.key] = None if there is None else self._values(there, item.arguments, asked)
        return held

    def sure_to_show(self, one: Stored, names: Collection[str]) -> None:
        """Raises Unauthorized if the token sees a sensitive property no more: that is no empty value."""
        known = self._seen().properties
        if any(known[name].data_sensitivity != PLAIN and name not in one.properties for name in names):
            raise Unauthorized(
                "missing_scopes",
                f"hubspot: a sensitive property of {self.kind} is hidden; give the token its scope",
            )

    def ids(self, patients: Sequence[str]) -> dict[str, str]:
        """HubSpot's ids of these patients' records, of those that there are."""
        found: dict[str, str] = {}
        if not self._seen().is_keyed:
            return found
        wanted = list(dict.fromkeys(patients))
        for at in range(0, len(wanted), BATCH):
            for one in by_id(self.client, self.kind, wanted[at : at + BATCH], [self.key], by=self.key):
                found[one.properties.get(self.key) or ""] = one.id
        return found

    def properties_of(self, record: Record) -> dict[str, JsonValue]:
        """The values that the record's items set, as HubSpot takes them."""
        columns = self.table.columns
        return {name: cell_of(value, columns[name].type) for name, value in record.values.items()}

    def _named(self, record: Record) -> Mapping[str, JsonValue]:
        return {"id": record.key[-1], "idProperty": self.key, "properties": self.properties_of(record)}

    def _values(
        self, there: Mapping[str, str | None], arguments: Arguments, asked: set[str]
    ) -> dict[str, JsonValue]:
        held = {
            name: value_of(there.get(name), self.table.columns[name].type)
            for name in arguments
            if name in asked
        }
        # HubSpot has one empty: it is told as the one that is asked about, so that what was written is there
        return {
            name: "" if value is None and arguments[name] == "" else value for name, value in held.items()
        }
