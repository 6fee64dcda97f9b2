"""Batches of records: read, create, update, upsert. What is refused of a batch is told in a 207."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, StrictStr
from pydantic.alias_generators import to_camel

from connectors.sandbox.hubspot.properties import spelled
from connectors.sandbox.hubspot.reply import Json, RefusedError, Reply, invalid
from connectors.sandbox.hubspot.store import Record, Store

BATCH_MAX = 100
HISTORY_MAX = 50


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Named(Asked):
    id: str


class ReadBatch(Asked):
    inputs: Annotated[list[Named], Field(min_length=1, max_length=BATCH_MAX)]
    properties: list[str] = Field(default_factory=list[str])
    properties_with_history: list[str] = Field(default_factory=list[str])
    id_property: str | None = None


class Input(Asked):
    """One record to be written. All values are strings."""

    id: str = ""
    id_property: str | None = None
    object_write_trace_id: str | None = None
    properties: dict[str, StrictStr]


class WriteBatch(Asked):
    inputs: Annotated[list[Input], Field(min_length=1, max_length=BATCH_MAX)]


One = TypeVar("One", bound=Input)
NOW = Callable[[], int]


def shown(record: Record, properties: Sequence[str], known: Store) -> Json:
    """A record as it is answered. Names that no property has are left out in silence."""
    modified = "lastmodifieddate" if known.object_type == "contacts" else "hs_lastmodifieddate"
    names = dict.fromkeys(("hs_object_id", "createdate", modified, *properties))
    answer: Json = {
        "id": str(record.id),
        "properties": {name: record.value(name) for name in names if name in known.properties},
        "createdAt": spelled(record.created),
        "updatedAt": spelled(record.modified),
        "archived": record.archived,
    }
    if record.archived_at is not None:
        answer["archivedAt"] = spelled(record.archived_at)
    return answer


def read(store: Store, asked: ReadBatch) -> Reply:
    """The records that are there, in no order that means anything; the others are told as errors."""
    found: dict[int, Record] = {}
    missing: list[str] = []
    for one in asked.inputs:
        record = store.find(one.id, asked.id_property)
        if record is None:
            missing.append(one.id)
        else:
            found[record.id] = record
    if asked.properties_with_history and len(asked.inputs) > HISTORY_MAX:
        raise invalid("Too many inputs for a read with history")
    results = [shown(record, asked.properties, store) for _, record in sorted(found.items(), reverse=True)]
    if asked.properties_with_history:
        for result in results:
            past = found[int(str(result["id"]))].past(asked.properties_with_history)
            result["propertiesWithHistory"] = past
    errors: list[Json] = []
    if missing:
        context = {"ids": missing}
        errors.append(
            RefusedError(404, "OBJECT_NOT_FOUND", "Could not get some objects", context=context).row(None)
        )
    return _answer(results, errors)


def write(
    store: Store,
    asked: WriteBatch,
    act: Callable[[Store, Input], Json],
    whole: Sequence[str],
    hidden: Sequence[str] = (),
) -> Reply:
    """Apply each input by itself. A refusal of one of the categories `whole` refuses the whole batch.

    hidden: properties that the answer leaves out.
    """
    names = [(one.id_property, one.id) for one in asked.inputs if one.id]
    if len(set(names)) < len(names):
        raise invalid("Duplicate IDs found in batch input")
    results: list[Json] = []
    errors: list[Json] = []
    if whole:
        _rehearse(store, asked, whole)
    for one in asked.inputs:
        try:
            result = act(store, one)
        except RefusedError as refused:
            errors.append(refused.row(one.object_write_trace_id))
            continue
        if one.object_write_trace_id is not None:
            result["objectWriteTraceId"] = one.object_write_trace_id
        held = cast(Json, result["properties"])
        result["properties"] = {name: value for name, value in held.items() if name not in hidden}
        results.append(result)
    return _answer(results[::-1], errors)


def _rehearse(store: Store, asked: WriteBatch, whole: Sequence[str]) -> None:
    for one in asked.inputs:
        try:
            record = store.find(one.id, one.id_property) if one.id else None
            store.conflict(store.checked(one.properties), None if record is None else record.id)
        except RefusedError as refused:
            if refused.category in whole:
                raise


def upsert(now: NOW) -> Callable[[Store, Input], Json]:
    """Make the record that has this value of a unique property, or change it."""

    def act(store: Store, one: Input) -> Json:
        if one.id_property is None or not one.id:
            raise invalid("id and idProperty are needed")
        record = store.find(one.id, one.id_property)
        values = store.checked({one.id_property: one.id, **one.properties})
        if record is None:
            record, new = store.create(values, now()), True
        else:
            store.update(record, values, now())
            new = False
        return {**shown(record, list(values), store), "new": new}

    return act


def update(now: NOW) -> Callable[[Store, Input], Json]:
    """Change the record of an id."""

    def act(store: Store, one: Input) -> Json:
        record = store.find(one.id, one.id_property)
        if record is None:
            context = {"ids": [one.id]}
            raise RefusedError(404, "OBJECT_NOT_FOUND", "resource not found", context=context)
        values = store.checked(one.properties)
        store.update(record, values, now())
        return shown(record, list(values), store)

    return act


def create(now: NOW) -> Callable[[Store, Input], Json]:
    """Make a record."""

    def act(store: Store, one: Input) -> Json:
        values = store.checked(one.properties)
        return shown(store.create(values, now()), list(values), store)

    return act


def _answer(results: Sequence[Json], errors: Sequence[Json]) -> Reply:
    body: Json = {
        "status": "COMPLETE",
        "results": list(results),
        "startedAt": "2026-01-01T00:00:00Z",
        "completedAt": "2026-01-01T00:00:00Z",
    }
    if errors:
        body |= {"numErrors": len(errors), "errors": list(errors)}
    return Reply(207 if errors else 200, body)
