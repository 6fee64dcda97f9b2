"""Runs, cursors and what they left."""

from collections.abc import Mapping

import sqlalchemy as sa

from connectors.changes import Cursor
from flows.ledger import audit
from flows.ledger.plans import Versions
from flows.ledger.store import Ledger, now
from flows.ledger.tables import CURSOR, RUN

SWEEP = "sweep"
"""The cursor's name that says when everyone was last read."""


def begin(ledger: Ledger, mode: str, versions: Versions) -> None:
    """Note that a run started, and that runs which never ended were cut off."""
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
                mode=mode,
                state="running",
                started=now(),
                instructions=versions.instructions,
                policy=versions.policy,
                counts={},
            )
        )
        audit.add(ledger, connection, "run begins", 1, ledger.run)


def end(
    ledger: Ledger, state: str, code: str, counts: Mapping[str, int], cursors: Mapping[str, Cursor]
) -> None:
    """Note how the run ended; move the cursors in the same transaction. No cursor stays where it was."""
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
            .values(state=state, code=code, ended=now(), counts=dict(counts))
        )
        audit.add(ledger, connection, "run ends", 1, ledger.run, state, code)


def cursors(ledger: Ledger) -> dict[str, Cursor]:
    query = sa.select(CURSOR.c.feed, CURSOR.c.watermark).where(CURSOR.c.integration == ledger.integration)
    with ledger.reading() as connection:
        return {feed: Cursor(watermark=watermark) for feed, watermark in connection.execute(query)}


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
