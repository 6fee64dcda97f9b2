"""One warehouse: a session that is made when it is needed and dropped when it is lost, and the errors."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.redshift.credentials import RedshiftCredentials
from connectors.redshift.failures import LOST, Failure, StatementFailed
from connectors.sent import Sent

if TYPE_CHECKING:
    from connectors.redshift.session import Session

Answer = TypeVar("Answer")

TRIES = 3  # of what surely changed nothing


class Warehouse:
    """One session, which one thread at a time uses."""

    def __init__(self, credentials: RedshiftCredentials, *, read_only: bool = False) -> None:
        self._credentials, self.read_only = credentials, read_only
        self._session: Session | None = None
        self.sent = Sent()
        self._lock = threading.RLock()
        self.session = 0  # which session it is: a new one knows nothing of the temporary tables of the last

    def read(self, ask: "Callable[[Session], Answer]") -> Answer:
        """What `ask` gives. Raises Transient, Unauthorized or Rejected."""
        failure = LOST
        for _ in range(TRIES):
            found = self.act(ask)
            if not isinstance(found, Failure):
                return found
            failure = found
            if failure.kind not in ("lost", "transient"):
                break
        raise error_for(failure, written=False)

    def act(self, act: "Callable[[Session], Answer]") -> Answer | Failure:
        """What `act` gives, or why it failed. Nothing is tried again."""
        self.sent.one()
        with self._lock:
            try:
                return act(self._open())
            except StatementFailed as failed:
                failure = failed.failure
            if failure.kind == "lost" or not self._rolled_back():
                self.close()  # a transaction that it was in ends with it
            return failure

    def close(self) -> None:
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _rolled_back(self) -> bool:
        try:
            if self._session is not None:
                self._session.run("ROLLBACK")
        except StatementFailed:
            return False
        return True

    def _open(self) -> "Session":
        if self._session is None:
            from connectors.redshift.session import Session  # noqa: PLC0415  # the SDK takes a second

            try:
                self._session = Session(self._credentials, read_only=self.read_only)
            except Transient as error:
                raise StatementFailed(Failure("transient", error.code)) from None
            self.session += 1
        return self._session


def error_for(failure: Failure, *, written: bool) -> ConnectorError:
    """The failure as an error. `written`: something may have been applied if the connection was lost."""
    message = f"redshift: {failure.code}"
    if failure.kind == "unauthorized":
        return Unauthorized(failure.code, f"{message}: check the endpoint, the user, its rights and the role")
    if failure.kind == "lost" and written:
        return Unknown(failure.code, f"{message}: whether the rows were loaded must be looked up")
    if failure.kind in ("lost", "transient"):
        return Transient(failure.code, f"{message}: nothing was loaded, try again")
    return Rejected(failure.code, f"{message}: compare the table with its declaration")
