"""Where a version that decides beside the live one decided otherwise: sealed, until it is promoted."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from pydantic import TypeAdapter

from agent.difference import Difference
from flows.ledger import audit
from flows.ledger.store import Ledger
from flows.ledger.tables import PLAN, RUN, SHADOW

PURPOSE = "shadow"
COMPARED = "shadow_compared"
DIFFERING = "shadow_differing"
_DIFFERENCES = TypeAdapter(tuple[Difference, ...])


@dataclass(frozen=True, slots=True)
class Seen:
    """What a version did beside the live one so far."""

    runs: int  # that ended, and in which it decided something
    compared: int  # decisions
    found: Mapping[str, tuple[Difference, ...]]  # by entry and version: "e12ab34 version 3"


def journal(
    ledger: Ledger, version: str, compared: int, differing: Mapping[str, tuple[Difference, ...]]
) -> None:
    """Commit where a group was decided otherwise, by plan."""
    rows: list[dict[str, object]] = [
        {"plan": plan, "run": ledger.run, "version": version, "sealed": _sealed(ledger, found)}
        for plan, found in differing.items()
    ]
    with ledger.writing("shadow") as connection:
        if rows:
            connection.execute(SHADOW.insert(), rows)
        act = f"decided beside the live version, {len(rows)} otherwise"
        audit.add(ledger, connection, act, compared, version, *differing)


def runs_of(ledger: Ledger, version: str) -> tuple[int, int]:
    """In how many runs that ended a version decided something, and how many decisions were compared."""
    query = sa.select(RUN.c.counts).where(
        RUN.c.integration == ledger.integration,
        RUN.c.shadow == version,
        RUN.c.state.in_(("complete", "incomplete")),
    )
    with ledger.reading() as connection:
        counts = [int(found.get(COMPARED, 0)) for found in connection.execute(query).scalars()]
    return sum(number > 0 for number in counts), sum(counts)


def seen(ledger: Ledger, version: str) -> Seen:
    """All that is known of a version, its differences opened."""
    query = (
        sa.select(SHADOW.c.sealed, PLAN.c.entry, PLAN.c.version)
        .join(PLAN, PLAN.c.id == SHADOW.c.plan)
        .join(RUN, RUN.c.id == SHADOW.c.run)
        .where(RUN.c.integration == ledger.integration, SHADOW.c.version == version)
        .order_by(SHADOW.c.plan)
    )
    with ledger.reading() as connection:
        rows = list(connection.execute(query))
    found = {f"{row.entry} version {row.version}": _opened(ledger, row.sealed) for row in rows}
    return Seen(*runs_of(ledger, version), found)


def _sealed(ledger: Ledger, found: tuple[Difference, ...]) -> bytes:
    text = json.dumps(_DIFFERENCES.dump_python(found, mode="json"), ensure_ascii=False, separators=(",", ":"))
    return ledger.seal.seal(text.encode(), PURPOSE)


def _opened(ledger: Ledger, sealed: object) -> tuple[Difference, ...]:
    return _DIFFERENCES.validate_json(ledger.seal.open(cast(bytes, sealed), PURPOSE))
