"""Emission in the ledger: which month's deliveries may leave now, and what waits for another month's.

A delivery gets its period in the transaction that marks it sent, and keeps it as long as it may have
arrived in it. While one version of an entry carries a period, no other version may leave in that period
by the same operation, unless the one is void and never left: it was held when the period closed. One that
carries a period goes to its end in whatever week; all others leave only while the period is open. A period
is opened once its week has begun and closed by the run that ended everything; during its week each run
opens it again, for entries that were not delivered in it yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, EMISSION, ENTRY

ANY = "any"
"""The period of what leaves in whatever week, since a person asked for it: see flows/undo.py."""


@dataclass(frozen=True, slots=True)
class Emission:
    """The latest period of an integration."""

    period: str  # the month, such as 2026-11
    emit: str
    begins: date  # the first day of its week
    open: bool  # whether deliveries may leave for it now
    reopened: bool = False  # it was closed, and is open because its week still lasts


def begin(ledger: Ledger, due: Emission, *, in_week: bool) -> Emission:
    """The period to deliver for: `due`, whose week is the latest that has begun, or a later one if known.

    The first period of all is only opened in its week: what was before is none of ours.
    """
    last = latest(ledger)
    if last is not None and last.period > due.period:  # the schedule's weekday was changed meanwhile
        chosen = last
    elif last is None or last.period < due.period:
        chosen = Emission(due.period, due.emit, due.begins, open=in_week or last is not None)
    else:
        again = in_week and not last.open
        chosen = Emission(due.period, due.emit, due.begins, open=last.open or in_week, reopened=again)
    with ledger.writing("emission begins") as connection:
        _put(ledger, connection, chosen)
        supersede_overtaken(ledger, connection, chosen.period)
    return chosen


def latest(ledger: Ledger) -> Emission | None:
    """The latest period as the last run left it; None if this integration delivers in every run."""
    query = (
        sa.select(EMISSION)
        .where(EMISSION.c.integration == ledger.integration)
        .order_by(EMISSION.c.period.desc())
        .limit(1)
    )
    with ledger.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else Emission(row.period, row.emit, row.begins, open=row.closed is None)


def end_all(ledger: Ledger) -> None:
    """From now on every run delivers: periods are forgotten, and what waited for one waits no more.

    Nor does an older version go to its end any more: it would take the newest one's place.
    """
    if latest(ledger) is None:
        return
    with ledger.writing("emission ends") as connection:
        connection.execute(sa.delete(EMISSION).where(EMISSION.c.integration == ledger.integration))
        supersede_overtaken(ledger, connection, None)
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "planned")
            .values(period=None)
        )
        audit.add(ledger, connection, "emission ends", 1)


def close(ledger: Ledger, connection: Connection, period: str) -> None:
    """Everything of the period left. What a person holds belongs to it, and leaves when it is released."""
    connection.execute(
        sa.update(EMISSION)
        .where(EMISSION.c.integration == ledger.integration, EMISSION.c.period == period)
        .values(closed=now())
    )
    connection.execute(
        sa.update(DELIVERY)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.state == "held",
            DELIVERY.c.period.is_(None),
            ~_taken(period),
        )
        .values(period=period)
    )
    audit.add(ledger, connection, "period closed", 1, period)


def may_leave(emission: Emission) -> sa.ColumnElement[bool]:
    """Of DELIVERY joined with ENTRY: whether a planned delivery may leave in this run."""
    newest = DELIVERY.c.version == ENTRY.c.version
    has_period = DELIVERY.c.period.is_not(None)
    belongs = sa.or_(has_period, ~_taken(emission.period)) if emission.open else has_period
    of_this_month = DELIVERY.c.period.is_not_distinct_from(emission.period)  # never NULL: it is negated
    return of_this_month | (newest & belongs)


def waiting(ledger: Ledger, emission: Emission, *, entry: str | None = None) -> Mapping[str, str]:
    """Planned deliveries that may not leave now: by key, the run that planned them."""
    query = (
        sa.select(DELIVERY.c.key, DELIVERY.c.run)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.state == "planned",
            ~may_leave(emission),
        )
    )
    if entry is not None:
        query = query.where(DELIVERY.c.entry == entry)
    with ledger.reading() as connection:
        return {key: run for key, run in connection.execute(query)}  # noqa: C416  # dict(rows) loses the types


def _taken(period: str) -> sa.ColumnElement[bool]:
    """Another version of the entry left, may have, or is still to, in this period by the same operation."""
    other = DELIVERY.alias("other")
    never_left = (other.c.state == "superseded") & other.c.first_sent.is_(None)
    return (
        sa.select(sa.literal(1))
        .where(
            other.c.entry == DELIVERY.c.entry,
            other.c.operation == DELIVERY.c.operation,
            other.c.version != DELIVERY.c.version,
            other.c.period == period,
            ~never_left,
        )
        .exists()
    )


def _put(ledger: Ledger, connection: Connection, emission: Emission) -> None:
    here = (EMISSION.c.integration == ledger.integration) & (EMISSION.c.period == emission.period)
    values: dict[str, object] = {"emit": emission.emit, "begins": emission.begins}
    if emission.open:
        values |= {"closed": None}
    if connection.execute(sa.update(EMISSION).where(here).values(values)).rowcount == 0:
        row = {"integration": ledger.integration, "period": emission.period, "opened": now()}
        row |= {"closed": None if emission.open else now()}
        connection.execute(EMISSION.insert().values(row | values))
        audit.add(ledger, connection, "period opened", 1, emission.period, emission.open)


def supersede_overtaken(
    ledger: Ledger, connection: Connection, period: str | None, state: str = "planned"
) -> None:
    """Void what is in this state and was decided over, unless it may have left in this very period."""
    newest = sa.select(ENTRY.c.version).where(ENTRY.c.ref == DELIVERY.c.entry).scalar_subquery()
    elsewhere = DELIVERY.c.period.is_distinct_from(period) if period else sa.true()
    void = connection.execute(
        sa.update(DELIVERY)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.state == state,
            DELIVERY.c.version < newest,
            elsewhere,
        )
        .values(state="superseded", code="overtaken", settled=now())
    ).rowcount
    if void:
        audit.add(ledger, connection, "deliveries superseded", void, period or "")
