"""What asking models has cost, by integration and day. Kept before a request leaves, whoever asks."""

from datetime import date
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from agent.budget import Budgets, Meter, Use
from flows.ledger.store import Ledger, spoken
from flows.ledger.tables import SPENDING


def book(ledger: Ledger, day: date, more: Use) -> Use:
    """Add to what was used on a day; gives the day's sum. It needs no lease: what was spent is spent.

    Raises:
        LedgerUnavailable: nothing was added.
    """
    with spoken("spending"):
        try:
            with ledger.engine.begin() as connection:
                return _added(connection, ledger, day, more) or _first(connection, ledger, day, more)
        except IntegrityError:  # another process began the day at the same moment
            with ledger.engine.begin() as connection:
                return _added(connection, ledger, day, more) or Use()


def meter(ledger: Ledger, budgets: Budgets, day: date) -> Meter:
    """Counts what is asked of models from now on, within what is left of the day."""
    return Meter(budgets, partial(book, ledger, day))


def used(ledger: Ledger, day: date) -> Use:
    """What was used on a day so far."""
    with ledger.reading() as connection:
        return _read(connection, ledger, day)


def _added(connection: Connection, ledger: Ledger, day: date, more: Use) -> Use | None:
    """None if nothing was used on the day before."""
    changed = connection.execute(
        sa.update(SPENDING)
        .where(SPENDING.c.integration == ledger.integration, SPENDING.c.day == day)
        .values({name: SPENDING.c[name] + amount for name, amount in more.model_dump().items()})
    )
    return _read(connection, ledger, day) if changed.rowcount else None


def _first(connection: Connection, ledger: Ledger, day: date, more: Use) -> Use:
    connection.execute(SPENDING.insert().values(integration=ledger.integration, day=day, **more.model_dump()))
    return more


def _read(connection: Connection, ledger: Ledger, day: date) -> Use:
    query = sa.select(*(SPENDING.c[name] for name in Use.model_fields))
    here = query.where(SPENDING.c.integration == ledger.integration, SPENDING.c.day == day)
    found = connection.execute(here).mappings().one_or_none()
    return Use() if found is None else Use.model_validate(dict(found))
