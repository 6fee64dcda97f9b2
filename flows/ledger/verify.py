"""Verifying the audit: every event that was changed, removed, moved, copied or put in is found.

What a chain cannot show by itself is that its end is missing: for that it is compared with anchors, which
are kept outside of the ledger (flows/anchor.py). Nobody can tell a ledger whose end was cut off together
with a matching older anchor from one that never went further; keep the two where no one person can write.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from flows.ledger.audit import Head, link
from flows.ledger.audit_key import AuditKey
from flows.ledger.store import Ledger

Chain = tuple[str, str]
"""Tenant and integration; "" for what belongs to no integration."""

Anchors = Mapping[Chain, Sequence[Head]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a chain is not as it was written."""

    tenant: str
    integration: str
    seq: int
    what: str

    def __str__(self) -> str:
        place = f"{self.tenant}/{self.integration}" if self.integration else f"{self.tenant} (tenant)"
        return f"{place}: event {self.seq} {self.what}"


def verify(
    engine: Engine,
    key: AuditKey,
    tenant: str = "",
    integration: str | None = None,
    anchors: Anchors | None = None,
) -> Iterator[Finding]:
    """What is wrong with the chains of a tenant, of one integration, or of everybody."""
    anchors = anchors or {}
    with engine.connect() as connection:
        chains = set(_chains(connection)) | set(anchors)
        for chain in sorted(chains):
            if (tenant in ("", chain[0])) and (integration is None or integration == chain[1]):
                yield from _Walk(key, chain, anchors.get(chain, ())).findings(connection)


def first_finding(ledger: Ledger) -> Finding | None:
    """The first place where an integration's own chain does not fit, or None."""
    return next(verify(ledger.engine, ledger.audit_key, ledger.tenant, ledger.name), None)


class _Walk:
    """One chain, walked from its beginning to its end."""

    def __init__(self, key: AuditKey, chain: Chain, anchors: Sequence[Head]) -> None:
        self._key, self._chain, self._anchors = key, chain, anchors
        self._wanted = {one.seq: "" for one in anchors}
        self._last = Head(0, "")

    def findings(self, connection: Connection) -> Iterator[Finding]:
        for row in _rows(connection, self._chain):
            yield from self._step(row)
        for anchor in self._anchors:
            yield from self._held_against(anchor)

    def _step(self, row: Mapping[str, object]) -> Iterator[Finding]:
        seq, chain = row["seq"], str(row["chain"])
        if not isinstance(seq, int) or seq <= self._last.seq:
            yield self._finding(self._last.seq, f"is followed by one that was put in (seq {seq!r})")
            return
        if seq > self._last.seq + 1:
            missing = seq - self._last.seq - 1
            yield self._finding(self._last.seq + 1, f"is missing{_more(missing - 1)}")
        elif chain != self._link(row):
            yield self._finding(seq, "does not fit the one before: it was changed, moved, copied or put in")
        if seq in self._wanted:
            self._wanted[seq] = chain
        self._last = Head(seq, chain)

    def _link(self, row: Mapping[str, object]) -> str:
        at = _moment(row["at"])
        return "" if at is None else link(self._key, self._last.chain, row, at)

    def _held_against(self, anchor: Head) -> Iterator[Finding]:
        if anchor.seq > self._last.seq:
            missing = anchor.seq - self._last.seq
            yield self._finding(
                self._last.seq + 1,
                f"is missing at the end{_more(missing - 1)}: the anchor outside of the ledger "
                f"knows {anchor.seq}",
            )
        elif anchor.seq > 0 and self._wanted[anchor.seq] != anchor.chain:
            yield self._finding(anchor.seq, "is not the one that the anchor outside of the ledger knows")

    def _finding(self, seq: int, what: str) -> Finding:
        return Finding(*self._chain, seq, what)


def _more(number: int) -> str:
    return f", and {number} after it" if number else ""


def _chains(connection: Connection) -> list[Chain]:
    query = sa.text("SELECT DISTINCT tenant, integration FROM audit")
    return [(str(tenant), str(integration)) for tenant, integration in connection.execute(query)]


def _rows(connection: Connection, chain: Chain) -> Iterator[Mapping[str, object]]:
    """As they are stored: who changed a row need not have kept to the columns' types."""
    query = sa.text("SELECT * FROM audit WHERE tenant = :tenant AND integration = :integration ORDER BY seq")
    found = connection.execution_options(yield_per=1000).execute(
        query, {"tenant": chain[0], "integration": chain[1]}
    )
    for row in found.mappings():
        yield {str(name): value for name, value in row.items()}


def _moment(stored: object) -> datetime | None:
    if isinstance(stored, str):
        try:
            stored = datetime.fromisoformat(stored)
        except ValueError:
            return None
    if not isinstance(stored, datetime):
        return None
    return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)
