"""One portal: its records, properties and lists, its clock, its limits, and a journal of what arrived."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, JsonValue

from connectors.sandbox.hubspot.reply import Json, Reply
from connectors.sandbox.hubspot.store import Store

TOKEN = "pat-na1-stand-in"  # noqa: S105  # of a stand-in
SCOPES = frozenset(
    {
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.schemas.contacts.read",
        "crm.schemas.contacts.write",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.lists.read",
        "crm.lists.write",
        "crm.objects.contacts.sensitive.read",
        "crm.objects.contacts.sensitive.write",
        "crm.objects.companies.sensitive.read",
        "crm.objects.companies.sensitive.write",
    }
)
OBJECT_TYPES = {"contacts": "0-1", "companies": "0-2"}


class Settings(BaseModel):
    """What may be set from outside. Limits of None are none."""

    model_config = ConfigDict(extra="forbid")

    search_lag: float = 0.0  # seconds until the search shows what was written
    search_drops: int = 0  # rows that are missing from each page of a search, and counted
    ten_seconds: int | None = None  # requests in ten seconds
    daily: int | None = None  # requests a day, until the portal's midnight
    searches: int | None = None  # searches in a second
    whole_batch: tuple[str, ...] = ()  # categories whose refusal of one input refuses its whole batch
    answers_hide: tuple[str, ...] = ()  # properties that the answers to writes leave out
    sensitive_data: bool = True  # the portal's switch for sensitive properties
    required: tuple[str, ...] = ()  # properties that a new contact must have: the portal's own rule
    without_scopes: tuple[str, ...] = ()
    time_zone: str = "America/New_York"
    portal_id: int = 4711
    account_type: str = "STANDARD"


@dataclass
class MembersList:
    """One list of contacts."""

    id: str
    name: str
    processing_type: str  # MANUAL: static; DYNAMIC: a filter's
    members: set[int] = field(default_factory=set[int])


@dataclass
class Portal:
    """Its lock is held while a request is answered."""

    settings: Settings = field(default_factory=Settings)
    stores: dict[str, Store] = field(default_factory=lambda: {name: Store(name) for name in OBJECT_TYPES})
    groups: dict[str, list[str]] = field(
        default_factory=lambda: {"contacts": ["contactinformation"], "companies": ["companyinformation"]}
    )
    links: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])  # contact, company
    lists: dict[str, MembersList] = field(default_factory=dict[str, MembersList])
    shift: float = 0.0  # seconds that its clock is ahead
    frozen: float | None = None
    counts: Counter[str] = field(default_factory=Counter[str])
    journal: deque[Json] = field(default_factory=lambda: deque[Json](maxlen=20_000))
    lock: threading.RLock = field(default_factory=threading.RLock)
    _recent: deque[float] = field(default_factory=deque[float])
    _searched: deque[float] = field(default_factory=deque[float])
    _today: tuple[str, int] = ("", 0)

    def now(self) -> int:
        """Its clock, in milliseconds since 1970."""
        return int((time.time() if self.frozen is None else self.frozen) * 1000 + self.shift * 1000)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now() / 1000, UTC)

    @property
    def horizon(self) -> int:
        """What was written later is not in the search's index yet."""
        return self.now() - int(self.settings.search_lag * 1000)

    @property
    def scopes(self) -> frozenset[str]:
        return SCOPES - set(self.settings.without_scopes)

    def limited(self, *, search: bool) -> Reply | None:
        """The 429 that this request meets, None if it may pass."""
        now, limits = self.now() / 1000, self.settings
        day = self.moment.astimezone(ZoneInfo(limits.time_zone)).date().isoformat()
        used = self._today[1] if self._today[0] == day else 0
        if limits.daily is not None and used >= limits.daily:
            return _too_many("DAILY")
        self._today = (day, used + 1)
        if limits.ten_seconds is not None and not _passes(self._recent, now, 10.0, limits.ten_seconds):
            return _too_many("TEN_SECONDLY_ROLLING")
        if search and limits.searches is not None and not _passes(self._searched, now, 1.0, limits.searches):
            return _too_many("SECONDLY")
        return None

    def clear(self) -> None:
        """As it was when it was new."""
        fresh = Portal()
        for name in (
            "settings",
            "stores",
            "groups",
            "links",
            "lists",
            "shift",
            "frozen",
            "counts",
            "journal",
        ):
            setattr(self, name, getattr(fresh, name))
        self._recent.clear()
        self._searched.clear()
        self._today = ("", 0)

    def note(self, method: str, path: str, status: int, body: JsonValue) -> None:
        """What arrived and what was answered."""
        kind = kind_of(method, path)
        self.counts[kind] += 1
        self.journal.append({"method": method, "path": path, "status": status, "kind": kind, "body": body})

    def midnight(self) -> timedelta:
        """How long the portal's day still lasts."""
        local = self.moment.astimezone(ZoneInfo(self.settings.time_zone))
        following = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return following - local


def kind_of(method: str, path: str) -> str:
    """Read or write, of records; search; schema: properties are read; definition: made; account."""
    if path.startswith("/account-info/"):
        return "account"
    if path.endswith("/search"):
        return "search"
    if "/properties/" in path:
        return "schema" if method == "GET" else "definition"
    return "read" if method == "GET" or path.endswith("/batch/read") else "write"


def _passes(times: deque[float], now: float, window: float, most: int) -> bool:
    while times and times[0] <= now - window:
        times.popleft()
    if len(times) >= most:
        return False
    times.append(now)
    return True


def _too_many(policy: str) -> Reply:
    body: Json = {
        "status": "error",
        "message": "You have reached your limit",
        "errorType": "RATE_LIMIT",
        "correlationId": "c0ffee00-0000-0000-0000-000000000000",
        "policyName": policy,
    }
    return Reply(429, body)
