"""The audit: one row for each act, in the act's own transaction, chained so that a change shows.

If the row cannot be written, the act's transaction fails with it, and the act does not happen.
"""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger.store import Ledger, now
from flows.ledger.tables import AUDIT


def add(ledger: Ledger, connection: Connection, act: str, count: int, *subjects: object) -> None:
    """Note an act. `subjects` are keyed hashes, pseudonyms or keys: never a value."""
    last = connection.execute(
        sa.select(AUDIT.c.chain)
        .where(AUDIT.c.integration == ledger.integration)
        .order_by(AUDIT.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    row: dict[str, object] = {
        "integration": ledger.integration,
        "run": ledger.run,
        "epoch": ledger.epoch,
        "act": act,
        "count": count,
        "subject": ledger.seal.keyed_hash(*map(str, subjects)),
        "at": now(),
    }
    connection.execute(AUDIT.insert().values(row | {"chain": _link(ledger, last or "", row)}))


def broken_at(ledger: Ledger) -> int | None:
    """The id of the first audit row that does not fit the one before, or None if all do."""
    chain = ""
    with ledger.reading() as connection:
        rows = connection.execute(
            sa.select(AUDIT).where(AUDIT.c.integration == ledger.integration).order_by(AUDIT.c.id)
        )
        for row in rows.mappings():
            if row["chain"] != _link(ledger, chain, {str(name): value for name, value in row.items()}):
                return int(row["id"])
            chain = str(row["chain"])
    return None


def _link(ledger: Ledger, before: str, row: dict[str, object]) -> str:
    names = ("integration", "run", "epoch", "act", "count", "subject")
    at = row["at"]
    assert isinstance(at, datetime)
    return ledger.seal.keyed_hash(before, *(str(row[name]) for name in names), at.isoformat())
