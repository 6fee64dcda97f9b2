"""Journalling: a plan is committed here before anything of it is sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy.engine import Connection

from agent.case import Case
from agent.plan import Call, Decision, Plan, Refused
from connectors.operation import Arguments, Delivery, Write
from flows.ledger import audit, entries, kept
from flows.ledger.entries import Known
from flows.ledger.newest import UNDO
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, KEPT, PLAN

NOTHING: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry with what was decided for this version of it.

    One that undoes is no decision of the entry's, which stays as it was decided. over: what the target is to
    hold still for each call to be sent.
    """

    known: Known
    fingerprint: str
    decision: Decision
    transient: bool = False  # a refusal that time may put right: does not use up the entry's attempts
    by: str = "program"  # or the id of the model that decided
    kept: Case | None = None  # what it was decided on, where that is to be kept for replay
    own: Mapping[str, str] = field(default_factory=dict[str, str])  # what goes both ways, as hashes by key
    rest: str = ""  # the fingerprint without that
    record: str = ""  # the id under which the paired target knows the entry, if it is another one
    paired: str = ""  # that target
    over: tuple[Arguments, ...] = ()

    @property
    def undoes(self) -> bool:
        return self.by == UNDO

    @property
    def plan(self) -> str:
        """The id of its plan."""
        return f"{self.known.ref}.{self.known.version + 1}"

    def patient(self, operation: str) -> str:
        """The id under which an operation's target knows the entry: bound here, and by nothing in it."""
        bound = self.record and operation.startswith(f"{self.paired}_")
        return self.record if bound else self.known.patient


@dataclass(frozen=True, slots=True)
class Versions:
    """What a plan was made by; stored with it and part of nothing that identifies the entry."""

    instructions: str
    policy: str
    fields: tuple[str, ...] = ()  # that are read of each entry


def journal(
    ledger: Ledger,
    decided: Sequence[Decided],
    versions: Versions,
    writes: Mapping[str, Write],
    held: str = "",
    also: Mapping[str, object] = NOTHING,
) -> None:
    """Commit the decisions of a group in one transaction, older unsent deliveries superseded.

    `held`: the code under which their deliveries wait for a person (the breaker), or "" to plan them.
    `also`: more of each delivery's columns.
    """
    made = [_rows(ledger, one, versions, writes) for one in decided]
    plans, deliveries = [plan for plan, _ in made], [row for _, rows in made for row in rows]
    old = [_entry_row(ledger, one) for one in decided if one.known.state and not one.undoes]
    new = [_entry_row(ledger, one) for one in decided if not one.known.state]
    undone = [_entry_row(ledger, one) for one in decided if one.known.state and one.undoes]
    cases = [kept.row(ledger, one.plan, one.kept) for one in decided if one.kept]
    for row in deliveries:
        row.update(state="held" if held else "planned", code=held, settled=None, **also)
    with ledger.writing("journal") as connection:
        refs = [row["ref"] for row in (*old, *undone)]
        void = _supersede(connection, refs)
        _leave_out_repeated(connection, refs, deliveries)
        _put_entries(connection, old, new)
        _put_entries(connection, undone, [])
        connection.execute(PLAN.insert(), plans)
        if cases:
            connection.execute(KEPT.insert(), cases)
        if deliveries:
            connection.execute(DELIVERY.insert(), deliveries)
        audit.add(ledger, connection, "plans journalled", len(plans), *(row["hash"] for row in plans))
        if void:
            audit.add(ledger, connection, "deliveries superseded", void)
        if held:
            audit.add(ledger, connection, f"deliveries held: {held}", len(deliveries), *_keys(deliveries))


REPEATED = "sent_before"
"""The code of a create that an earlier version of the entry sent with the same content."""


def _leave_out_repeated(
    connection: Connection, refs: Sequence[object], rows: Sequence[dict[str, object]]
) -> None:
    """A charge, an order, an event that left once does not leave again because something else changed.

    What is written again as it was is the same act, not another one; an upsert may be repeated at no harm.
    """
    before = sa.select(DELIVERY.c.entry, DELIVERY.c.content).where(
        DELIVERY.c.entry.in_(refs),
        DELIVERY.c.delivery_class != Delivery.UPSERT.value,
        DELIVERY.c.state.in_(("sent", "unknown", "done")),
    )
    if not refs:
        return
    left = {(entry, content) for entry, content in connection.execute(before)}
    for row in rows:
        if row["delivery_class"] != Delivery.UPSERT.value and (row["entry"], row["content"]) in left:
            row.update(state="superseded", code=REPEATED, settled=now())


@dataclass(frozen=True, slots=True)
class Opened:
    """A sealed plan, as it was journalled."""

    patient: str
    calls: list[dict[str, JsonValue]]
    own: dict[str, str]  # of a pair's: what goes both ways, as hashes by key


def opened(ledger: Ledger, sealed: bytes) -> Opened:
    """A sealed plan."""
    content = json.loads(ledger.seal.open(sealed, "plan"))
    return Opened(content["patient"], content["calls"], content.get("own", {}))


