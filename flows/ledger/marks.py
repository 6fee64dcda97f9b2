"""What reviewers said of planned writes: right or wrong, with a remark. Remarks are sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

import sqlalchemy as sa

from flows.ledger import audit, stages
from flows.ledger.stage_tables import MARK
from flows.ledger.store import Ledger, now

PURPOSE = "remark"
Verdict = Literal["right", "wrong"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One person's word on one write. The remark may hold patient data."""

    verdict: Verdict
    remark: str
    by: str
    at: datetime


def verdicts(ledger: Ledger) -> Mapping[str, Verdict]:
    """The latest verdict on each write, by delivery. No remark is opened: there may be thousands."""
    query = sa.select(MARK.c.delivery, MARK.c.verdict).where(MARK.c.integration == ledger.integration)
    with ledger.reading() as connection:
        return {delivery: cast(Verdict, verdict) for delivery, verdict in connection.execute(query)}


def of(ledger: Ledger, deliveries: Sequence[str]) -> Mapping[str, Mark]:
    """The latest word on each of these writes, with its remark, by delivery; of those that were marked."""
    mine = (MARK.c.integration == ledger.integration) & MARK.c.delivery.in_(deliveries)
    with ledger.reading() as connection:
        return {
            row.delivery: Mark(
                cast(Verdict, row.verdict),
                ledger.seal.open(row.remark_sealed, PURPOSE).decode(),
                row.by,
                row.at,
            )
            for row in connection.execute(sa.select(MARK).where(mine))
        }


def put(ledger: Ledger, delivery: str, verdict: Verdict, remark: str, person: str) -> None:
    """Note a person's word, in the place of an earlier one. It needs no lease: runs do not read it.

    Raises:
        StageOver: it is a stage's that was ended meanwhile.
    """
    row = {
        "integration": ledger.integration,
        "delivery": delivery,
        "verdict": verdict,
        "remark_sealed": ledger.seal.seal(remark.encode(), PURPOSE),
        "by": person,
        "at": now(),
    }
    act = f"a write of {ledger.name} marked {verdict}"
    with audit.acting(
        ledger.engine, ledger.audit_key, ledger.tenant, act, 1, delivery, actor=audit.person(person)
    ) as connection:
        stages.require(ledger, connection)
        mine = (MARK.c.integration == ledger.integration) & (MARK.c.delivery == delivery)
        connection.execute(sa.delete(MARK).where(mine))
        connection.execute(MARK.insert().values(row))
