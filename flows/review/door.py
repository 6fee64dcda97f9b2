"""Who may see the page: a token that works once, then a session that ends after 15 minutes unused."""

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from flows.errors import Spoken
from flows.settings import PRODUCTION, Settings
from flows.tenants import load_tenant

HERE = "127.0.0.1"
IDLE = 15 * 60.0  # seconds without a request


class NotAdmitted(Spoken):
    """The tenant does not let a person review, or not so. One line."""


class Role(IntEnum):
    """What a person may do; each may do what those before it may."""

    VIEWER = 1  # sees that something changes, and no value
    REVIEWER = 2  # sees values, and says what is right and wrong
    APPROVER = 3  # approves

    @property
    def word(self) -> str:
        return self.name.lower()


def role_of(tenant: str, people: Mapping[str, str], person: str, asked: str, *, production: bool) -> Role:
    """What a person may do here: what tenant.yaml says of them, or less if less is asked for.

    Where it names nobody, everybody may do everything; in production, nobody anything.

    Raises:
        NotAdmitted.
    """
    said = people.get(person, "" if people or production else Role.APPROVER.word)
    if not said:
        there = (
            f"it names {', '.join(sorted(people))}; name one of these, or add them to people there"
            if people
            else f"it names nobody, so in production nobody may; add there: people: {{{person}: reviewer}}"
        )
        raise NotAdmitted(f"{tenant}: tenant.yaml lets no {person} review or see values; {there}")
    own = Role[said.upper()]
    words = [role.word for role in Role if role <= own]
    if asked and asked not in words:
        raise NotAdmitted(
            f"{tenant}: {person} may act as {' or '.join(words)}, and not as {asked}; "
            "ask who may, or change people in tenant.yaml"
        )
    return Role[asked.upper()] if asked else own


def admitted(settings: Settings, label: str, person: str, asked: str = "") -> Role:
    """The same of an integration's tenant, as its tenant.yaml says now.

    Raises:
        NotAdmitted, IntegrationInvalid.
    """
    tenant = label.partition("/")[0]
    people = load_tenant(settings.deployments, tenant).people
    return role_of(tenant, people, person, asked, production=settings.env == PRODUCTION)


def approves(settings: Settings, label: str, person: str) -> None:
    """Nothing, if a person may let go what is held, and approve.

    Where tenant.yaml names nobody, everybody may, in production, too: what is held there waits for no file.

    Raises:
        NotAdmitted, IntegrationInvalid.
    """
    if load_tenant(settings.deployments, label.partition("/")[0]).people:
        admitted(settings, label, person, Role.APPROVER.word)


def link(settings: Settings, run: str) -> str:
    """Where a review that is open on this machine shows a run. It names the run and says nothing of it."""
    return f"http://{HERE}:{settings.review_port}/writes?run={run}"


@dataclass
class Session:
    """One browser that came in by the token. proof: what its forms send along, so that no other page's do."""

    role: Role
    person: str
    used: float
    proof: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    keys: bool = True  # whether single letters act
    looked: set[str] = field(default_factory=set[str])  # writes that a sample showed and that were put by


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
