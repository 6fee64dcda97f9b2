"""What runs measured, for forecasts: counts, times, and which entry was found changed when."""

import sqlalchemy as sa

from flows.forecast import Change, Ran
from flows.ledger import entries as known
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, KEPT, PLAN, RUN

REQUESTS = "requests_"
"""What the counts of requests by system begin with."""
SEEN = ("complete", "incomplete")
DECIDED = ("planned", "skipped", "review", "quarantined")


def runs(ledger: Ledger) -> list[Ran]:
    """The first run, and those that read what had changed; sweeps cost what changes do not."""
    mine = sa.select(RUN).where(RUN.c.integration == ledger.integration, RUN.c.state.in_(SEEN))
    ordered = mine.order_by(RUN.c.started)
    with ledger.reading() as connection:
        first = connection.execute(ordered.limit(1)).all()
        others = connection.execute(ordered.where(RUN.c.kind == "changes")).all()
    return [_ran(row) for row in {row.id: row for row in (*first, *others)}.values()]


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


def entries(ledger: Ledger) -> int:
    return known.count(ledger)


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


def _ran(row: "sa.Row[tuple[object, ...]]") -> Ran:
    counts: dict[str, int] = row.counts
    requests = {
        name.removeprefix(REQUESTS): number for name, number in counts.items() if name.startswith(REQUESTS)
    }
    return Ran(
        started=row.started,
        seconds=(row.ended - row.started).total_seconds(),
        changed=sum(counts.get(name, 0) for name in DECIDED),
        requests=requests,
        tokens=counts.get("model_tokens", 0),
        micro_usd=counts.get("model_micro_usd", 0),
        stored=counts.get("stored_bytes", 0),
    )
