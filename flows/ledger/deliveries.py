"""Deliveries on their way: planned → sent → done, rejected, unknown, held, superseded."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from pydantic import JsonValue
from sqlalchemy.engine import Connection

from connectors.operation import Arguments, Delivery, Item, Outcome
from flows.ledger import attempts, audit, emission, plans, restored
from flows.ledger.emission import Emission
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, PLAN, RUN

STATE_OF_OUTCOME = {"done": "done", "rejected": "rejected", "unknown": "unknown", "transient": "planned",
                    "superseded": "superseded"}  # fmt: skip


READ_BACK_DIFFERS = "read_back_differs"


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery to send or to settle, opened."""

    item: Item
    entry: str
    version: int
    state: str
    record: str
    first_sent: datetime | None  # None as long as surely nothing of it was applied: see attempts.py
    sent: datetime | None
    newest: bool  # no newer version of the entry was decided since
    code: str = ""
    fingerprint: str = ""  # of the version that it was decided for
    call: tuple[int, str] = (0, "")  # its place in the plan, and its operation
    released: bool = False  # a person let it go
    period: str | None = None  # the month it belongs to, if it may have left in one
    patient: str = ""  # the entry's own id; the item has the one under which its target knows it
    own: Mapping[str, str] = field(default_factory=dict[str, str])  # of a pair's: see plans.Decided
    left_out: tuple[str, ...] = ()  # arguments that were not to be sent when it was weighed last
    over: Arguments = field(default_factory=dict[str, JsonValue])  # of an undo's: see plans.Decided


def due(
    ledger: Ledger,
    operation: str,
    states: Sequence[str],
    limit: int,
    after: str = "",
    leaving: Emission | None = None,
) -> list[Due]:
    """Up to `limit` deliveries of an operation in these states, in order of their keys after `after`.

    leaving: only those that may leave in this run.
    """
    query = (
        sa.select(DELIVERY, PLAN.c.sealed, PLAN.c.fingerprint, ENTRY.c.version.label("newest"))
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.operation == operation,
            DELIVERY.c.state.in_(states),
            DELIVERY.c.key > after,
        )
        .order_by(DELIVERY.c.key)
        .limit(limit)
    )
    if leaving is not None:
        query = query.where(emission.may_leave(leaving))
    with ledger.reading() as connection:
        return [_due(ledger, row) for row in connection.execute(query)]


def _due(ledger: Ledger, row: sa.Row[tuple[object, ...]]) -> Due:
    plan = plans.opened(ledger, row.sealed)
    call = plan.calls[int(row.ordinal)]
    arguments = cast(dict[str, JsonValue], call["arguments"])
    if row.state == "done":  # what was left out did not arrive by this one
        arguments = {name: value for name, value in arguments.items() if name not in (row.left_out or ())}
    return Due(
        item=Item(key=row.key, patient=str(call.get("patient", plan.patient)), arguments=arguments),
        entry=row.entry,
        version=row.version,
        state=row.state,
        record=row.record,
        first_sent=row.first_sent,
        sent=row.sent,
        newest=row.newest == row.version,
        code=row.code,
        fingerprint=row.fingerprint,
        call=(row.ordinal, row.operation),
        released=row.released is not None,
        period=row.period,
        patient=plan.patient,
        own=plan.own,
        left_out=tuple(row.left_out or ()),
        over=cast(Arguments, call.get("over", {})),
    )


def leave_out(ledger: Ledger, names: Mapping[str, Sequence[str]]) -> None:
    """Commit which arguments of deliveries are not sent, since what the target holds stands."""
    if not names:
        return
    with ledger.writing("leave out") as connection:
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.key == sa.bindparam("b_key"))
            .values(left_out=sa.bindparam("b_names", type_=sa.JSON)),
            [{"b_key": key, "b_names": list(its)} for key, its in names.items()],
        )
        audit.add(ledger, connection, "arguments left out", sum(map(len, names.values())), *names)


def mark_sent(
    ledger: Ledger, batch: Sequence[Due], before: Mapping[str, Arguments | None], period: str | None = None
) -> None:
    """Commit that this batch leaves now, with what the target held before. Only then is it sent.

    period: the open month it leaves in; without, each keeps the one it has.
    """
    moment = now()
    rows = [
        {
            "b_key": one.item.key,
            "b_before": sealed(ledger, before, one.item.key),
            "b_first": one.first_sent or moment,
        }
        for one in batch
    ]
    with ledger.writing("sent") as connection:
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.key == sa.bindparam("b_key"))
            .values(
                state="sent",
                code="",
                attempts=DELIVERY.c.attempts + 1,
                sent=moment,
                first_sent=sa.bindparam("b_first"),
                before_sealed=attempts.before(sa.bindparam("b_before", type_=sa.LargeBinary)),
                **({} if period is None else {"period": period}),
            ),
            rows,
        )
        audit.add(ledger, connection, "deliveries sent", len(rows), *(row["b_key"] for row in rows))


