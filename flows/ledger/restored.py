"""A ledger that was restored from an older backup: what it does not know of may have been sent.

Until a person releases it, everything that would be sent is held (code `ledger_restored`). Afterwards a
delivery is sent only if its class says that this is safe: an upsert at once; what the target can be asked
for after a look under every key that it may have had; the rest waits as doubtful for a person's word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.operation import Delivery
from flows.ledger import audit
from flows.ledger.plans import key_of
from flows.ledger.store import LeaseLost, Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, LEASE, RESTORATION
from flows.naming import told

CODE = "ledger_restored"
NOT_FINDABLE = "restored_not_findable"  # no look can tell whether it arrived: a person must
LOST_AT_MOST = 500  # versions of an entry that a look tries
FINDABLE = (Delivery.KEYED.value, Delivery.SEARCHABLE.value)


@dataclass(frozen=True, slots=True)
class Restoration:
    """When a run noticed that the ledger is not the newest, and how much of an entry's way it may miss."""

    since: datetime
    lost: int
    same_keys: bool  # an older copy of the same ledger; False: another one, whose keys are others
    released: datetime | None
    noticed_now: bool = False  # by this run: no person can have given a word on it


def find(ledger: Ledger) -> Restoration | None:
    """The integration's latest restoration, released or not."""
    with ledger.reading() as connection:
        return _find(connection, ledger.integration)


def mark(ledger: Ledger, *, lost: int, same_keys: bool, epoch: int) -> None:
    """Note that the ledger was restored, and hold what it would send. The lease goes on under `epoch`.

    That is above every epoch that a holder of before the restore can have, so none of those can write.
    """
    earlier = find(ledger)
    if earlier is not None and earlier.released is None:  # restored once more, before anybody released it
        lost, same_keys = lost + earlier.lost, same_keys and earlier.same_keys
    row = {
        "since": earlier.since if earlier is not None and earlier.released is None else now(),
        "lost": max(1, min(lost, LOST_AT_MOST)),
        "same_keys": same_keys,
        "released": None,
    }
    here = LEASE.c.integration == ledger.integration
    with ledger.writing("ledger restored") as connection:
        connection.execute(sa.delete(RESTORATION).where(RESTORATION.c.integration == ledger.integration))
        connection.execute(RESTORATION.insert().values(row | {"integration": ledger.integration}))
        held = connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "planned")
            .values(state="held", code=CODE)
        ).rowcount
        moved = connection.execute(
            sa.update(LEASE).where(here, LEASE.c.epoch == ledger.epoch).values(epoch=epoch)
        )
        if moved.rowcount != 1:
            raise LeaseLost(f"{told(*ledger.of)}: another run took over; this one stops")
        audit.add(ledger, connection, "restored ledger noticed, deliveries held", held, lost, same_keys)
    ledger.epoch = epoch


def release(ledger: Ledger, connection: Connection, state: str) -> int:
    """A person's word on what waits in `state` since before, or because of, a restoration. Returns how many.

    Called by holds.release and deliveries.send_refused_again, which do the rest of that state.
    """
    found = _find(connection, ledger.integration)
    if found is None:
        return 0
    classes = DELIVERY.c.delivery_class
    number = _move(ledger, connection, state, found, classes == Delivery.UPSERT.value, "planned", "")
    look = classes.in_(FINDABLE) if found.same_keys else sa.false()
    number += _move(ledger, connection, state, found, look, "unknown", CODE)
    number += _move(ledger, connection, state, found, sa.true(), "unknown", NOT_FINDABLE)
    if state == "held":
        accept(ledger, connection)
    return number


def accept(ledger: Ledger, connection: Connection) -> None:
    """A person's word on what was held has been given: what is planned from now on is sent again."""
    here = (RESTORATION.c.integration == ledger.integration) & RESTORATION.c.released.is_(None)
    if connection.execute(sa.update(RESTORATION).where(here).values(released=now())).rowcount:
        audit.add(ledger, connection, "restored ledger released", 1)


def _move(
    ledger: Ledger,
    connection: Connection,
    state: str,
    found: Restoration,
    which: sa.ColumnElement[bool],
    to: str,
    code: str,
) -> int:
    newest = sa.select(ENTRY.c.version).where(ENTRY.c.ref == DELIVERY.c.entry).scalar_subquery()
    values: dict[str, object] = {"released": now()}  # the breaker does not look at it again
    if to == "unknown":
        values = {"sent": sa.func.coalesce(DELIVERY.c.sent, found.since)}
    return connection.execute(
        sa.update(DELIVERY)
        .where(
            DELIVERY.c.integration == ledger.integration,
            DELIVERY.c.state == state,
            DELIVERY.c.version == newest,
            (DELIVERY.c.code == CODE) | (DELIVERY.c.planned <= found.since),
            which,
        )
        .values(state=to, code=code, settled=None, **values)
    ).rowcount


def other_keys(
    ledger: Ledger, found: Restoration, patient: str, fingerprint: str, version: int, call: tuple[int, str]
) -> Sequence[str]:
    """The keys that this delivery had if the lost part of the ledger had decided it as a later version."""
    later = range(version + 1, version + found.lost + 1)
    return [key_of(ledger, patient, fingerprint, one, *call) for one in later]


def _find(connection: Connection, integration: int) -> Restoration | None:
    row = connection.execute(sa.select(RESTORATION).where(RESTORATION.c.integration == integration)).first()
    return None if row is None else Restoration(row.since, row.lost, row.same_keys, row.released)
