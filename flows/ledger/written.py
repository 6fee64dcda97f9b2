"""What a run planned to write, field by field: for people to look at, page by page."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pydantic import JsonValue

from agent.plan import Argument, Call
from connectors.operation import Arguments, Delivery
from flows.ledger.deliveries import READ_BACK_DIFFERS
from flows.ledger.newest import UNDO
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, PLAN

PAGE = 200  # entries at a time
Stand = tuple[object, ...]
"""A delivery's state, code and number of attempts: what is known of it changes with these alone."""


@dataclass(frozen=True, slots=True)
class Written:
    """One delivery of a run. It holds patient data.

    before: what the target held of these arguments just before; None where there was no such record. read:
    False where that was not read, since it did not leave yet, or since the target cannot say.
    """

    key: str
    operation: str
    record: str  # keyed hash of the record it touches
    entry: str  # the pseudonym
    patient: str
    bound: str  # the id under which the target knows the patient
    version: int
    newest: bool  # no newer version of the entry was decided since
    state: str
    code: str
    because: tuple[str, ...]
    by: str  # who decided: program, or a model's id
    arguments: Mapping[str, Argument]
    left_out: tuple[str, ...]
    read: bool
    before: Arguments | None
    settled: datetime | None
    first_sent: datetime | None  # of an upsert: None as long as surely nothing of it was applied
    upsert: bool

    @property
    def values(self) -> dict[str, JsonValue]:
        return {name: argument.value for name, argument in self.arguments.items()}

    @property
    def may_be_there(self) -> bool:
        """Whether any of it left, and was not surely refused."""
        refused = self.state == "rejected" and self.code != READ_BACK_DIFFERS
        return self.first_sent is not None and (self.upsert or not refused)

    @property
    def is_open(self) -> bool:
        """Whether something is still to become of it."""
        return self.newest and self.state not in ("done", "superseded")

    @property
    def creates(self) -> bool:
        return self.read and self.before is None

    def changes(self, name: str) -> bool:
        """Whether this argument makes a difference, as far as is known."""
        if name in self.left_out:
            return False
        before = self.before or {}
        return name not in before or before[name] != self.arguments[name].value


def of_run(ledger: Ledger, run: str) -> Iterator[list[Written]]:
    """The deliveries that a run planned, page by page; those of one entry are in one page, in their order."""
    after = ""
    while refs := _entries(ledger, run, after):
        mine = (DELIVERY.c.run == run) & DELIVERY.c.entry.in_(refs)
        query = _query(ledger).where(mine).order_by(DELIVERY.c.entry, DELIVERY.c.ordinal)
        with ledger.reading() as connection:
            rows = connection.execute(query).all()
        yield [_opened(ledger, row) for row in rows]
        after = refs[-1]


def of_keys(ledger: Ledger, keys: Sequence[str]) -> list[Written]:
    """These deliveries, in no promised order."""
    found: list[Written] = []
    with ledger.reading() as connection:
        for start in range(0, len(keys), PAGE):
            which = DELIVERY.c.key.in_(keys[start : start + PAGE])
            found += [_opened(ledger, row) for row in connection.execute(_query(ledger).where(which))]
    return found


def stands(ledger: Ledger, runs: Sequence[str]) -> dict[str, dict[str, Stand]]:
    """How each delivery of these runs stands, by run and key, in order; a run without any is left out."""
    found: dict[str, dict[str, Stand]] = {}
    query = sa.select(
        DELIVERY.c.run, DELIVERY.c.key, DELIVERY.c.state, DELIVERY.c.code, DELIVERY.c.attempts
    ).order_by(DELIVERY.c.entry, DELIVERY.c.ordinal)
    with ledger.reading() as connection:
        for start in range(0, len(runs), PAGE):
            which = DELIVERY.c.run.in_(runs[start : start + PAGE])
            for run, key, *stand in connection.execute(query.where(which)):
                found.setdefault(run, {})[key] = tuple(stand)
    return found


