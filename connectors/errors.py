"""What can go wrong at a connector, by who can put it right.

A message says what, where and what next. It never carries a payload, a value or a secret: these
errors are shown to operators and stored as codes.
"""

from datetime import timedelta


class ConnectorError(Exception):
    """A connector could not do what it was asked. `code` is a closed, stable word for the ledger."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Transient(ConnectorError):
    """Time puts it right, and nothing was applied: rate limited, refused connection, overloaded."""

    def __init__(self, code: str, message: str, *, wait: timedelta | None = None) -> None:
        super().__init__(code, message)
        self.wait = wait


class Unknown(ConnectorError):
    """Only a look can tell whether it was applied: time-out, reset, 5xx after the request left."""


class Rejected(ConnectorError):
    """The caller must change something: the system understood and refused."""


class Unauthorized(ConnectorError):
    """The tenant must act: the credentials are wrong, expired or too narrow."""


class Denied(ConnectorError):
    """Nobody can put it right: our own policy says no."""
