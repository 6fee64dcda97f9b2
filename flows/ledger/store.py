"""The ledger: sealed for one tenant, and fenced for one integration."""

import threading
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from copy import copy
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from flows.crash import crashpoint
from flows.errors import Spoken
from flows.ledger import audit
from flows.ledger.audit_key import AuditKey, new_audit_key, open_audit_key
from flows.ledger.database import LEASE_SECONDS, LedgerUnavailable, database_clock
from flows.ledger.tables import AUDIT, AUDIT_KEY, DATA_KEY, INTEGRATION, LEASE
from flows.naming import mode_of, told
from flows.parameters import Mode
from flows.vault import KeyEncryptionKey, Seal, Wrapped, new_data_key, open_data_key

Values = TypeVar("Values", bound=tuple[Any, ...])  # the columns of a row: as SQLAlchemy binds them


_PERSON: ContextVar[str] = ContextVar("person", default="")  # several people act at once in one process


class TenantForgotten(Spoken):
    """The tenant's data key is destroyed: nothing of it opens any more."""


class AuditKeyGone(Spoken):
    """The ledger has events and no key to verify them by."""


class LeaseLost(Spoken):
    """Another run holds the integration now; this one may not write any more."""


class Ledger:
    """What one integration remembers. Reads are free; writes need the lease (see `writing`)."""

    def __init__(
        self,
        engine: Engine,
        kek: KeyEncryptionKey,
        *,
        environment: str,
        tenant: str,
        name: str,
        key: str = "",
    ) -> None:
        """`key`: the name of the data key, if it is not the tenant's: a stage has one of its own."""
        self.engine = engine
        self.environment, self.tenant, self.name = environment, tenant, name
        self.key = key or tenant
        with ExitStack() as failing:
            failing.callback(engine.dispose)
            self.seal = seal_of(engine, kek, environment, self.key)
            self.audit_key = audit_key(engine, kek, environment)
            self.integration = _integration_of(engine, tenant, name)
            failing.pop_all()
        self.epoch = 0  # 0: no lease held, so every write is refused
        self.run = ""
        self.flow_run = ""  # Prefect's id of the run that takes the lease
        self.lease_seconds = LEASE_SECONDS
        self._turn = threading.Lock()

    @property
    def of(self) -> tuple[str, Mode]:
        """Whose it is: the integration's label, and whether it is live or its stage."""
        return mode_of(f"{self.tenant}/{self.name}")

    @property
    def person(self) -> str:
        """Who gave the command, as `person <name>`; "": a run acts by itself."""
        return _PERSON.get()

    @property
    def actor(self) -> str:
        """Who acts, as the audit names them."""
        return self.person or f"run {self.run}"

    @staticmethod
    @contextmanager
    def told_by(person: str) -> Generator[None]:
        """Meanwhile this person acts, in this thread alone; a run otherwise acts by itself."""
        before = _PERSON.set(person)
        try:
            yield
        finally:
            _PERSON.reset(before)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        with spoken("read"), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, act: str) -> Generator[Connection]:
        """One fenced transaction: it renews the lease, or raises LeaseLost and writes nothing.

        Threads of this process take turns: SQLite has one writer anyway.
        """
        crashpoint(f"before {act}")
        with self._turn, spoken(act), self.engine.begin() as connection:
            self.fence(connection)
            yield connection
        crashpoint(f"after {act}")

    def fence(self, connection: Connection) -> None:
        renewed = connection.execute(
            sa.update(LEASE)
            .where(LEASE.c.integration == self.integration, LEASE.c.epoch == self.epoch)
            .values(expires=database_clock(connection) + self.lease_seconds)
        )
        if renewed.rowcount != 1:
            raise LeaseLost(
                f"{told(*self.of)}: another run took over, or it was ended; this run stops without writing"
            )

    def beside(self, name: str, seal: Seal) -> "Ledger":
        """Another of the tenant's integrations, to be read only: it has no lease. It is not closed itself."""
        found = sa.select(INTEGRATION.c.id).where(
            INTEGRATION.c.tenant == self.tenant, INTEGRATION.c.name == name
        )
        other = copy(self)
        other.name, other.seal, other.epoch = name, seal, 0
        with self.reading() as connection:
            other.integration = connection.execute(found).scalar_one_or_none() or 0
        return other

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def spoken(act: str) -> Generator[None]:
    """A database that went away, or is full, is one line: what the driver says may quote values."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        failure = type(error.orig).__name__
    else:
        return
    raise LedgerUnavailable(
        f"ledger: the database did not do its part ({failure} at: {act}); nothing of this step was kept; "
        "when it is there again, the next run goes on"
    )


def now() -> datetime:
    return datetime.now(UTC)


def seal_of(engine: Engine, kek: KeyEncryptionKey, environment: str, tenant: str) -> Seal:
    """The tenant's seal, its data key made on the first day.

    Raises:
        TenantForgotten: the key was destroyed; no new one is made.
    """
    row = DATA_KEY.c
    found = sa.select(row.kid, row.wrapped, row.destroyed).where(row.tenant == tenant)
    with engine.connect() as connection:
        stored = connection.execute(found).one_or_none()
    if stored is None:
        stored = _with_new_key(engine, kek, environment, tenant, found)
    kid, wrapped, destroyed = stored
    if destroyed is not None:
        raise TenantForgotten(
            f"{tenant}: forgotten on {destroyed:%Y-%m-%d}: its key is destroyed, nothing of it opens any "
            "more; a practice that comes back gets another name"
        )
    return open_data_key(kek, Wrapped(kid, wrapped), environment, tenant)


def whose(key: str) -> str:
    """The tenant that a data key is of, by the key's name: a stage's is named tenant/…"""
    return key.partition("/")[0]


def _with_new_key(
    engine: Engine, kek: KeyEncryptionKey, environment: str, tenant: str, found: sa.Select[Values]
) -> sa.Row[Values]:
    """The tenant's row, whoever inserts it, with the event that says so."""
    new, today = new_data_key(kek, environment, tenant), now()
    row = {"tenant": tenant, "kid": new.kid, "wrapped": new.content, "made": today, "wrapped_at": today}
    key, act = audit_key(engine, kek, environment), "data key made"
    try:
        with audit.acting(engine, key, whose(tenant), act, 1, new.kid, actor=audit.FERRY) as connection:
            connection.execute(DATA_KEY.insert().values(row))
    except IntegrityError:  # another process was first; if none was, the event was refused
        with engine.connect() as connection:
            if connection.execute(found).one_or_none() is None:
                raise
    with engine.connect() as connection:
        return connection.execute(found).one()


