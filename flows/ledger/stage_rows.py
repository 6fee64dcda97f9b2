"""The rows of an integration's stage: all that it left in the ledger, but the audit and its runs' counts."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger.stage_tables import MARK, STAGED, WORD
from flows.ledger.tables import CURSOR, DELIVERY, EMISSION, ENTRY, JUDGEMENT, KEPT, LINK, PLAN, SHADOW


def remove(connection: Connection, integration: int) -> int:
    """Remove them. Returns how many there were."""
    entries = sa.select(ENTRY.c.ref).where(ENTRY.c.integration == integration)
    plans = sa.select(PLAN.c.id).where(PLAN.c.entry.in_(entries))
    wanted = [sa.delete(table).where(table.c.plan.in_(plans)) for table in (KEPT, SHADOW)]
    wanted.append(sa.delete(LINK).where(LINK.c.entry.in_(entries)))
    wanted.append(sa.delete(DELIVERY).where(DELIVERY.c.integration == integration))
    wanted.append(sa.delete(PLAN).where(PLAN.c.entry.in_(entries)))
    for table in (WORD, ENTRY, STAGED, MARK, JUDGEMENT, CURSOR, EMISSION):
        wanted.append(sa.delete(table).where(table.c.integration == integration))
    return sum(connection.execute(one).rowcount for one in wanted)
