"""What the breaker holds, and a person's word on it: let it go, or drop it. Once, and in the audit."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from flows.ledger import audit, emission, restored
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, PLAN

CHUNK = 500


def release(ledger: Ledger, until: datetime | None = None) -> int:
    """Plan again what is held and was planned until then (None: all of it). Returns how many.

    What a newer version of the entry was decided over is void instead, whatever the word.
    They are this run's deliveries from now on, and the breaker does not look at them again.
    """
    values = {"state": "planned", "code": "", "run": ledger.run, "released": now()}
    with ledger.writing("a person's word") as connection:
        restored.release(ledger, connection, "held")  # of a restored ledger's, each by its class
        return _settle(ledger, connection, "a person released what was held", values, until)


def discard(ledger: Ledger, until: datetime | None = None) -> int:
    """Drop what is held and was planned until then (None: all of it). Returns how many.

    The entries go out again when they change, or with a resync.
    """
    values = {"state": "superseded", "code": "discarded", "settled": now()}
    with ledger.writing("a person's word") as connection:
        restored.accept(ledger, connection)
        return _settle(ledger, connection, "a person discarded what was held", values, until)


def decide(ledger: Ledger, keys: Sequence[str], *, go: bool) -> int:
    """A person's word on some of what is held: sent by the next run, or dropped. Returns how many.

    They stay the deliveries of the run that planned them. What a restored ledger holds is not among them:
    that is decided as a whole.
    """
    values: dict[str, object] = {"state": "planned", "code": "", "released": now()}
    if not go:
        values = {"state": "superseded", "code": "discarded", "settled": now()}
    number, act = 0, f"a person {'released' if go else 'discarded'} some of what was held"
    with ledger.writing("a person's word") as connection:
        emission.supersede_overtaken(ledger, connection, None, "held")
        here = (DELIVERY.c.integration == ledger.integration) & (DELIVERY.c.state == "held")
        for start in range(0, len(keys), CHUNK):
            which = (
                here & DELIVERY.c.key.in_(keys[start : start + CHUNK]) & (DELIVERY.c.code != restored.CODE)
            )
            number += connection.execute(sa.update(DELIVERY).where(which).values(values)).rowcount
        audit.add(ledger, connection, act, number, *keys)
    return number


def held_for(ledger: Ledger, code: str) -> list[str]:
    """The deliveries that wait for a person for this reason, in the order of their keys."""
    query = sa.select(DELIVERY.c.key).where(
        DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "held", DELIVERY.c.code == code
    )
    with ledger.reading() as connection:
        return [str(key) for key in connection.execute(query.order_by(DELIVERY.c.key)).scalars()]


def pass_all(ledger: Ledger) -> None:
    """Let pass what this run planned: a person asked for it, so the breaker does not look at it."""
    with ledger.writing("a person's word") as connection:
        mine = (DELIVERY.c.integration == ledger.integration) & (DELIVERY.c.run == ledger.run)
        passed = sa.update(DELIVERY).where(mine, DELIVERY.c.released.is_(None)).values(released=now())
        number = connection.execute(passed).rowcount
        audit.add(ledger, connection, "a person asked for these deliveries", number)


def go_on(ledger: Ledger, code: str) -> int:
    """Plan again what waits for that reason alone; the breaker still looks at it. Returns how many."""
    with ledger.writing("held deliveries go on") as connection:
        here = DELIVERY.c.integration == ledger.integration
        which = here & (DELIVERY.c.state == "held") & (DELIVERY.c.code == code)
        values = {"state": "planned", "code": ""}  # they stay the deliveries of the run that planned them
        number = connection.execute(sa.update(DELIVERY).where(which).values(values)).rowcount
        audit.add(ledger, connection, f"held deliveries go on: {code}", number)
    return number


def under(ledger: Ledger, instructions: str) -> tuple[int, int]:
    """How many deliveries arrived, and how many were refused, of what these instructions decided."""
    query = (
        sa.select(DELIVERY.c.state, sa.func.count())
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .where(DELIVERY.c.integration == ledger.integration, PLAN.c.instructions == instructions)
        .group_by(DELIVERY.c.state)
    )
    with ledger.reading() as connection:
        found = {str(state): int(number) for state, number in connection.execute(query)}
    return found.get("done", 0), found.get("rejected", 0)


def by_code(ledger: Ledger) -> dict[str, int]:
    """How many deliveries wait for a person, by what held them."""
    query = (
        sa.select(DELIVERY.c.code, sa.func.count())
        .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "held")
        .group_by(DELIVERY.c.code)
        .order_by(DELIVERY.c.code)
    )
    with ledger.reading() as connection:
        return {str(code): int(number) for code, number in connection.execute(query)}


def _settle(
    ledger: Ledger, connection: Connection, act: str, values: Mapping[str, object], until: datetime | None
) -> int:
    # Older versions may be held that carry a month's period: only the newest one is to leave now.
    emission.supersede_overtaken(ledger, connection, None, "held")
    waiting = sa.select(DELIVERY.c.key).where(
        DELIVERY.c.integration == ledger.integration,
        DELIVERY.c.state == "held",
    )
    if until is not None:
        waiting = waiting.where(DELIVERY.c.planned <= until)
    keys = [str(key) for key in connection.execute(waiting.order_by(DELIVERY.c.key)).scalars()]
    for start in range(0, len(keys), CHUNK):
        part = DELIVERY.c.key.in_(keys[start : start + CHUNK])
        connection.execute(sa.update(DELIVERY).where(part).values(values))
    audit.add(ledger, connection, act, len(keys), *keys)
    return len(keys)
