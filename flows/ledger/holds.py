"""What the breaker holds, and a person's word on it: let it go, or drop it. Once, and in the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.operation import Arguments
from flows.ledger import audit, deliveries, emission, restored
from flows.ledger.newest import UNDO
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, PLAN, RUN

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


def hold(ledger: Ledger, keys: Sequence[str], code: str, before: Mapping[str, Arguments | None]) -> None:
    """Let deliveries that were about to leave wait for a person, who is shown what the target held then."""
    rows = [{"b_key": key, "b_before": deliveries.sealed(ledger, before, key)} for key in keys]
    if not rows:
        return
    with ledger.writing("hold") as connection:
        connection.execute(
            sa.update(DELIVERY)
            .where(DELIVERY.c.key == sa.bindparam("b_key"))
            .values(state="held", code=code, settled=None, before_sealed=sa.bindparam("b_before")),
            rows,
        )
        audit.add(ledger, connection, f"deliveries held: {code}", len(rows), *keys)


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


def go_on(ledger: Ledger, code: str) -> int:
    """Plan again what waits for that reason alone; the breaker still looks at it. Returns how many."""
    with ledger.writing("held deliveries go on") as connection:
        here = DELIVERY.c.integration == ledger.integration
        which = here & (DELIVERY.c.state == "held") & (DELIVERY.c.code == code)
        values = {"state": "planned", "code": ""}  # they stay the deliveries of the run that planned them
        number = connection.execute(sa.update(DELIVERY).where(which).values(values)).rowcount
        audit.add(ledger, connection, f"held deliveries go on: {code}", number)
    return number


@dataclass(frozen=True, slots=True)
class Fate:
    """How many deliveries arrived, and how many were refused."""

    done: int = 0
    refused: int = 0

    @property
    def share(self) -> float:
        """That was refused; 0 where there was none."""
        return self.refused / max(1, self.done + self.refused)


def fates(ledger: Ledger, instructions: str) -> tuple[Fate, Fate, Fate]:
    """Of what this run planned; of the newest versions that these instructions decided since they took over;
    and of all that the version before them decided.
    """
    taken_over = (
        sa.select(RUN.c.instructions, RUN.c.started)
        .where(RUN.c.integration == ledger.integration, RUN.c.instructions != instructions)
        .order_by(RUN.c.started.desc())
        .limit(1)
    )
    with ledger.reading() as connection:
        last = connection.execute(taken_over).one_or_none()
        newest = (DELIVERY.c.version == ENTRY.c.version) & (PLAN.c.instructions == instructions)
        return (
            _fate(connection, ledger, DELIVERY.c.run == ledger.run),
            _fate(connection, ledger, newest & (PLAN.c.made > last.started) if last else newest),
            _fate(connection, ledger, PLAN.c.instructions == last.instructions) if last else Fate(),
        )


def _fate(connection: Connection, ledger: Ledger, which: sa.ColumnElement[bool]) -> Fate:
    query = (
        sa.select(DELIVERY.c.state, sa.func.count())
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(DELIVERY.c.integration == ledger.integration, PLAN.c.by != UNDO, which)
        .group_by(DELIVERY.c.state)
    )
    found = {str(state): int(number) for state, number in connection.execute(query)}
    return Fate(found.get("done", 0), found.get("rejected", 0))


def by_code(ledger: Ledger, run: str = "") -> dict[str, int]:
    """How many deliveries wait for a person, by what held them; of those that `run` planned, if named."""
    query = (
        sa.select(DELIVERY.c.code, sa.func.count())
        .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.state == "held")
        .where(DELIVERY.c.run == run if run else sa.true())
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


def other_policies(ledger: Ledger, policy: str) -> int:
    """Let what was planned under another policy wait for a person. Returns how many."""
    made_by = sa.select(PLAN.c.policy).where(PLAN.c.id == DELIVERY.c.plan).scalar_subquery()
    with ledger.writing("hold other policies") as connection:
        number = connection.execute(
            sa.update(DELIVERY)
            .where(
                DELIVERY.c.integration == ledger.integration,
                DELIVERY.c.state == "planned",
                DELIVERY.c.released.is_(None),
                made_by != policy,
            )
            .values(state="held", code="policy_changed")
        ).rowcount
        if number:
            audit.add(ledger, connection, "deliveries held: policy_changed", number)
        return number