def _entries(ledger: Ledger, run: str, after: str) -> list[str]:
    query = (
        sa.select(DELIVERY.c.entry)
        .distinct()
        .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.run == run, DELIVERY.c.entry > after)
        .order_by(DELIVERY.c.entry)
        .limit(PAGE)
    )
    with ledger.reading() as connection:
        return list(connection.execute(query).scalars())


def later(ledger: Ledger, ones: Sequence[Written], opposite: str = "") -> dict[str, list[Written]]:
    """What later versions of the same entries wrote of the same records and may have arrived, by delivery.

    opposite: the operation that takes these back; what it wrote with the same arguments counts, too.
    """
    newer = {one.key: one for one in ones if not one.newest}
    found: dict[str, list[Written]] = {}
    for start in range(0, len(newer), PAGE):
        part = list(newer.values())[start : start + PAGE]
        versions = _versions_of(ledger, [one.entry for one in part])
        for one in part:
            others = (other for other in versions.get(one.entry, []) if other.version > one.version)
            found[one.key] = [other for other in others if _is_of_the_same(one, other, opposite)]
    return found


def _is_of_the_same(one: Written, other: Written, opposite: str) -> bool:
    if not other.may_be_there:
        return False
    if other.operation == one.operation:
        return other.record == one.record
    return other.operation == opposite and other.values == one.values


def on_their_way(ledger: Ledger, refs: Sequence[str], undo: str) -> set[str]:
    """Those of these entries whose newest version is still to arrive, unless that is this same undo's.

    So is what the target refused: it is sent again by a person's word, as long as it is the newest.
    """
    not_blind = (DELIVERY.c.state == "unknown") & (DELIVERY.c.delivery_class != Delivery.BLIND.value)
    open_ones = DELIVERY.c.state.in_(("planned", "held", "sent", "rejected")) | not_blind
    query = (
        sa.select(DELIVERY.c.entry)
        .join(ENTRY, (ENTRY.c.ref == DELIVERY.c.entry) & (ENTRY.c.version == DELIVERY.c.version))
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .where(DELIVERY.c.entry.in_(refs), open_ones)
        .where((PLAN.c.by != UNDO) | (PLAN.c.code != undo))
    )
    with ledger.reading() as connection:
        return set(connection.execute(query).scalars())


def _versions_of(ledger: Ledger, refs: Sequence[str]) -> dict[str, list[Written]]:
    which = DELIVERY.c.entry.in_(refs) & DELIVERY.c.first_sent.is_not(None)
    found: dict[str, list[Written]] = {}
    with ledger.reading() as connection:
        for row in connection.execute(_query(ledger).where(which)):
            found.setdefault(row.entry, []).append(_opened(ledger, row))
    return found


def _query(ledger: Ledger) -> "sa.Select[tuple[object, ...]]":
    return (
        sa.select(DELIVERY, PLAN.c.sealed, PLAN.c.by, ENTRY.c.version.label("newest"))
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(DELIVERY.c.integration == ledger.integration)
    )


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Written:
    plan = json.loads(ledger.seal.open(row.sealed, "plan"))
    call = Call.model_validate(plan["outcome"]["calls"][int(row.ordinal)])
    before = None if row.before_sealed is None else json.loads(ledger.seal.open(row.before_sealed, "before"))
    return Written(
        key=row.key,
        operation=row.operation,
        record=row.record,
        entry=row.entry,
        patient=plan["patient"],
        bound=plan["calls"][int(row.ordinal)].get("patient", plan["patient"]),
        version=row.version,
        newest=row.newest == row.version,
        state=row.state,
        code=row.code,
        because=call.because,
        by=row.by,
        arguments=call.arguments,
        left_out=tuple(row.left_out or ()),
        read=row.before_sealed is not None,
        before=before,
        settled=row.settled,
        first_sent=row.first_sent,
        upsert=row.delivery_class == Delivery.UPSERT.value,
    )
