"""Runs, cursors and what they left."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from connectors.changes import Cursor
from flows.ledger import audit, emission, kept
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger, now
from flows.ledger.tables import CURSOR, RUN

SWEEP = "sweep"
"""The cursor's name that says when everyone was last read."""


def begin(ledger: Ledger, kind: str, versions: Versions, shadow: str = "") -> None:
    """Note that a run started, and that runs which never ended were cut off.

    shadow: the version that decides beside it, as a hash.
    """
    with ledger.writing("run begins") as connection:
        connection.execute(
            sa.update(RUN)
            .where(RUN.c.integration == ledger.integration, RUN.c.state == "running")
            .values(state="cut_off", ended=now())
        )
        connection.execute(
            RUN.insert().values(
                id=ledger.run,
                integration=ledger.integration,
                epoch=ledger.epoch,
                flow_run=ledger.flow_run,
                kind=kind,
                state="running",
                started=now(),
                instructions=versions.instructions,
                policy=versions.policy,
                shadow=shadow,
                fields=list(versions.fields),
                counts={},
            )
        )
        audit.add(ledger, connection, "run begins", 1, ledger.run)


def end(
    ledger: Ledger,
    state: str,
    code: str,
    counts: Mapping[str, int],
    cursors: Mapping[str, Cursor],
    *,
    closes: str | None = None,
    keep: timedelta | None = None,
) -> None:
    """Note how the run ended; move the cursors in the same transaction. No cursor stays where it was.

    A run over changes whose sweep was due has been a sweep: it is compared with sweeps from now on.
    closes: the period of which everything left. keep: how long what was decided on is kept.
    """
    with ledger.writing("run ends") as connection:
        for feed, cursor in cursors.items():
            here = (CURSOR.c.integration == ledger.integration) & (CURSOR.c.feed == feed)
            moved = connection.execute(sa.update(CURSOR).where(here).values(watermark=cursor.watermark))
            if moved.rowcount == 0:
                row = {"integration": ledger.integration, "feed": feed, "watermark": cursor.watermark}
                connection.execute(CURSOR.insert().values(row))
        connection.execute(
            sa.update(RUN)
            .where(RUN.c.id == ledger.run)
            .values(state=state, code=code, ended=now(), counts=dict(counts), kind=_kind(counts))
        )
        if closes:
            emission.close(ledger, connection, closes)
        if keep is not None:
            kept.let_go(ledger, connection, keep)
        audit.add(ledger, connection, "run ends", 1, ledger.run, state, code)


def _kind(counts: Mapping[str, int]) -> sa.ColumnElement[str]:
    if not counts.get("swept"):
        return sa.type_coerce(RUN.c.kind, sa.String)
    return sa.case((RUN.c.kind == "changes", "sweep"), else_=RUN.c.kind)


def shares(ledger: Ledger, kind: str, number: int) -> list[float]:
    """Of the known entries, changed in each of the last complete runs of a kind, newest first."""
    query = (
        sa.select(RUN.c.counts)
        .where(RUN.c.integration == ledger.integration, RUN.c.kind == kind, RUN.c.state == "complete")
        .order_by(RUN.c.started.desc())
        .limit(number)
    )
    with ledger.reading() as connection:
        found = list(connection.execute(query).scalars())
    return [counts.get("planned", 0) / counts["entries"] for counts in found if counts.get("entries")]


def ended(ledger: Ledger, run: str) -> datetime | None:
    """When a run of this integration ended."""
    query = sa.select(RUN.c.ended).where(RUN.c.integration == ledger.integration, RUN.c.id == run)
    with ledger.reading() as connection:
        return connection.execute(query).scalar_one_or_none()


def cursors(ledger: Ledger) -> dict[str, Cursor]:
    query = sa.select(CURSOR.c.feed, CURSOR.c.watermark).where(CURSOR.c.integration == ledger.integration)
    with ledger.reading() as connection:
        return {feed: Cursor(watermark=watermark) for feed, watermark in connection.execute(query)}


def last_certified(ledger: Ledger, kinds: Sequence[str]) -> "sa.Row[tuple[object, ...]] | None":
    """The run of one of these kinds that started last of those that were certified."""
    query = (
        sa.select(RUN)
        .where(
            RUN.c.integration == ledger.integration,
            RUN.c.state.in_(("complete", "incomplete")),
            RUN.c.kind.in_(kinds),
        )
        .order_by(RUN.c.started.desc())
        .limit(1)
    )
    with ledger.reading() as connection:
        return connection.execute(query).one_or_none()


def latest(ledger: Ledger, number: int) -> list[sa.Row[tuple[object, ...]]]:
    """The newest runs first."""
    query = (
        sa.select(RUN)
        .where(RUN.c.integration == ledger.integration)
        .order_by(RUN.c.started.desc())
        .limit(number)
    )
    with ledger.reading() as connection:
        return list(connection.execute(query))
