"""SQL databases: SQLite, PostgreSQL, MySQL/MariaDB, SQL Server. One upsert for each declared table.

SQL Server is unproven: its statements are compiled and parsed in tests, never run on a server.
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import sqlalchemy as sa
from pydantic import SecretStr

from connectors.base import Account, Connector, Settings
from connectors.errors import Rejected
from connectors.holding import OWN, Holding
from connectors.operation import Asks, Delivery, Item, Outcome, Write
from connectors.sql.connection import read_url
from connectors.sql.database import Database
from connectors.sql.image import Image
from connectors.sql.target import CHUNK, Target
from connectors.tabular import Drift, Table, sound_name

BATCH = 2000
FILE = "sqlite://local/"  # how the identity of a SQLite file begins


class SqlCredentials(Settings):
    url: SecretStr  # postgresql://user:password@host/database


class Sql(Connector):
    """A database of the tenant's. Only the declared tables are ever named.

    Args:
        schema: where the tables are; the user's default schema without it.
        lock: seconds to wait for a row or table that another one has locked.
        read_only: nothing is written: the database refuses it, and so does this.
    """

    name: ClassVar[str] = "sql"
    holds: ClassVar[Holding] = OWN

    def __init__(
        self,
        credentials: SqlCredentials,
        tables: Sequence[Table],
        *,
        schema: str | None = None,
        lock: int = 10,
        read_only: bool = False,
    ) -> None:
        if schema is not None and not sound_name(schema):
            raise ValueError("schema must be letters, digits and _, and no reserved word")
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        url = read_url(credentials.url)
        place = f"{url.host}:{url.port}" if url.port else url.host or "local"
        self._identity = f"{url.get_backend_name()}://{place}/{url.database}"
        self._database = Database(url, lock, read_only=read_only)
        self._targets = [Target(self._database, table, schema) for table in tables]
        self._lock = threading.Lock()

    def check(self) -> Account:
        """One harmless read that names the database. Raises Unauthorized or Transient."""
        lacks = self._database.read(self._missing)
        return Account(system=self.name, identity=self._identity, missing=lacks)

    def is_same(self, one: Account, other: Account) -> bool:
        """Whether both are one database: a SQLite file is one under all its names."""
        if not (one.identity.startswith(FILE) and other.identity.startswith(FILE)):
            return one.identity == other.identity
        paths = [Path(each.identity.removeprefix(FILE)).resolve() for each in (one, other)]
        there = all(path.exists() for path in paths)
        return paths[0].samefile(paths[1]) if there else paths[0] == paths[1]

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.table.write: self._write(target) for target in self._targets}

    def prepare(self) -> None:
        """Make the tables and add the columns that are not there. The first write does it, too."""
        with self._lock:
            for target in self._targets:
                target.make()

    def drift(self) -> list[Drift]:
        """How the tables differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.look().drift]

    @property
    def requests(self) -> int:
        """How many reads and transactions the database was asked for."""
        return self._database.sent.number

    def close(self) -> None:
        self._database.close()

    def _missing(self, connection: sa.Connection) -> tuple[str, ...]:
        """The right that PostgreSQL's bulk path needs, where the user lacks it."""
        if self._database.kind != "postgresql":
            connection.scalar(sa.select(sa.literal(1)))
            return ()
        able = sa.func.has_database_privilege(sa.func.current_database(), "TEMPORARY")
        return () if connection.scalar(sa.select(able)) else ("TEMPORARY on the database",)

    def _write(self, target: Target) -> Write:
        table, image = target.table, Image(self._database, target, self._targets)

        def send(items: Sequence[Item]) -> Sequence[Outcome]:
            try:
                with self._lock:
                    target.make()
                return target.send(items)
            except Rejected as error:
                return [Outcome(item.key, "rejected", error.code) for item in items]

        return Write(
            name=table.write,
            summary=table.summary or f"Insert the patient's row of {table.name}, or update it. Idempotent.",
            arguments=target.rows.arguments,
            delivery=Delivery.UPSERT,
            send=send,
            record=target.rows.record,
            batch=BATCH,
            present=target.present,
            refuses=image.refuses,
            rules=image.rules,
            free_text=table.free_text,
            presents=Asks(0, items=CHUNK, first=1),
            sends=Asks(first=2),
        )
