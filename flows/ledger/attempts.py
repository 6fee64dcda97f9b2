"""Of a delivery's attempts, the first that may have been applied: what the target held before it counts.

An upsert that surely was never applied counts as never sent, however often it was tried: what the target
holds is read anew when it leaves again, and the breaker looks at it again.
"""

import sqlalchemy as sa

from connectors.operation import Delivery
from flows.ledger.tables import DELIVERY


def came_to_nothing(unapplied: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether a delivery that is being settled counts as never sent. unapplied: nothing came of this attempt.

    Not if an earlier one may have been applied, and of upserts alone: the others' windows and looks go by the
    moment when they first left.
    """
    first = (DELIVERY.c.state == "sent") & (DELIVERY.c.first_sent == DELIVERY.c.sent)
    return unapplied & first & (DELIVERY.c.delivery_class == Delivery.UPSERT.value)


def before(now_read: sa.ColumnElement[bytes]) -> sa.ColumnElement[bytes]:
    """The pre-image of a delivery that leaves now; what was read before it first left is older than that."""
    left = DELIVERY.c.first_sent.is_not(None)
    return sa.case((left, sa.func.coalesce(DELIVERY.c.before_sealed, now_read)), else_=now_read)