def _rows(
    ledger: Ledger, one: Decided, versions: Versions, writes: Mapping[str, Write]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    outcome, version, plan_id = one.decision.outcome, one.known.version + 1, one.plan
    calls = outcome.calls if isinstance(outcome, Plan) else ()
    said: dict[str, JsonValue] = {
        "patient": one.known.patient,
        "outcome": outcome.model_dump(mode="json"),
        "calls": [_call(one, at, c) for at, c in enumerate(calls)],
    }
    if one.own:
        said["own"] = dict(one.own)
    content = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    kind, code = _kind(outcome)
    plan_row: dict[str, object] = {
        "id": plan_id,
        "entry": one.known.ref,
        "version": version,
        "kind": kind,
        "because": " ".join(outcome.because) if isinstance(outcome, Plan) else "",
        "code": code,
        "hash": ledger.seal.keyed_hash_of(content),
        "sealed": ledger.seal.seal(content, "plan"),
        "fingerprint": one.fingerprint,
        "instructions": one.known.instructions if one.undoes else versions.instructions,
        "policy": versions.policy,
        "run": ledger.run,
        "by": one.by,
        "model_requests": one.decision.model_requests,
        "made": now(),
    }
    rows = [
        _delivery(ledger, one, plan_id, at, call, writes[call.operation]) for at, call in enumerate(calls)
    ]
    return plan_row, rows


def _delivery(
    ledger: Ledger, one: Decided, plan_id: str, at: int, call: Call, write: Write
) -> dict[str, object]:
    version = one.known.version + 1
    record = write.record(one.patient(call.operation), call.values())
    return {
        "key": key_of(ledger, one.known.patient, one.fingerprint, version, at, call.operation),
        "integration": ledger.integration,
        "plan": plan_id,
        "entry": one.known.ref,
        "version": version,
        "ordinal": at,
        "operation": call.operation,
        "delivery_class": write.delivery.value,
        "because": " ".join(call.because),
        "record": ledger.seal.keyed_hash("record", call.operation, record),
        "content": ledger.seal.keyed_hash("content", call.operation, record, _canonical(call)),
        "attempts": 0,
        "run": ledger.run,
        "planned": now(),
    }


def key_of(ledger: Ledger, patient: str, fingerprint: str, version: int, ordinal: int, operation: str) -> str:
    """A delivery's idempotency key: the same for the same call of the same version, however often decided."""
    return ledger.seal.keyed_hash(
        "delivery/1", ledger.integration, patient, fingerprint, version, ordinal, operation
    )


def _canonical(call: Call) -> str:
    return json.dumps(call.values(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _call(one: Decided, at: int, call: Call) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {"operation": call.operation, "arguments": call.values()}
    if one.over:
        said["over"] = dict(one.over[at])
    bound = one.patient(call.operation)
    return said if bound == one.known.patient else said | {"patient": bound}


def _kind(outcome: Plan | Refused) -> tuple[str, str]:
    if isinstance(outcome, Refused):
        return "refused", ":".join(part for part in (outcome.code, outcome.where) if part)
    return outcome.kind, outcome.reason


def _entry_row(ledger: Ledger, one: Decided) -> dict[str, object]:
    if one.undoes:
        return {"ref": one.known.ref, "version": one.known.version + 1}
    kind, code = _kind(one.decision.outcome)
    outcome = one.decision.outcome
    failed = kind == "refused" and not one.transient
    row = entries.row_of(ledger, one.known, fingerprint=one.fingerprint, version=one.known.version + 1)
    return row | {
        "state": entries.STATE_OF_KIND[kind],
        "code": code,
        "attempts": one.known.attempts + 1 if failed else 0,
        "again_on": outcome.again_on if isinstance(outcome, Plan) else None,
        "decided": now(),
        "rest": one.rest or None,
    }


def _put_entries(connection: Connection, old: list[dict[str, object]], new: list[dict[str, object]]) -> None:
    if new:
        connection.execute(ENTRY.insert(), new)
    if old:
        names = [
            name for name in old[0] if name not in ("ref", "integration", "patient_hash", "patient_sealed")
        ]
        changed = sa.update(ENTRY).where(ENTRY.c.ref == sa.bindparam("b_ref"))
        changed = changed.values({name: sa.bindparam(f"b_{name}") for name in names})
        connection.execute(changed, [{f"b_{name}": row[name] for name in ("ref", *names)} for row in old])


def _keys(deliveries: Sequence[Mapping[str, object]]) -> list[object]:
    return [row["key"] for row in deliveries]


def _supersede(connection: Connection, refs: Sequence[object]) -> int:
    """What an older version planned and never sent is void: this version decided anew. Returns how many.

    One that may have left in a period goes on to its end, so that this version waits for the next one. One
    that left, was not confirmed and waits to be sent again may have arrived: the target is asked first.
    """
    if not refs:
        return 0
    mine, unsent = DELIVERY.c.entry.in_(refs), DELIVERY.c.state == "planned"
    findable = DELIVERY.c.delivery_class.in_((Delivery.KEYED.value, Delivery.SEARCHABLE.value))
    connection.execute(
        sa.update(DELIVERY)
        .where(mine, unsent, findable, DELIVERY.c.first_sent.is_not(None), DELIVERY.c.period.is_(None))
        .values(state="unknown", code="overtaken")
    )
    return connection.execute(
        sa.update(DELIVERY)
        .where(mine, (DELIVERY.c.state == "held") | (unsent & DELIVERY.c.period.is_(None)))
        .values(state="superseded", settled=now())
    ).rowcount
