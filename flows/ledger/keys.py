"""The tenants' data keys: whose is wrapped by which key, wrapping them again, destroying one."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError, ProgrammingError

from flows.crash import crashpoint
from flows.errors import Spoken
from flows.ledger import audit
from flows.ledger.audit_key import bound as audit_key_bound
from flows.ledger.store import audit_key, now, whose
from flows.ledger.tables import AUDIT_KEY, DATA_KEY, INTEGRATION, LEASE
from flows.vault import KeyEncryptionKey, Wrapped, data_key_bound, wrap_again

LOCKED = "LockNotAvailable"  # PostgreSQL's word for a reader that outlasted our patience
LOG_FILES = 16  # of 16 MiB that are written over at most: a busy server's own writing is soon through more


class TenantUnknown(Spoken):
    """The ledger has no key of such a tenant. One line."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """One tenant's row. The key itself is not in it."""

    tenant: str
    kid: str
    made: datetime
    wrapped_at: datetime
    destroyed: datetime | None


def all_of(engine: Engine) -> list[DataKey]:
    """Every tenant's, also the forgotten ones', by name."""
    row = DATA_KEY.c
    query = sa.select(row.tenant, row.kid, row.made, row.wrapped_at, row.destroyed).order_by(row.tenant)
    with engine.connect() as connection:
        return [DataKey(*found) for found in connection.execute(query)]


def key_of(engine: Engine, tenant: str) -> DataKey:
    """Raises TenantUnknown."""
    found = {key.tenant: key for key in all_of(engine)}
    if tenant not in found:
        known = ", ".join(sorted(found)) or "none"
        raise TenantUnknown(f"{tenant}: the ledger knows no such tenant; there are: {known}")
    return found[tenant]


def rotate(engine: Engine, kek: KeyEncryptionKey, environment: str) -> Iterator[tuple[DataKey, bool]]:
    """Wrap every data key by the present key: (key, whether it was not yet). One transaction each.

    May be cut off anywhere and started again. Runs go on meanwhile: who has a seal open keeps it, and who
    opens one finds either form, and both open.

    Raises:
        SealBroken, KeyUnavailable, KeyDestroyed: at that tenant; those before it are done.
    """
    current = kek.current()
    _rotate_audit_key(engine, kek, environment, current)
    for key in all_of(engine):
        stale = key.destroyed is None and key.kid != current
        yield key, stale and _rotate_one(engine, kek, environment, key.tenant)


def _rotate_one(engine: Engine, kek: KeyEncryptionKey, environment: str, tenant: str) -> bool:
    row = DATA_KEY.c
    with engine.connect() as connection:
        query = sa.select(row.kid, row.wrapped).where(row.tenant == tenant, row.destroyed.is_(None))
        found = connection.execute(query).one_or_none()
    if found is None:
        return False  # forgotten a moment ago
    old = Wrapped(*found)
    # outside of the transaction: Cloud KMS takes its time
    new = wrap_again(kek, old, data_key_bound(environment, tenant))
    values = {"kid": new.kid, "wrapped": new.content, "wrapped_at": now()}
    crashpoint("before key is wrapped again")
    try:
        key = audit_key(engine, kek, environment)
        with audit.acting(engine, key, whose(tenant), "data key wrapped again", 1, new.kid) as connection:
            _replace(connection, tenant, row.wrapped == old.content, values)
            crashpoint("inside key is wrapped again")
    except Overtaken:
        return False  # forgotten, or wrapped again by another process: that stands
    crashpoint("after key is wrapped again")
    return True


def _rotate_audit_key(engine: Engine, kek: KeyEncryptionKey, environment: str, current: str) -> None:
    """The audit's own key, too: else the audit could not be verified when the former key is gone."""
    key = audit_key(engine, kek, environment)  # made here, if nothing was noted yet
    row = AUDIT_KEY.c
    with engine.connect() as connection:
        query = sa.select(row.kid, row.wrapped).where(row.environment == environment)
        old = Wrapped(*connection.execute(query).one())
    if old.kid == current:
        return
    new = wrap_again(kek, old, audit_key_bound(environment))
    with audit.acting(engine, key, "", "audit key wrapped again", 1, new.kid) as connection:
        still = (row.environment == environment) & (row.wrapped == old.content)
        connection.execute(sa.update(AUDIT_KEY).where(still).values(kid=new.kid, wrapped=new.content))
    crashpoint("after audit key is wrapped again")


