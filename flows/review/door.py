"""Who may see the page: a token that works once, then a session that ends after 15 minutes unused."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

IDLE = 15 * 60.0  # seconds without a request


class Role(IntEnum):
    """What a person may do; each may do what those before it may."""

    VIEWER = 1  # sees that something changes, and no value
    REVIEWER = 2  # sees values, and says what is right and wrong
    APPROVER = 3  # approves

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass
class Session:
    """One browser that came in by the token. proof: what its forms send along, so that no other page's do."""

    role: Role
    person: str
    used: float
    proof: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Door:
    """Lets in who has the token, once. Nothing of it is kept on disk."""

    def __init__(self, role: Role, person: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.token = secrets.token_urlsafe(32)
        self._role, self._person, self._clock = role, person, clock
        self._used = False
        self._sessions: dict[str, Session] = {}

    def enter(self, token: str) -> str | None:
        """A new session's id; None if it is not the token, or was used before."""
        if self._used or not hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        self._used = True
        name = secrets.token_urlsafe(32)
        self._sessions[name] = Session(self._role, self._person, self._clock())
        return name

    def admit(self, name: str) -> Session | None:
        """The session, used now; None if there is no such one, or it was not used for too long."""
        found = self._sessions.get(name)
        if found is None:
            return None
        if self._clock() - found.used >= IDLE:
            del self._sessions[name]
            return None
        found.used = self._clock()
        return found

    def leave(self, name: str) -> None:
        self._sessions.pop(name, None)
