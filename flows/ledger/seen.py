"""Entries as people look at them: how many became what and why, and each of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import sqlalchemy as sa

from agent.case import Case
from flows.ledger import kept
from flows.ledger.newest import NEWEST
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, KEPT, PLAN

WITHOUT = ("review", "quarantined", "skipped", "absent")
"""States of entries for which nothing is written, in the order in which they are looked at."""
# An entry that is away, or was set aside since, has a plan that says nothing of why.
# No parameter in it: PostgreSQL groups by what is written the same twice.
BECAUSE = sa.case((PLAN.c.code == ENTRY.c.code, PLAN.c.because), else_=sa.literal_column("''", sa.String))


@dataclass(frozen=True, slots=True)
class Group:
    """Entries that are in one state for one reason."""

    state: str
    code: str
    because: tuple[str, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the entries is asked for; "" is any. state "": those for which nothing is written."""

    state: str = ""
    reason: str = ""
    sentence: str = ""
    run: str = ""  # that decided
    entry: str = ""

    def where(self, ledger: Ledger) -> sa.ColumnElement[bool]:
        found: list[sa.ColumnElement[bool]] = [ENTRY.c.integration == ledger.integration]
        if self.entry:
            found.append(ENTRY.c.ref == self.entry)
        elif not self.state:
            found.append(ENTRY.c.state.in_(WITHOUT))
        if self.state:
            found.append(ENTRY.c.state == self.state)
        if self.reason:
            found.append(ENTRY.c.code == self.reason)
        if self.run:
            found.append(PLAN.c.run == self.run)
        if self.sentence:
            found.append(_cites(BECAUSE, self.sentence) | _writes_by(self.sentence))
        return sa.and_(*found)


@dataclass(frozen=True, slots=True)
class Seen:
    """One entry: what became of its newest version. run: that decided it, "" if none did."""

    ref: str
    state: str
    code: str
    because: tuple[str, ...]
    run: str
    by: str
    version: int
    read: datetime
    decided: datetime | None
    again_on: date | None


@dataclass(frozen=True, slots=True)
class Opened:
    """What an entry is of, and what it was decided on, if that is kept. It holds patient data."""

    patient: str
    case: Case | None = None
    judged: Mapping[str, str] = field(default_factory=dict[str, str])


def groups(ledger: Ledger) -> list[Group]:
    """How many entries are in which state, and why."""
    columns = (ENTRY.c.state, ENTRY.c.code, BECAUSE.label("because"))
    query = (
        sa.select(*columns, sa.func.count().label("number"))
        .select_from(ENTRY)
        .outerjoin(PLAN, NEWEST)
        .where(ENTRY.c.integration == ledger.integration)
        .group_by(*columns)
        .order_by(sa.desc("number"), *columns)
    )
    with ledger.reading() as connection:
        return [
            Group(row.state, row.code, _numbers(row.because), row.number) for row in connection.execute(query)
        ]


def unchanged(ledger: Ledger) -> int:
    """How many entries were read again since they were decided, and were as they had been."""
    mine = (ENTRY.c.integration == ledger.integration) & (ENTRY.c.seen > ENTRY.c.decided)
    query = sa.select(sa.func.count()).select_from(ENTRY).where(mine, ENTRY.c.state != "absent")
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one()


def number(ledger: Ledger, asked: Asked) -> int:
    """How many entries are asked for."""
    query = sa.select(sa.func.count()).select_from(ENTRY).outerjoin(PLAN, NEWEST).where(asked.where(ledger))
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one()


def page(ledger: Ledger, asked: Asked, at: int, most: int) -> list[Seen]:
    """The entries that are asked for, those first that a person must look at."""
    order = sa.case({state: place for place, state in enumerate(WITHOUT)}, value=ENTRY.c.state, else_=9)
    query = (
        sa.select(ENTRY, BECAUSE.label("because"), PLAN.c.run, PLAN.c.by)
        .select_from(ENTRY)
        .outerjoin(PLAN, NEWEST)
        .where(asked.where(ledger))
        .order_by(order, ENTRY.c.decided.desc(), ENTRY.c.ref)
        .offset(at)
        .limit(most)
    )
    with ledger.reading() as connection:
        return [_seen(row) for row in connection.execute(query)]


def opened(ledger: Ledger, refs: Sequence[str]) -> dict[str, Opened]:
    """Whose they are and what they were decided on, by pseudonym."""
    query = (
        sa.select(ENTRY.c.ref, ENTRY.c.patient_sealed, PLAN.c.sealed, KEPT.c.sealed.label("kept"))
        .select_from(ENTRY)
        .outerjoin(PLAN, NEWEST)
        .outerjoin(KEPT, KEPT.c.plan == PLAN.c.id)
        .where(ENTRY.c.integration == ledger.integration, ENTRY.c.ref.in_(refs))
    )
    with ledger.reading() as connection:
        return {row.ref: _opened(ledger, row) for row in connection.execute(query)}


def _cites(because: sa.ColumnElement[str], sentence: str) -> sa.ColumnElement[bool]:
    return (sa.literal(" ") + because + " ").contains(f" {sentence} ", autoescape=True)


def _writes_by(sentence: str) -> sa.ColumnElement[bool]:
    mine = (DELIVERY.c.entry == ENTRY.c.ref) & (DELIVERY.c.version == ENTRY.c.version)
    cites = _cites(sa.type_coerce(DELIVERY.c.because, sa.String), sentence)
    return sa.select(sa.literal(1)).where(mine, cites).exists()


def _numbers(because: str | None) -> tuple[str, ...]:
    return tuple((because or "").split())


def _seen(row: "sa.Row[tuple[object, ...]]") -> Seen:
    return Seen(
        ref=row.ref,
        state=row.state,
        code=row.code,
        because=_numbers(row.because),
        run=row.run or "",
        by=row.by or "",
        version=row.version,
        read=row.seen,
        decided=row.decided,
        again_on=row.again_on,
    )


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Opened:
    patient = ledger.seal.open(row.patient_sealed, "patient").decode()
    if row.sealed is None:
        return Opened(patient)
    judged = json.loads(ledger.seal.open(row.sealed, "plan"))["outcome"].get("judged", {})
    case = None if row.kept is None else kept.case_of(ledger, row.kept, patient, judged)
    return Opened(patient, case, judged)
