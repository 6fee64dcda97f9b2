"""Blind deliveries of which nobody can say whether they arrived, and a person's word on them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.operation import Delivery
from flows.ledger import audit, restored
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery that may or may not have arrived, and that no look can tell of."""

    key: str
    operation: str
    entry: str
    version: int
    sent: datetime


def doubtful(ledger: Ledger) -> list[Doubt]:
    """Deliveries of which no look can say whether they arrived: for a person to look at."""
    query = (
        sa.select(DELIVERY.c.key, DELIVERY.c.operation, DELIVERY.c.entry, DELIVERY.c.version, DELIVERY.c.sent)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.state == "unknown",
            (DELIVERY.c.delivery_class == Delivery.BLIND.value) | (DELIVERY.c.code == restored.NOT_FINDABLE),
        )
        .order_by(DELIVERY.c.sent)
    )
    with ledger.reading() as connection:
        return [Doubt(*row) for row in connection.execute(query)]


def decide_doubt(ledger: Ledger, connection: Connection, key: str, *, arrived: bool) -> bool:
    """A person's word on a doubtful delivery: it arrived, or it is to be sent again. False if unknown."""
    changed = connection.execute(
        sa.update(DELIVERY)
        .where(
            DELIVERY.c.integration == ledger.integration, DELIVERY.c.key == key, DELIVERY.c.state == "unknown"
        )
        .values(
            state="done" if arrived else "planned", code="by_a_person", settled=now() if arrived else None
        )
    )
    audit.add(ledger, connection, "a person decided a doubt", changed.rowcount, key, arrived)
    return changed.rowcount == 1