def destroy(
    engine: Engine,
    kek: KeyEncryptionKey,
    environment: str,
    tenant: str,
    integrations: "sa.Select[tuple[int]] | None" = None,
) -> DataKey:
    """Destroy the tenant's data key, and fence out its runs that go on, in one transaction.

    integrations: whose runs; all of the tenant's if it is not said.

    The row stays with the day, so that no new key is made. A key that is destroyed stays as it was.

    Raises:
        TenantUnknown: there is nothing to destroy.
    """
    if key_of(engine, tenant).destroyed is None:
        key = audit_key(engine, kek, environment)
        crashpoint("before key is destroyed")
        with (
            suppress(Overtaken),  # by another process, a moment ago
            audit.acting(engine, key, whose(tenant), "data key destroyed", 1, tenant) as connection,
        ):
            _replace(connection, tenant, sa.true(), {"wrapped": b"", "destroyed": now()})
            _fence_out(connection, _of(tenant) if integrations is None else integrations)
            crashpoint("inside key is destroyed")
        crashpoint("after key is destroyed")
    return key_of(engine, tenant)


def scrub(engine: Engine) -> bool:
    """Leave no former form of a key in the database's own files, as far as a client of it can.

    SQLite: freed places are zeroed as they are freed (database.py); what is still in the write-ahead log is
    written through and the log is emptied. PostgreSQL: the table is written anew, and its write-ahead log is
    written over, where the ledger's role may ask for that.

    Returns:
        False if another connection that reads kept the database from it.
    """
    crashpoint("before scrub")
    if engine.dialect.name != "sqlite":
        return _written_anew(engine)
    raw = engine.raw_connection()  # outside of any transaction, where SQLAlchemy would begin one
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = cast(tuple[int, int, int], cursor.fetchone())
        cursor.close()
    finally:
        raw.close()
    return not busy


def _written_anew(engine: Engine) -> bool:
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM (FULL) data_key")
            connection.exec_driver_sql("VACUUM (FULL) audit_key")
            with suppress(ProgrammingError):  # a role that may not
                _write_over_log(connection)
    except OperationalError as error:
        if type(error.orig).__name__ != LOCKED:
            raise
        return False
    return True


def _write_over_log(connection: Connection) -> None:
    """A checkpoint keeps former files of the log for later use, as they are: use them now, empty."""
    connection.exec_driver_sql("SELECT pg_switch_wal()")
    connection.exec_driver_sql("CHECKPOINT")
    later = "SELECT count(*) FROM pg_ls_waldir() WHERE name > pg_walfile_name(pg_current_wal_lsn())"
    kept = int(connection.exec_driver_sql(later).scalar_one())
    for _ in range(min(kept, LOG_FILES) + 1):
        connection.exec_driver_sql("SELECT pg_logical_emit_message(false, 'ferry', '')")
        connection.exec_driver_sql("SELECT pg_switch_wal()")


def _of(tenant: str) -> "sa.Select[tuple[int]]":
    return sa.select(INTEGRATION.c.id).where(INTEGRATION.c.tenant == tenant)


def _fence_out(connection: Connection, integrations: "sa.Select[tuple[int]]") -> None:
    """Runs of these that go on may write nothing more: their tokens are old from here on."""
    connection.execute(
        sa.update(LEASE)
        .where(LEASE.c.integration.in_(integrations))
        .values(epoch=LEASE.c.epoch + 1, holder="", run=None, expires=0.0)
    )


class Overtaken(Exception):
    """Another process was first; the transaction is rolled back with its event."""


def _replace(
    connection: Connection, tenant: str, still: sa.ColumnElement[bool], values: Mapping[str, object]
) -> None:
    """Raises Overtaken if the row is not what it was: a destroyed key never comes back."""
    row = DATA_KEY.c
    change = sa.update(DATA_KEY).where(row.tenant == tenant, row.destroyed.is_(None), still)
    if connection.execute(change.values(dict(values))).rowcount != 1:
        raise Overtaken
