"""One database: reads and transactions, with every error of a driver ended here.

A driver's text quotes values, so it goes into no message, and our errors are raised outside of the
`except`: they carry no context either.
"""

from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.sent import Sent
from connectors.sql.connection import engine_for
from connectors.sql.failures import Failure, failure_of, failure_to_connect

Answer = TypeVar("Answer")


class Database:
    """A pool of connections to one database."""

    def __init__(self, url: URL, lock: int, *, read_only: bool = False) -> None:
        self._engine = engine_for(url, lock, read_only=read_only)
        self.read_only = read_only
        self.kind = url.get_backend_name()
        self.sent = Sent()

    def read(self, ask: Callable[[sa.Connection], Answer]) -> Answer:
        """What `ask` gives. Raises Transient, Unauthorized or Rejected."""
        self.sent.one()
        try:
            with self._engine.connect() as connection:
                return ask(connection)
        except SQLAlchemyError as error:
            failure = failure_to_connect(error, self.kind)  # also if it was lost later: reads change nothing
        raise error_for(failure, written=False)

    def write(self, act: Callable[[sa.Connection], None]) -> Failure | None:
        """Do `act` in one transaction: all of it or nothing. None if it was committed.

        A failure that is "lost" may have been committed; every other one was not.
        """
        if self.read_only:
            raise Denied("read_only", "sql: this connection only reads")
        sent = False
        self.sent.one()
        try:
            with self._engine.connect() as connection:
                sent = True
                with connection.begin():
                    act(connection)
        except SQLAlchemyError as error:
            if sent:
                return failure_of(error, self.kind)
            return failure_to_connect(error, self.kind)
        return None

    def close(self) -> None:
        self._engine.dispose()


def error_for(failure: Failure, *, written: bool) -> ConnectorError:
    """The failure as an error. `written`: something may have been applied if the connection was lost."""
    message = f"sql: {failure.code}"
    if failure.kind == "unauthorized":
        return Unauthorized(failure.code, f"{message}: check the URL, the user and its rights")
    if failure.kind == "lost" and written:
        return Unknown(failure.code, f"{message}: whether the rows were written must be looked up")
    if failure.kind in ("lost", "transient"):
        return Transient(failure.code, f"{message}: nothing was written, try again")
    return Rejected(failure.code, f"{message}: compare the table with its declaration")
