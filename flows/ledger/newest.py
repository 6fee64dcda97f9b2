"""Which plan is an entry's own newest decision: an undo is none, though it is a version of the entry."""

import sqlalchemy as sa

from flows.ledger.tables import ENTRY, PLAN

UNDO = "undo"
"""Who decided, of a plan that puts back what a run replaced."""

_OTHER = PLAN.alias("other")
NEWEST = (PLAN.c.entry == ENTRY.c.ref) & (
    PLAN.c.version
    == sa.select(sa.func.max(_OTHER.c.version))
    .where(_OTHER.c.entry == ENTRY.c.ref, _OTHER.c.by != UNDO)
    .correlate(ENTRY)
    .scalar_subquery()
)
"""Joins ENTRY with the plan that its state and code are of."""
