"""A connection to a warehouse, and every exception of its driver ended here.

What a driver says quotes values, so it goes into no message, and our errors are raised outside of the
`except`: they carry no context either.
"""

import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

from redshift_connector.core import Connection
from redshift_connector.error import Error

from connectors.address import Reach
from connectors.errors import Denied
from connectors.redshift.credentials import RedshiftCredentials
from connectors.redshift.failures import LOST, Failure, StatementFailed, failure_of

CONNECT = 60  # seconds until the warehouse has let us in; one that sleeps is woken by it
STATEMENT = 600  # seconds that a statement may take; a COPY may wait in the queue

BROKEN = (Error, OSError, struct.error, IndexError, KeyError, AttributeError, ValueError)
"""What the driver raises: its own errors, and whatever a broken answer makes it stumble over."""

Cell = Any  # a value of the driver's, by the column's type


class Session:
    """One connection. Used by one thread at a time; after a failure that is "lost" it is of no use.

    read_only: a statement that is no SELECT is refused here, and each is in a transaction that only reads.
    """

    def __init__(self, credentials: RedshiftCredentials, *, read_only: bool = False) -> None:
        self.statements = 0  # that were run, those that begin and end transactions left out
        self._read_only = False
        Reach("redshift", credentials.warehouse, inside=True).sure()
        failure: Failure | None = LOST
        self._connection = Connection.__new__(Connection)
        try:
            Connection.__init__(
                self._connection,
                host=credentials.host,
                port=credentials.port,
                database=credentials.database,
                user=credentials.user,
                password=credentials.password.get_secret_value(),
                ssl=not credentials.here,
                sslmode="verify-full",
                timeout=min(credentials.silence, CONNECT),
                max_prepared_statements=0,
                application_name="ferry",
            )
            cast(Any, self._connection)._usock.settimeout(credentials.silence)  # it has no other way
            self._connection.autocommit = True
        except BROKEN as error:
            failure = failure_of(error)
        else:
            failure = None
        if failure is not None:
            self.close()
            raise StatementFailed(failure)
        try:
            self.run("SET timezone TO 'UTC'")
            self.run(f"SET statement_timeout TO {STATEMENT * 1000}")
        except StatementFailed:
            self.close()
            raise
        self._read_only = read_only

    def run(self, statement: str, values: Sequence[object] = ()) -> int:
        """How many rows it touched, -1 if the warehouse does not say. Raises StatementFailed."""
        return self._asked(statement, values, rows=False)[0]

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Cell, ...]]:
        """The rows that it gives. Raises StatementFailed."""
        return self._asked(statement, values, rows=True)[1]

    def close(self) -> None:
        """End it. The driver leaves its own sockets open where it was not let in or was cut off."""
        with suppress(*BROKEN):
            self._connection.close()
        for name in ("_sock", "_usock"):
            with suppress(*BROKEN):
                getattr(self._connection, name).close()

    def _asked(
        self, statement: str, values: Sequence[object], *, rows: bool
    ) -> tuple[int, list[tuple[Cell, ...]]]:
        if self._read_only:
            return self._read(statement, values)
        return self._sent(statement, values, rows=rows)

    def _read(self, statement: str, values: Sequence[object]) -> tuple[int, list[tuple[Cell, ...]]]:
        if statement != "ROLLBACK" and not statement.startswith("SELECT "):
            raise Denied("read_only", "redshift: this connection only reads")
        if statement == "ROLLBACK":
            return self._sent(statement, (), rows=False)
        self._sent("BEGIN READ ONLY", (), rows=False)
        found = self._sent(statement, values, rows=True)
        self._sent("ROLLBACK", (), rows=False)
        return found

    def _sent(
        self, statement: str, values: Sequence[object], *, rows: bool
    ) -> tuple[int, list[tuple[Cell, ...]]]:
        self.statements += statement not in ("BEGIN", "BEGIN READ ONLY", "COMMIT", "ROLLBACK")
        failure = LOST
        try:
            cursor = cast(Any, self._connection.cursor())  # its methods have no types
            cursor.execute(statement, tuple(values) or None)
            found = cursor.fetchall() if rows else ()
            return cursor.rowcount, [tuple(row) for row in found]
        except BROKEN as error:
            failure = failure_of(error)
        raise StatementFailed(failure)
