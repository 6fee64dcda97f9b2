"""The ledger's database: opened, brought to this Ferry's version, and patient."""

import time
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError

from flows.errors import Spoken

LEASE_SECONDS = 60.0  # unless the machine's settings say otherwise
ATTEMPTS = 12  # to open the ledger
PAUSE = 0.25  # seconds between them
MIGRATIONS = Path(__file__).parent / "migrations"


class LedgerUnavailable(Spoken):
    """The ledger cannot be opened or written. One line: what, where, what to do."""


def connect(url: str) -> Engine:
    """An engine on the ledger's database, migrated to this Ferry's version.

    Raises:
        LedgerUnavailable: no such database, no permission, disk full.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise LedgerUnavailable(
            f"ledger: {parsed.get_backend_name()} is not supported; use sqlite or postgresql"
        )
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = _engine(parsed)
    failure = ""
    for _ in range(ATTEMPTS):  # two processes may make the same ledger at the same moment
        try:
            _migrate(engine)
            return engine
        except SQLAlchemyError as error:
            failure = type(error).__name__
            time.sleep(PAUSE)
    place = parsed.render_as_string(hide_password=True)
    raise LedgerUnavailable(f"ledger: cannot open {place} ({failure}); check FERRY_LEDGER_URL")


def _engine(url: sa.URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=_patience())
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": 30.0})

    @event.listens_for(engine, "connect")
    def _pragmas(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # a plan survives a power cut before its write leaves
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # a key that was destroyed is in no freed page
        cursor.close()
        # The driver would commit before each CREATE TABLE: a migration that is cut off left half of it.
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _patience() -> dict[str, str | int]:
    """How long PostgreSQL waits for us, and we for it.

    A process that is paused within a transaction holds the lease's row: its session is ended, so that the
    next run need not wait for it to wake up.
    """
    idle, lock = int(LEASE_SECONDS * 1000), int(LEASE_SECONDS * 1000) + 30_000  # milliseconds
    return {
        "connect_timeout": 10,
        "options": f"-c idle_in_transaction_session_timeout={idle} -c lock_timeout={lock}",
    }


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    with engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def database_clock(connection: Connection) -> float:
    """Seconds since 1970 by the database: leases of several machines must not depend on their clocks."""
    if connection.dialect.name == "sqlite":
        return time.time()  # the database is on this machine
    return float(connection.execute(sa.text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
