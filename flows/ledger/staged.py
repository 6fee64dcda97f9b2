"""What a stage's targets would hold: sealed under the stage's own key, and gone with it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connectors.operation import Arguments
from flows.ledger.stage_tables import STAGED
from flows.ledger.store import Ledger, now

PURPOSE = "staged"
AT_ONCE = 500  # records looked up in one query


@dataclass(frozen=True, slots=True)
class Held:
    """One record of a target, as one write's arguments show it.

    values: None where there is no such record. asked: the arguments of which the target was asked what it
    holds. made: the stage made the record, so that nothing of it is the target's own. ours: the arguments
    that the stage's deliveries set. claims: what it holds of what must be unique, see claimed.py.
    """

    record: str  # a keyed hash
    values: Arguments | None
    asked: frozenset[str] = frozenset()
    made: bool = False
    delivery: str = ""  # the one that wrote it last; "": none of ours yet
    ours: frozenset[str] = frozenset()
    claims: Mapping[str, str] = field(default_factory=dict[str, str])

    def lacks(self, names: Iterable[str]) -> bool:
        """Whether the target is still to be asked about one of these."""
        return not self.made and not self.asked.issuperset(names)


def hash_of(ledger: Ledger, operation: str, record: str) -> str:
    return ledger.seal.keyed_hash("staged/1", ledger.integration, operation, record)


def find(ledger: Ledger, records: Sequence[str]) -> dict[str, Held]:
    """Those that are held, by their hash."""
    return _found(ledger, STAGED.c.record, records)


def written_by(ledger: Ledger, deliveries: Sequence[str]) -> dict[str, Held]:
    """The records that these deliveries wrote last, by delivery."""
    return {one.delivery: one for one in _found(ledger, STAGED.c.delivery, deliveries).values()}


def made(ledger: Ledger, operation: str) -> int:
    """How many records of this operation the stage made."""
    row = STAGED.c
    mine = (row.integration == ledger.integration) & (row.operation == operation) & row.made
    with ledger.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).where(mine)).scalar_one())


def of_record(ledger: Ledger, operation: str, record: str) -> Held | None:
    """What is held of one record, by its own name."""
    name = hash_of(ledger, operation, record)
    return find(ledger, [name]).get(name)


def all_of(ledger: Ledger, operation: str) -> list[Held]:
    """Everything that is held of one operation."""
    return list(_found(ledger, STAGED.c.operation, [operation]).values())


def keep(ledger: Ledger, operation: str, held: Sequence[Held]) -> None:
    """Remember these records, in the place of what was held of them."""
    rows = [
        {
            "integration": ledger.integration,
            "record": one.record,
            "operation": operation,
            "delivery": one.delivery,
            "made": one.made,
            "held_sealed": ledger.seal.seal(_text(one), PURPOSE),
            "changed": now(),
        }
        for one in held
    ]
    with ledger.writing("staged") as connection:
        here = STAGED.c.integration == ledger.integration
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            named = STAGED.c.record.in_([row["record"] for row in part])
            connection.execute(sa.delete(STAGED).where(here, named))
            connection.execute(STAGED.insert(), part)


def _found(ledger: Ledger, column: sa.ColumnElement[str], values: Sequence[str]) -> dict[str, Held]:
    found: dict[str, Held] = {}
    distinct = list(dict.fromkeys(values))
    with ledger.reading() as connection:
        for start in range(0, len(distinct), AT_ONCE):
            query = sa.select(STAGED).where(
                STAGED.c.integration == ledger.integration, column.in_(distinct[start : start + AT_ONCE])
            )
            for row in connection.execute(query):
                found[row.record] = _opened(ledger, row)
    return found


def _opened(ledger: Ledger, row: Any) -> Held:  # a row of a select of the whole table
    held = json.loads(ledger.seal.open(row.held_sealed, PURPOSE))
    return Held(
        row.record,
        held["values"],
        frozenset(held["asked"]),
        row.made,
        row.delivery,
        frozenset(held["ours"]),
        held["claims"],
    )


def _text(one: Held) -> bytes:
    content = {
        "values": None if one.values is None else dict(one.values),
        "asked": sorted(one.asked),
        "ours": sorted(one.ours),
        "claims": dict(one.claims),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
