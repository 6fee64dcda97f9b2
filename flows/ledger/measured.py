"""What runs measured, for forecasts: counts, times, and which entry was found changed when.

Of runs their counts stay, whatever becomes of their entries; what was found changed goes with them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

import sqlalchemy as sa

from flows.forecast import STEPS, Change, Ran
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, INTEGRATION, KEPT, PLAN, RUN
from flows.naming import mode_of

REQUESTS = "requests_"
"""What the counts of requests by target begin with."""
IMAGE = "image_requests_"
"""The same of what a stage read of the real target."""
MILLISECONDS = "milliseconds"
"""The count of a run's whole time; with `_<step>`, of one step's."""
SEEN = ("complete", "incomplete")
DECIDED = ("planned", "skipped", "review", "quarantined")
UNSENT = 0.5  # seconds that a request of a target is taken to last, where a stage sent none


def runs(connection: sa.Connection, tenant: str, name: str, since: datetime | None) -> list[Ran]:
    """The first run, and those that read what had changed, or everyone, in the order of time.

    name: as the ledger has it. since: of a stage, when it began; what an earlier one measured counts no more.
    """
    mine = sa.select(RUN).join(INTEGRATION, INTEGRATION.c.id == RUN.c.integration)
    mine = mine.where(INTEGRATION.c.tenant == tenant, INTEGRATION.c.name == name, RUN.c.state.in_(SEEN))
    if since is not None:
        mine = mine.where(RUN.c.started >= since)
    staged = mode_of(name)[1] == "staging"
    rows = connection.execute(mine.order_by(RUN.c.started)).all()
    return [
        _ran(row, staged=staged) for at, row in enumerate(rows) if not at or row.kind in ("changes", "sweep")
    ]


def changes(ledger: Ledger) -> list[Change]:
    """Every entry that a run found changed, with when the run started."""
    query = (
        sa.select(PLAN.c.entry, RUN.c.started)
        .join(ENTRY, ENTRY.c.ref == PLAN.c.entry)
        .join(RUN, RUN.c.id == PLAN.c.run)
        .where(ENTRY.c.integration == ledger.integration, RUN.c.kind.in_(("changes", "sweep")))
    )
    with ledger.reading() as connection:
        return [Change(entry, started) for entry, started in connection.execute(query)]


def stored(ledger: Ledger) -> int:
    """By how many bytes this run made the ledger grow: what is sealed of plans and deliveries."""
    sealed = ((PLAN, PLAN.c.sealed), (KEPT, KEPT.c.sealed), (DELIVERY, DELIVERY.c.before_sealed))
    with ledger.reading() as connection:
        return sum(
            int(
                connection.execute(
                    sa.select(sa.func.sum(sa.func.length(column))).where(table.c.run == ledger.run)
                ).scalar_one()
                or 0
            )
            for table, column in sealed
        )


def _ran(row: "sa.Row[tuple[object, ...]]", *, staged: bool) -> Ran:
    counts = cast(Mapping[str, int], row.counts)
    requests, reads = _beginning(counts, REQUESTS), counts.get("source_requests", 0)
    left = _beginning(counts, IMAGE) if staged else requests
    seconds = _seconds(counts, (row.ended - row.started).total_seconds())
    if staged:
        seconds["deliver"] += UNSENT * (sum(requests.values()) - sum(left.values()))
    return Ran(
        started=row.started,
        changed=sum(counts.get(name, 0) for name in DECIDED),
        swept=counts.get("swept", 0) > 0,
        reads=reads,
        requests=requests,
        seconds=seconds,
        asked=counts.get("model_requests", 0),
        tokens=counts.get("model_tokens", 0),
        micro_usd=counts.get("model_micro_usd", 0),
        stored=counts.get("stored_bytes", 0),
        known=max(counts.get("entries", 0), counts.get("listed", 0)),
        left=reads + sum(left.values()),
    )


def _beginning(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): number for name, number in counts.items() if name.startswith(prefix)}


def _seconds(counts: Mapping[str, int], lasted: float) -> dict[str, float]:
    """By step; what is no step's is around them."""
    steps = {step: counts.get(f"{MILLISECONDS}_{step}", 0) / 1000 for step in STEPS[:-1]}
    whole = counts.get(MILLISECONDS, round(lasted * 1000)) / 1000
    return {**steps, STEPS[-1]: max(0.0, whole - sum(steps.values()))}