def settle(ledger: Ledger, outcomes: Sequence[Outcome], never_left: Collection[str] = ()) -> None:
    """Commit what became of deliveries. An upsert that surely was never applied counts as never sent.

    never_left: keys of those that belong to no period unless they arrived, since they were first sent now.
    """
    if not outcomes:
        return
    rows = [_row_of(ledger, one, never_left) for one in outcomes]
    free = sa.bindparam("b_free", type_=sa.Integer) == 1
    anew = attempts.came_to_nothing(sa.bindparam("b_unapplied", type_=sa.Integer) == 1)
    told = (f"{one.key}={one.state}" for one in outcomes)
    with ledger.writing("settle") as connection:
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.key == sa.bindparam("b_key"))
            .values(
                state=sa.bindparam("b_state"),
                code=sa.bindparam("b_code"),
                settled=sa.bindparam("b_settled"),
                first_sent=sa.case((anew, sa.null()), else_=DELIVERY.c.first_sent),
                period=sa.case((free, None), else_=DELIVERY.c.period),
                reference_sealed=sa.bindparam("b_reference"),
            ),
            rows,
        )
        audit.add(ledger, connection, "deliveries settled", len(rows), *told)


def _row_of(ledger: Ledger, one: Outcome, never_left: Collection[str]) -> dict[str, object]:
    name = one.reference
    return {
        "b_key": one.key,
        "b_state": STATE_OF_OUTCOME[one.state],
        "b_code": one.code[:200],
        "b_settled": now() if one.state in ("done", "rejected", "superseded") else None,
        # a refusal that names the record is told after it was written
        "b_unapplied": int(one.state == "transient" or (one.state == "rejected" and name is None)),
        "b_free": int(one.key in never_left and one.state in ("transient", "rejected", "superseded")),
        "b_reference": None if name is None else ledger.seal.seal(name.encode(), "reference"),
    }


def move(ledger: Ledger, keys: Sequence[str], state: str, code: str = "") -> None:
    """Commit another state of deliveries that no target was asked about."""
    if not keys:
        return
    with ledger.writing(f"move to {state}") as connection:
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.key.in_(keys))
            .values(state=state, code=code, settled=now() if state == "superseded" else None)
        )
        audit.add(ledger, connection, f"deliveries {state}", len(keys), *keys)


def begin_anew(ledger: Ledger, keys: Sequence[str]) -> None:
    """The target was asked and has none of these: they count as never sent."""
    if not keys:
        return
    with ledger.writing("begin anew") as connection:
        connection.execute(sa.update(DELIVERY).where(DELIVERY.c.key.in_(keys)).values(first_sent=None))
        audit.add(ledger, connection, "deliveries begin anew", len(keys), *keys)


def refused(ledger: Ledger) -> int:
    """How many deliveries of the entries' newest versions the targets refused: open until put right."""
    query = (
        sa.select(sa.func.count())
        .select_from(DELIVERY)
        .join(ENTRY, (ENTRY.c.ref == DELIVERY.c.entry) & (ENTRY.c.version == DELIVERY.c.version))
        .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "rejected")
    )
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one()


def send_refused_again(ledger: Ledger, connection: Connection) -> int:
    """Put deliveries that the target refused back on their way. Returns how many.

    Where the target can be asked it is asked first: a record may be there all the same.
    """
    newest = sa.select(ENTRY.c.version).where(ENTRY.c.ref == DELIVERY.c.entry).scalar_subquery()
    doubtful = restored.release(ledger, connection, "rejected")
    refused = (DELIVERY.c.integration == ledger.integration) & (DELIVERY.c.state == "rejected")
    findable = DELIVERY.c.delivery_class.in_((Delivery.KEYED.value, Delivery.SEARCHABLE.value))
    again = sa.update(DELIVERY).where(refused, DELIVERY.c.version == newest)
    looked = connection.execute(again.where(findable).values(state="unknown", code="", settled=None)).rowcount
    number = looked + connection.execute(again.values(state="planned", code="", settled=None)).rowcount
    audit.add(ledger, connection, "rejected deliveries planned again", number + doubtful)
    return number + doubtful


def counts(ledger: Ledger, *, run: str | None = None) -> dict[str, int]:
    """How many deliveries are in which state, of one run or of the whole integration."""
    query = sa.select(DELIVERY.c.state, sa.func.count()).where(DELIVERY.c.integration == ledger.integration)
    if run is not None:
        query = query.where(DELIVERY.c.run == run)
    with ledger.reading() as connection:
        rows = connection.execute(query.group_by(DELIVERY.c.state)).all()
    return {state: number for state, number in rows}  # noqa: C416  # dict(rows) loses the types


def sample_done(ledger: Ledger, operation: str, size: int, period: str | None = None) -> Iterator[Due]:
    """Some deliveries that are done and still the newest, spread over the keys.

    They are those that this run planned, or, of a month's, settled: other runs planned most of them.
    """
    mine = DELIVERY.c.run == ledger.run
    if period is not None:
        began = sa.select(RUN.c.started).where(RUN.c.id == ledger.run).scalar_subquery()
        here = DELIVERY.c.integration == ledger.integration
        mine = here & (DELIVERY.c.period == period) & (DELIVERY.c.settled >= began)
    query = (
        sa.select(DELIVERY, PLAN.c.sealed, PLAN.c.fingerprint, ENTRY.c.version.label("newest"))
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(mine, DELIVERY.c.operation == operation, DELIVERY.c.state == "done")
        .where(ENTRY.c.version == DELIVERY.c.version)
        .order_by(DELIVERY.c.key)  # keyed hashes: their order is as good as chance
        .limit(size)
    )
    with ledger.reading() as connection:
        for row in connection.execute(query):
            yield _due(ledger, row)


def sealed(ledger: Ledger, before: Mapping[str, Arguments | None], key: str) -> bytes | None:
    """A record's pre-image; None where it is not known."""
    if key not in before:
        return None
    values: JsonValue = None if before[key] is None else dict(before[key] or {})
    return ledger.seal.seal(json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(), "before")
