"""What asking models has cost, by integration and day. Kept before a request leaves, whoever asks."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from agent.budget import Use
from flows.ledger.store import Ledger, spoken
from flows.ledger.tables import SPENDING


def book(ledger: Ledger, day: date, more: Use) -> Use:
    """Add to what was used on a day; gives the day's sum. It needs no lease: what was spent is spent.

    Raises:
        LedgerUnavailable: nothing was added.
    """
    row = {"integration": ledger.integration, "day": day}
    with spoken("spending"):
        try:
            with ledger.engine.begin() as connection:
                return _added(connection, row, more) or _first(connection, row, more)
        except IntegrityError:  # another process began the day at the same moment
            with ledger.engine.begin() as connection:
                return _added(connection, row, more) or Use()


def used(ledger: Ledger, day: date) -> Use:
    """What was used on a day so far."""
    with ledger.reading() as connection:
        return _read(connection, {"integration": ledger.integration, "day": day})


def _added(connection: Connection, row: dict[str, object], more: Use) -> Use | None:
    """None if nothing was used on the day before."""
    columns = {name: SPENDING.c[name] + amount for name, amount in more.model_dump().items()}
    changed = connection.execute(sa.update(SPENDING).where(*_here(row)).values(columns))
    return _read(connection, row) if changed.rowcount else None


def _first(connection: Connection, row: dict[str, object], more: Use) -> Use:
    connection.execute(SPENDING.insert().values(row | more.model_dump()))
    return more


def _read(connection: Connection, row: dict[str, object]) -> Use:
    columns = [SPENDING.c[name] for name in Use.model_fields]
    found = connection.execute(sa.select(*columns).where(*_here(row))).one_or_none()
    return Use() if found is None else Use(**found._mapping)


def _here(row: dict[str, object]) -> list[sa.ColumnElement[bool]]:
    return [SPENDING.c[name] == value for name, value in row.items()]
