"""The audit: append-only events, chained by keyed hashes so that a change shows. Nothing happens without one.

There is a chain for each integration and one for each tenant (integration "") for what belongs to no
integration: connections, keys, approvals, what a person looks at. An event names its chain, its place
in it (`seq`, from 1, gapless), who acted (`run <id>`, `person <name>`, or `ferry` by itself), the act in
words, how many things it was about, and a keyed hash over which ones: pseudonyms and keys, never a patient.

Writing one, always in the act's own transaction, so that the act fails with it:

    with ledger.writing("settle") as connection:        # under an integration's lease
        ...
        audit.add(ledger, connection, "deliveries settled", 3, *keys)

    with audit.acting(engine, key, tenant, "data key destroyed", 1, tenant) as connection:
        connection.execute(...)                         # a tenant's act that is in the ledger too

    audit.ahead(ledger, "records read: contacts", *keys)
    audit.note(engine, key, tenant, "connection hubspot connected", 1, "hubspot")
    ...                                                 # an act elsewhere (a target, a KMS): note it first

`key` is `store.audit_key(engine, kek, environment)`; a Ledger has it as `ledger.audit_key`. An act may
name connections and integrations; everything else that was acted on goes into the subjects.
"""

import getpass
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from flows.ledger.audit_key import AuditKey
from flows.ledger.tables import AUDIT, AUDIT_KEY

if TYPE_CHECKING:
    from flows.ledger.store import Ledger

LINKED = ("tenant", "integration", "seq", "run", "epoch", "actor", "act", "count", "subject")
FERRY = "ferry"
"""The actor of what is made where it is first needed, whoever needs it."""

LONGEST = 200  # characters of an act or an actor


@dataclass(frozen=True, slots=True)
class Head:
    """The newest event of a chain. Of an empty chain: 0 and ""."""

    seq: int
    chain: str


EMPTY = Head(0, "")


def person(name: str = "") -> str:
    """The actor of a command that a person gave: the given name, or the operating system's user."""
    try:
        return f"person {name or getpass.getuser()}"[:LONGEST]
    except (KeyError, OSError):  # a container's user may have no name
        return "person unknown"


def add(ledger: "Ledger", connection: Connection, act: str, count: int, *subjects: object) -> None:
    """Note an act of an integration, in its fenced transaction. `subjects` are never values."""
    event: dict[str, object] = {
        "tenant": ledger.tenant,
        "integration": ledger.name,
        "run": ledger.run,
        "epoch": ledger.epoch,
        "actor": ledger.actor,
        "act": act[:LONGEST],
        "count": count,
    }
    _append(connection, ledger.audit_key, event, subjects)


def ahead(ledger: "Ledger", act: str, *subjects: object) -> None:
    """Note an act of an integration that happens outside of the ledger. Call it before the act."""
    with ledger.writing(act.partition(":")[0]) as connection:
        add(ledger, connection, act, len(subjects), *subjects)


@contextmanager
def acting(
    engine: Engine, key: AuditKey, tenant: str, act: str, count: int, *subjects: object, actor: str = ""
) -> Generator[Connection]:
    """One transaction for a tenant's act in the ledger and its event: both, or neither.

    Two such transactions come one after the other, on both databases: keep them short, and ask
    nothing over a network inside.
    """
    event: dict[str, object] = {
        "tenant": tenant,
        "integration": "",
        "run": "",
        "epoch": 0,
        "actor": actor or person(),
        "act": act[:LONGEST],
        "count": count,
    }
    with engine.begin() as connection:
        # A write first: it locks the row (PostgreSQL) or the database (SQLite) for this transaction.
        connection.execute(sa.update(AUDIT_KEY).values(kid=AUDIT_KEY.c.kid))
        _append(connection, key, event, subjects)
        yield connection


def note(
    engine: Engine, key: AuditKey, tenant: str, act: str, count: int, *subjects: object, actor: str = ""
) -> None:
    """Note a tenant's act that happens outside of the ledger. Call it before the act."""
    with acting(engine, key, tenant, act, count, *subjects, actor=actor):
        pass


def head(connection: Connection, tenant: str, integration: str = "") -> Head:
    """The newest event of a chain."""
    row = connection.execute(
        sa.select(AUDIT.c.seq, AUDIT.c.chain)
        .where(AUDIT.c.tenant == tenant, AUDIT.c.integration == integration)
        .order_by(AUDIT.c.seq.desc())
        .limit(1)
    ).first()
    return EMPTY if row is None else Head(row.seq, row.chain)


def chain_at(connection: Connection, tenant: str, integration: str, seq: int) -> str:
    """The link of one event, or "" where there is none."""
    where = (AUDIT.c.tenant == tenant) & (AUDIT.c.integration == integration) & (AUDIT.c.seq == seq)
    return connection.execute(sa.select(AUDIT.c.chain).where(where)).scalar_one_or_none() or ""


def events(
    engine: Engine, tenant: str, integration: str | None = None, since: datetime | None = None
) -> "Iterator[sa.Row[tuple[object, ...]]]":
    """The events of a tenant, or of one of its chains, in their order."""
    query = sa.select(AUDIT).where(AUDIT.c.tenant == tenant)
    if integration is not None:
        query = query.where(AUDIT.c.integration == integration)
    if since is not None:
        query = query.where(AUDIT.c.at >= since)
    with engine.connect() as connection:
        yield from connection.execute(query.order_by(AUDIT.c.at, AUDIT.c.integration, AUDIT.c.seq))


def link(key: AuditKey, before: str, event: Mapping[str, object], at: datetime) -> str:
    """The keyed hash over an event and the link of the one before."""
    parts = [event[name] for name in LINKED]
    typed = [part if isinstance(part, int) else str(part) for part in parts]
    return key.hash(before, *typed, at.isoformat())


def _append(
    connection: Connection, key: AuditKey, event: dict[str, object], subjects: tuple[object, ...]
) -> None:
    last = head(connection, str(event["tenant"]), str(event["integration"]))
    at = datetime.now(UTC)
    event |= {"seq": last.seq + 1, "subject": key.hash(*map(str, subjects))}
    connection.execute(AUDIT.insert().values(event | {"at": at, "chain": link(key, last.chain, event, at)}))