def audit_key(engine: Engine, kek: KeyEncryptionKey, environment: str) -> AuditKey:
    """The environment's audit key; made where the ledger has none and no events either.

    Raises:
        AuditKeyGone: there are events, and the key that chained them was removed.
        SealBroken: it was wrapped by another key-encryption key.
    """
    found = sa.select(AUDIT_KEY.c.kid, AUDIT_KEY.c.wrapped).where(AUDIT_KEY.c.environment == environment)
    with engine.connect() as connection:  # events first: a key is committed before there is one
        events = connection.execute(sa.select(AUDIT.c.seq).limit(1)).first()
        stored = connection.execute(found).one_or_none()
    if events and stored is None:
        raise AuditKeyGone(
            f"ledger: its audit has no key for environment {environment}; "
            "restore table audit_key from a backup"
        )
    if stored is None:
        new = new_audit_key(kek, environment)
        row = {"environment": environment, "kid": new.kid, "wrapped": new.content}
        stored = _inserted_once(engine, AUDIT_KEY, row, found)
    return open_audit_key(kek, Wrapped(*stored), environment)


def _integration_of(engine: Engine, tenant: str, name: str) -> int:
    found = sa.select(INTEGRATION.c.id).where(INTEGRATION.c.tenant == tenant, INTEGRATION.c.name == name)
    with engine.connect() as connection:
        known = connection.execute(found).scalar_one_or_none()
    if known is not None:
        return int(known)
    return int(_inserted_once(engine, INTEGRATION, {"tenant": tenant, "name": name}, found)[0])


def _inserted_once(
    engine: Engine, table: sa.Table, row: Mapping[str, object], found: sa.Select[Values]
) -> sa.Row[Values]:
    """The row, whoever inserted it: two processes may start at the same moment."""
    with suppress(IntegrityError), engine.begin() as connection:
        connection.execute(table.insert().values(row))
    with engine.connect() as connection:
        return connection.execute(found).one()
