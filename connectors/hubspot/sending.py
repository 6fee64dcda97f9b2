"""Batches on their way: what HubSpot made of each input, told by trace and never by position."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.hubspot.cells import value_of
from connectors.hubspot.failures import code_of
from connectors.hubspot.wire import Batch, Stored, Trouble
from connectors.operation import Outcome
from connectors.tabular import Record, Table
from connectors.values import Value, as_json

State = Literal["done", "rejected", "unknown", "transient"]
NOT_KEPT: Final = "not_kept"  # HubSpot took it and has something else: a lifecycle stage that lies behind
NOT_SHOWN: Final = "not_shown"  # applied; the answer leaves out what was sent
DRIFT: Final = "schema_drift"
FINAL: Final = frozenset({DRIFT, NOT_KEPT})  # of which a single version is no better
PASSING: Final = frozenset({"RATE_LIMITS", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})

Attempt = Callable[[Sequence[Record]], "Sent"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record. `reference` is HubSpot's id of it."""

    state: State
    code: str = ""
    reference: str | None = None


Sent = Mapping[int, Verdict]
"""By the record's number in its batch. What is not in it was not answered."""


def inputs(
    records: Sequence[Record], name: Callable[[Record], Mapping[str, JsonValue]]
) -> dict[str, JsonValue]:
    """A batch: each input with its number as its trace. `name` says which record it is, and its values."""
    return {"inputs": [{**name(one), "objectWriteTraceId": str(at)} for at, one in enumerate(records)]}


def verdicts(answer: Batch, records: Sequence[Record], key: str, table: Table) -> Sent:
    """What a batch's answer says of each record. What it shows must be what was sent."""
    places = {str(record.key[-1]): at for at, record in enumerate(records)}
    found: dict[int, Verdict] = {}
    for stored in answer.results:
        at = _place(stored.object_write_trace_id, stored.properties.get(key), places)
        if at is not None:
            found[at] = shown(stored, key, records[at], table)
    for trouble in answer.errors:
        for at in _places(trouble, places):
            found[at] = _refused(trouble)
    return found


def shown(stored: Stored, key: str, record: Record, table: Table) -> Verdict:
    """What a record shows of what was sent to it: done only if it is all there."""
    told = stored.properties.get(key)
    if told is not None and told != record.key[-1]:
        return Verdict("unknown", "other_record")
    hidden = False
    for name, value in record.values.items():
        wanted, held = _come_back(value), stored.properties.get(name)
        if name in stored.properties and value_of(held, table.columns[name].type) != wanted:
            return Verdict("rejected", NOT_KEPT, stored.id)
        hidden |= name not in stored.properties and wanted is not None
    return Verdict("unknown", NOT_SHOWN, stored.id) if hidden else Verdict("done", "", stored.id)


def _come_back(value: Value) -> JsonValue:
    """A value as it must come back: HubSpot has one empty."""
    return None if value == "" else as_json(value)


def _place(trace: str | None, named: str | None, places: Mapping[str, int]) -> int | None:
    if trace is not None and trace.isdecimal() and int(trace) < len(places):
        return int(trace)
    return places.get(named or "")


def _places(trouble: Trouble, places: Mapping[str, int]) -> list[int]:
    traces = trouble.named("objectWriteTraceId")
    named = trouble.named("ids") if not traces else []
    found = [_place(trace, None, places) for trace in traces] + [_place(None, name, places) for name in named]
    return [at for at in found if at is not None]


def _refused(trouble: Trouble) -> Verdict:
    if trouble.category in PASSING:
        return Verdict("transient", "not_applied")
    return Verdict("rejected", code_of(trouble))


def deliver(records: Sequence[Record], attempt: Attempt) -> list[Outcome]:
    """Send all records at once; where the batch is refused as a whole, by halves, so that the others go.

    Raises what `attempt` raises if nothing was applied yet.
    """
    outcomes: list[Outcome] = []
    parts: list[Sequence[Record]] = [records]
    while parts:
        part = parts.pop()
        try:
            sent = attempt(part)
        except Rejected as refused:
            halves = [] if refused.code == DRIFT else _halves(part)  # all of them would be refused again
            if halves:
                parts += reversed(halves)
                continue
            sent = dict.fromkeys(range(len(part)), Verdict("rejected", refused.code))
        except (Transient, Unknown, Unauthorized) as trouble:
            if not outcomes:
                raise
            return outcomes + _broken_off(trouble, part, parts)
        again: list[Record] = []
        for at, record in enumerate(part):
            verdict = sent.get(at, Verdict("unknown", "no_result"))
            if verdict.state == "rejected" and verdict.code not in FINAL and len(record.versions) > 1:
                again.append(record)
            else:
                outcomes += _all_of(record, verdict)
        for record in again:
            parts += reversed(_versions(record))
    return outcomes


def _halves(part: Sequence[Record]) -> list[Sequence[Record]]:
    """Two halves; for one record that several items touch, its versions one by one; else nothing."""
    if len(part) > 1:
        return [part[: len(part) // 2], part[len(part) // 2 :]]
    return _versions(part[0]) if len(part[0].versions) > 1 else []


def _versions(record: Record) -> list[Sequence[Record]]:
    return [[Record(record.key, (version,))] for version in record.versions]


def _all_of(record: Record, verdict: Verdict) -> list[Outcome]:
    return [Outcome(item, verdict.state, verdict.code, verdict.reference) for item in record.items]


def _broken_off(
    trouble: ConnectorError, part: Sequence[Record], later: Sequence[Sequence[Record]]
) -> list[Outcome]:
    """HubSpot cannot go on. What was not tried was surely not applied."""
    lost, untried = lost_by(trouble), Verdict("transient", trouble.code)
    tried = [each for record in part for each in _all_of(record, lost)]
    return tried + [each for records in later for record in records for each in _all_of(record, untried)]


def lost_by(trouble: ConnectorError) -> Verdict:
    """What is known of an input whose request ended so, where others of its batch are settled.

    Unauthorized: it was not applied, and the next batch tells the tenant.
    """
    if isinstance(trouble, Rejected):
        return Verdict("rejected", trouble.code)
    return Verdict("unknown" if isinstance(trouble, Unknown) else "transient", trouble.code)
