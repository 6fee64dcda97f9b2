"""Entries that wait for a person: for review, or refused; and what of each a person has to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from agent.case import Case
from agent.plan import Plan, Refused
from flows.ledger import kept, links
from flows.ledger.newest import NEWEST
from flows.ledger.store import Ledger
from flows.ledger.tables import ENTRY, KEPT, PLAN

STATES = ("review", "quarantined")


@dataclass(frozen=True, slots=True)
class Waits:
    """One entry that waits. It holds patient data.

    because, fingerprint, instructions, policy: of its last decision. code: the decision's own word, or why it
    was not decided.
    """

    ref: str
    patient: str
    state: str
    code: str
    version: int
    because: tuple[str, ...]
    fingerprint: str
    instructions: str
    policy: str
    run: str
    decided: datetime
    outcome: Plan | Refused
    case: Case | None  # what it was decided on, if that is kept

    @property
    def aside(self) -> bool:
        """Whether its link keeps it from being decided: that is put right in the two systems, not here."""
        return self.code in links.ASIDE


def number(ledger: Ledger) -> int:
    """How many entries wait that were decided once."""
    query = sa.select(sa.func.count()).select_from(_joined()).where(_mine(ledger))
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one()


def page(ledger: Ledger, size: int, start: int = 0) -> list[Waits]:
    """Entries that wait, those that were decided last first."""
    query = _query(ledger).order_by(ENTRY.c.decided.desc(), ENTRY.c.ref).limit(size).offset(start)
    with ledger.reading() as connection:
        rows = connection.execute(query).all()
    return [_opened(ledger, row) for row in rows]


def of(ledger: Ledger, refs: Sequence[str]) -> list[Waits]:
    """Those of these entries that wait."""
    with ledger.reading() as connection:
        rows = connection.execute(_query(ledger).where(ENTRY.c.ref.in_(refs))).all()
    return [_opened(ledger, row) for row in rows]


def _joined() -> sa.Join:
    return sa.join(ENTRY, PLAN, NEWEST)


def _mine(ledger: Ledger) -> sa.ColumnElement[bool]:
    return (ENTRY.c.integration == ledger.integration) & ENTRY.c.state.in_(STATES)


def _query(ledger: Ledger) -> "sa.Select[tuple[object, ...]]":
    return (
        sa.select(
            *(ENTRY.c.ref, ENTRY.c.state, ENTRY.c.code, ENTRY.c.version, ENTRY.c.fingerprint),
            *(PLAN.c.sealed, PLAN.c.instructions, PLAN.c.policy, PLAN.c.run, PLAN.c.made),
            KEPT.c.sealed.label("kept"),
        )
        .select_from(_joined().outerjoin(KEPT, KEPT.c.plan == PLAN.c.id))
        .where(_mine(ledger))
    )


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Waits:
    decided = kept.opened(ledger, row.ref, row.version, row.sealed, row.kept)
    return Waits(
        ref=row.ref,
        patient=decided.patient,
        state=row.state,
        code=row.code,
        version=row.version,
        because=decided.outcome.because if isinstance(decided.outcome, Plan) else (),
        fingerprint=row.fingerprint,
        instructions=row.instructions,
        policy=row.policy,
        run=row.run,
        decided=row.made,
        outcome=decided.outcome,
        case=decided.case,
    )
