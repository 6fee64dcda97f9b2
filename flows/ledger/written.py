"""What a run planned to write, field by field: for people to look at, page by page."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from agent.plan import Argument, Call
from connectors.operation import Arguments
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, PLAN

PAGE = 500


@dataclass(frozen=True, slots=True)
class Written:
    """One delivery of a run. It holds patient data.

    before: what the target held of these arguments just before; None where there was no such record. read:
    False where that was not read, since it did not leave yet, or since the target cannot say.
    """

    key: str
    operation: str
    entry: str  # the pseudonym
    patient: str
    version: int
    newest: bool  # no newer version of the entry was decided since
    state: str
    code: str
    because: tuple[str, ...]
    by: str  # who decided: program, or a model's id
    arguments: Mapping[str, Argument]
    left_out: tuple[str, ...]
    read: bool
    before: Arguments | None
    settled: datetime | None

    @property
    def creates(self) -> bool:
        return self.read and self.before is None

    def changes(self, name: str) -> bool:
        """Whether this argument makes a difference, as far as is known."""
        if name in self.left_out:
            return False
        before = self.before or {}
        return name not in before or before[name] != self.arguments[name].value


def of_run(ledger: Ledger, run: str, *, after: str = "", page: int = PAGE) -> Iterator[list[Written]]:
    """The deliveries that a run planned, page by page, by key. Each page is opened when it is asked for."""
    while rows := _page(ledger, run, after, page):
        yield [_opened(ledger, row) for row in rows]
        after = rows[-1].key


def _page(ledger: Ledger, run: str, after: str, limit: int) -> "list[sa.Row[tuple[object, ...]]]":
    query = (
        sa.select(DELIVERY, PLAN.c.sealed, PLAN.c.by, ENTRY.c.version.label("newest"))
        .join(PLAN, PLAN.c.id == DELIVERY.c.plan)
        .join(ENTRY, ENTRY.c.ref == DELIVERY.c.entry)
        .where(DELIVERY.c.integration == ledger.integration, DELIVERY.c.run == run, DELIVERY.c.key > after)
        .order_by(DELIVERY.c.key)
        .limit(limit)
    )
    with ledger.reading() as connection:
        return list(connection.execute(query))


def _opened(ledger: Ledger, row: "sa.Row[tuple[object, ...]]") -> Written:
    plan = json.loads(ledger.seal.open(row.sealed, "plan"))
    call = Call.model_validate(plan["outcome"]["calls"][int(row.ordinal)])
    before = None if row.before_sealed is None else json.loads(ledger.seal.open(row.before_sealed, "before"))
    return Written(
        key=row.key,
        operation=row.operation,
        entry=row.entry,
        patient=plan["patient"],
        version=row.version,
        newest=row.newest == row.version,
        state=row.state,
        code=row.code,
        because=call.because,
        by=row.by,
        arguments=call.arguments,
        left_out=tuple(row.left_out or ()),
        read=row.before_sealed is not None,
        before=before,
        settled=row.settled,
    )
