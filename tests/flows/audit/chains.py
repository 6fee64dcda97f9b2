"""Chains for the tests of the audit, and somebody who changes them behind the ledger's back."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from flows.ledger import audit, lease
from flows.ledger.audit import Head
from flows.ledger.verify import Anchors, Chain, Finding, verify
from tests.flows.ledgers import held

COLUMNS = (
    "tenant", "integration", "seq", "run", "epoch", "actor", "act", "count", "subject", "at", "chain",
)  # fmt: skip
CHAINS: tuple[Chain, ...] = (
    ("acme", ""), ("acme", "crm"), ("acme", "warehouse"), ("other", ""), ("other", "warehouse"),
)  # fmt: skip
Row = tuple[object, ...]


class Written:
    """Chains of two tenants that are whole, their anchors, and the means to change them."""

    def __init__(self, url: str, folder: Path, events: int = 8) -> None:
        for tenant, name in CHAINS:
            if (tenant, name) == ("other", ""):
                continue  # it has one event only: that its data key was made
            ledger = held(url, folder, name=name or "crm", tenant=tenant)
            for number in range(events if name else events - 1):  # after the data key's
                if name:
                    with ledger.writing("test") as connection:
                        audit.add(ledger, connection, f"act {number % 3}", number, f"e{number}")
                else:
                    audit.note(ledger.engine, ledger.audit_key, tenant, f"act {number}", 1, number)
            self.key = ledger.audit_key
            lease.give_back(ledger)
            ledger.close()
        self.engine = sa.create_engine(url)
        self.anchors: Anchors = self._heads()
        self.whole = self.rows()

    def _heads(self) -> dict[Chain, Sequence[Head]]:
        with self.engine.connect() as connection:
            return {chain: [audit.head(connection, *chain)] for chain in CHAINS}

    def found(self, *, anchored: bool = True) -> list[Finding]:
        return list(verify(self.engine, self.key, anchors=self.anchors if anchored else None))

    def rows(self) -> list[Row]:
        query = sa.text(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY tenant, integration, seq")
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def put(self, rows: Sequence[Row]) -> None:
        """Make the table hold exactly these rows, as somebody can who owns the database."""
        names = ", ".join(f":{name}" for name in COLUMNS)
        with self.engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM audit"))
            insert = sa.text(f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({names})")
            for row in rows:
                connection.execute(insert, dict(zip(COLUMNS, row, strict=True)))


def disarm(engine: Engine) -> None:
    """Remove the triggers: who owns the database can."""
    if engine.dialect.name == "sqlite":
        statements = [f"DROP TRIGGER audit_no_{one}" for one in ("update", "delete", "replace")]
    else:
        statements = ["DROP TRIGGER audit_append_only ON audit"]
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def with_value(row: Row, name: str, value: object) -> Row:
    at = COLUMNS.index(name)
    return (*row[:at], value, *row[at + 1 :])


def other_value(value: object, draw: random.Random) -> object:
    """A value of the same type that is another one."""
    if isinstance(value, int):
        return value + draw.choice((1, 2, 1000))
    if isinstance(value, str):
        if not value:
            return "x"
        at = draw.randrange(len(value))
        return value[:at] + chr((ord(value[at]) - 31) % 90 + 33) + value[at + 1 :]
    assert isinstance(value, datetime)
    return value + draw.choice((1, -1, 3600)) * timedelta(seconds=1)
