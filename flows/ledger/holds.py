"""What the breaker holds, and a person's word on it: let it go, or drop it. Once, and in the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from connectors.operation import Arguments
from flows.ledger import audit, deliveries, emission, restored
from flows.ledger.newest import UNDO
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger, now
from flows.ledger.tables import DELIVERY, ENTRY, PLAN, RUN

CHUNK = 500
ROLLOUT = "rollout"
"""The code of what waits until those that go first have arrived: see flows/rollout.py."""
KEPT_BACK = "kept_back"
"""A run's count of what waited under that code at its end."""


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


def go_on(ledger: Ledger) -> int:
    """Plan again what rollout keeps back; the breaker still looks at it. Returns how many.

    What another version planned is not among it any more: see other_versions.
    """
    with ledger.writing("held deliveries go on") as connection:
        here = DELIVERY.c.integration == ledger.integration
        which = here & (DELIVERY.c.state == "held") & (DELIVERY.c.code == ROLLOUT)
        values = {"state": "planned", "code": ""}  # they stay the deliveries of the run that planned them
        number = connection.execute(sa.update(DELIVERY).where(which).values(values)).rowcount
        audit.add(ledger, connection, f"held deliveries go on: {ROLLOUT}", number)
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
    and of all that was decided before by the latest version that was not kept back.
    """
    taken_over = sa.select(sa.func.max(RUN.c.started)).where(
        RUN.c.integration == ledger.integration, RUN.c.instructions != instructions
    )
    with ledger.reading() as connection:
        since = connection.execute(taken_over).scalar_one()
        newest = (DELIVERY.c.version == ENTRY.c.version) & (PLAN.c.instructions == instructions)
        before = _carried_out(connection, ledger, since) if since else None
        return (
            _fate(connection, ledger, DELIVERY.c.run == ledger.run),
            _fate(connection, ledger, newest & (PLAN.c.made > since) if since else newest),
            _fate(connection, ledger, _until(since, before, instructions)) if before else Fate(),
        )


def _until(since: datetime, version: str, instructions: str) -> sa.ColumnElement[bool]:
    """What a version decided before; these instructions themselves may be it, put back."""
    decided = PLAN.c.instructions == version
    return decided & (PLAN.c.made <= since) if version == instructions else decided


def _carried_out(connection: Connection, ledger: Ledger, until: datetime) -> str | None:
    """The latest version, of runs that started until then, of which everything was let go.

    Rollout never kept anything back of it to a run's end, or that followed, or a person let it go.
    """
    counted = RUN.c.counts
    kept = counted[KEPT_BACK].as_integer() > 0
    let_go = (counted["rolled_out"].as_integer() > 0) | (counted["released"].as_integer() > 0)
    last_kept, last_let_go = (sa.func.max(sa.case((one, RUN.c.started))) for one in (kept, let_go))
    query = (
        sa.select(RUN.c.instructions)
        .where(RUN.c.integration == ledger.integration, RUN.c.state.in_(("complete", "incomplete")))
        .where(RUN.c.started <= until)
        .group_by(RUN.c.instructions)
        .having(last_kept.is_(None) | (last_let_go > last_kept))
        .order_by(sa.func.max(RUN.c.started).desc())
        .limit(1)
    )
    return connection.execute(query).scalar_one_or_none()


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


def other_versions(ledger: Ledger, versions: Versions) -> dict[str, int]:
    """What was planned under another policy, and what rollout keeps of other instructions, is held.

    Gives how many, by code.
    """
    made_by = sa.select(PLAN.c.policy).where(PLAN.c.id == DELIVERY.c.plan).scalar_subquery()
    decided_by = sa.select(PLAN.c.instructions).where(PLAN.c.id == DELIVERY.c.plan).scalar_subquery()
    planned = (DELIVERY.c.state == "planned") & DELIVERY.c.released.is_(None)
    kept_back = (DELIVERY.c.state == "held") & (DELIVERY.c.code == ROLLOUT)
    others = {
        "policy_changed": (planned | kept_back) & (made_by != versions.policy),
        "instructions_changed": kept_back & (decided_by != versions.instructions),
    }
    found: dict[str, int] = {}
    with ledger.writing("hold other versions") as connection:
        for code, which in others.items():
            here = (DELIVERY.c.integration == ledger.integration) & which
            number = connection.execute(
                sa.update(DELIVERY).where(here).values(state="held", code=code)
            ).rowcount
            if number:
                found[code] = number
                audit.add(ledger, connection, f"deliveries held: {code}", number)
    return found
