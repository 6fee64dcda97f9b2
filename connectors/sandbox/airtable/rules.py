"""How the stand-in behaves: Airtable's limits, smaller where a test must not wait, and its refusals."""

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import Field, JsonValue

from connectors.base import Settings

SCOPES = ("data.records:read", "data.records:write", "schema.bases:read", "schema.bases:write")


class Rules(Settings):
    """rate: requests in any second; None without a limit. blocked: seconds of refusals after too many.

    calls: in the month. scopes: the token's; shown: whether `whoami` names them (it does for OAuth alone).
    permission: the token's level in the base; None if the base is not among its bases. reordered: answers
    name the records backwards. forgetful: answers leave out the last record. mangled: a text, and what is
    stored in its place.
    """

    rate: Annotated[int, Field(ge=1)] | None = None
    blocked: float = 30.0
    calls: int | None = None
    scopes: tuple[str, ...] = SCOPES
    shown: bool = False
    permission: str | None = "create"
    reordered: bool = False
    forgetful: bool = False
    mangled: tuple[str, str] = ("", "")


def mangled(rules: Rules, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is stored of a request."""
    text, instead = (json.dumps(each)[1:-1] for each in rules.mangled)
    return cast(dict[str, Any], json.loads(json.dumps(body).replace(text, instead))) if text else body


class Refusal(Exception):
    """Airtable's answer to what it does not take, in one of the three shapes that it has."""

    def __init__(self, status: int, word: str, message: str = "") -> None:
        super().__init__(word)
        self.status = status
        self.body: dict[str, JsonValue] = {"error": {"type": word, "message": message or word}}
        if status == 404:
            self.body = {"error": word}
        elif status == 429:
            self.body = {"errors": [{"error": word, "message": message or word}]}


class Gauge:
    """Counts requests, and refuses them all for a while once there were too many in a second."""

    def __init__(self) -> None:
        self.requests = 0
        self.refused = 0
        self._recent: deque[float] = deque()
        self._until = 0.0
        self._lock = threading.Lock()

    def count(self, rules: Rules) -> None:
        """Raises Refusal for one too many."""
        with self._lock:
            self.requests += 1
            now = time.monotonic()
            if rules.calls is not None and self.requests > rules.calls:
                raise Refusal(429, "PUBLIC_API_BILLING_LIMIT_EXCEEDED")
            while self._recent and self._recent[0] <= now - 1.0:
                self._recent.popleft()
            self._recent.append(now)
            if rules.rate is not None and len(self._recent) > rules.rate:
                self._until = max(self._until, now + rules.blocked)
            if now < self._until:
                self.refused += 1
                raise Refusal(429, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")
