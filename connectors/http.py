"""One HTTP client for all connectors: time limits, bounded retries, a shared limiter, error mapping.

No message holds a body, a URL or a header. Proxies and certificates of the environment are not used.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, TypeVar

import httpx

from connectors.address import Reach
from connectors.base import Settings
from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.sent import Sent
from connectors.turns import Turns, turns_of

T = TypeVar("T")

LONGEST_ASKED: Final = timedelta(days=1)  # a source that asks for more is mistaken: it is asked again then
LARGEST_BODY: Final = 64 * 1024 * 1024  # bytes; more is a mistake on either side


class Patience(Settings):
    """How long a connector waits by itself. What takes longer is the flow's to wait for."""

    attempts: int = 4  # of one repeatable request
    first_wait: float = 0.5  # seconds, doubled at each attempt, with jitter
    longest_wait: float = 90.0  # seconds of one wait
    back_off: float = 60.0  # seconds of silence after "too many requests" without a Retry-After
    connect: float = 10.0  # seconds to reach the system
    answer: float = 60.0  # seconds for a whole answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def clock(self) -> datetime | None:
        """The source's own clock when it answered (UTC), None if it did not say."""
        return _http_date(self.headers.get("date", ""))

    @property
    def retry_after(self) -> timedelta | None:
        """How long the source asks us to stay away."""
        return asked_wait(self.headers.get("retry-after", ""), self.clock)

    @property
    def phrase(self) -> str:
        """`429 Too Many Requests`: the standard words, never the server's own."""
        try:
            return f"{self.status} {HTTPStatus(self.status).phrase}"
        except ValueError:
            return str(self.status)


class Limiter:
    """At most `rate` requests a second, evenly spaced, over all who take these turns. None: pauses alone."""

    def __init__(self, rate: float | None, turns: Turns | None = None) -> None:
        self._gap = 0.0 if rate is None else 1.0 / rate  # seconds
        self._turns = turns or Turns()

    def turn(self, longest: float) -> float:
        """Take the next turn and return the seconds until it, or -wait if that exceeds `longest`."""
        with self._turns as turns:
            now = time.monotonic()
            at = max(now, turns.next)
            if at - now > longest:
                return now - at
            turns.next = at + self._gap
            return at - now

    def pause(self, seconds: float) -> None:
        """Nobody sends for so long: the source asked for silence."""
        with self._turns as turns:
            turns.next = max(turns.next, time.monotonic() + seconds)


def limiter_for(place: str, rate: float | None) -> Limiter:
    """A limiter whose turns are those of everybody on this machine who speaks to this place."""
    return Limiter(rate, turns_of(place))


class Http:
    """A connector's way to its system. Safe to use from several threads."""

    def __init__(
        self, name: str, *, limiter: Limiter, patience: Patience, auth: httpx.Auth | None = None
    ) -> None:
        self._name = name
        self._limiter = limiter
        self._patience = patience
        self._sent = Sent()
        self._reaches: dict[tuple[str, str, int | None], Reach] = {}
        self._lock = threading.Lock()
        self._client = httpx.Client(
            auth=auth,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(patience.answer, connect=patience.connect),
        )

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._sent.number

    def send(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool,
        accept: Callable[[Answer], T],
    ) -> T:
        """Send a request and return what `accept` makes of the answer.

        `accept` raises Transient (not applied), Unknown (no proper answer), Rejected or Unauthorized.
        A repeatable request changes nothing at the other side: its Transient and Unknown are tried
        again, a few times, and end as Transient. Any other request is sent once.
        """
        request = self._client.build_request(method, url, content=content, headers=headers)
        attempt = 1
        while True:
            self._wait_for_turn()
            try:
                return accept(self._exchange(request))
            except (Transient, Unknown) as trouble:
                asked = self._asked_wait(trouble)
                if not repeatable:
                    raise
                wait = asked if asked is not None else self._jittered(attempt)
                if attempt >= self._patience.attempts or wait > self._patience.longest_wait:
                    raise as_transient(trouble, wait) from trouble
            attempt += 1
            if asked is None:  # else the limiter holds everybody back
                time.sleep(wait)

    def close(self) -> None:
        self._client.close()

    def _asked_wait(self, trouble: ConnectorError) -> float | None:
        """Seconds the source wants silence for; the whole process keeps it."""
        if not isinstance(trouble, Transient) or trouble.wait is None:
            return None
        seconds = trouble.wait.total_seconds()
        self._limiter.pause(seconds)
        return seconds

    def _jittered(self, attempt: int) -> float:
        longest = min(self._patience.first_wait * 2.0 ** (attempt - 1), self._patience.longest_wait)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret

    def _wait_for_turn(self) -> None:
        wait = self._limiter.turn(self._patience.longest_wait)
        if wait < 0:
            message = f"{self._name}: asked to stay away for {-wait:.0f} s more"
            raise Transient("rate_limited", message, wait=timedelta(seconds=-wait))
        time.sleep(wait)

    def _exchange(self, request: httpx.Request) -> Answer:
        self._reach(request.url).sure()
        self._sent.one()
        try:
            response = self._client.send(request, stream=True)
            try:
                content = self._body(response)
            finally:
                response.close()
            return Answer(response.status_code, response.headers, content)
        except httpx.RequestError as error:
            trouble = _trouble_of(error, self._name)
        raise trouble  # outside of the `except`: httpx's error holds the request

    def _reach(self, url: httpx.URL) -> Reach:
        place = (url.scheme, url.host, url.port)
        with self._lock:
            if place not in self._reaches:
                self._reaches[place] = Reach(self._name, str(url.copy_with(raw_path=b"/")))
            return self._reaches[place]

    def _body(self, response: httpx.Response) -> bytes:
        """The whole body. A trickle that never ends is cut off, which per-read time-outs do not do."""
        until = time.monotonic() + self._patience.answer
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            chunks.append(chunk)
            size += len(chunk)
            if size > LARGEST_BODY:
                raise Unknown("too_large", f"{self._name}: the answer is too large")
            if time.monotonic() > until:
                raise Unknown("timeout", f"{self._name}: no whole answer in time")
        return b"".join(chunks)


def _trouble_of(error: httpx.RequestError, name: str) -> ConnectorError:
    """What a request that got no answer means."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return Transient("unreachable", f"{name}: no connection")
    if isinstance(error, httpx.TimeoutException):
        return Unknown("timeout", f"{name}: no answer in time")
    if isinstance(error, httpx.DecodingError):
        return Unknown("garbled", f"{name}: the answer could not be decoded")
    return Unknown("cut_off", f"{name}: the connection broke before the answer")


def by_status(name: str, answer: Answer, patience: Patience) -> None:
    """The one table from HTTP statuses to our errors. Returns for statuses below 400."""
    message = f"{name}: {answer.phrase}"
    if answer.status == 429:
        asked = answer.retry_after
        wait = timedelta(seconds=patience.back_off) if asked is None else asked
        raise Transient("rate_limited", message, wait=wait)
    if answer.status in {401, 403}:
        raise Unauthorized("unauthorized", message)
    if answer.status >= 500 or answer.status == 408:
        raise Unknown(f"http_{answer.status}", message)
    if answer.status >= 300:
        raise Rejected(f"http_{answer.status}", message)


def asked_wait(retry_after: str, clock: datetime | None = None) -> timedelta | None:
    """How long a Retry-After asks us to stay away, seconds or a date; None if it says nothing sound.

    clock: the source's own, which a date is of.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return min(timedelta(seconds=int(text[:9])), LONGEST_ASKED)
    until = _http_date(text)
    return (
        None if until is None else min(max(until - (clock or datetime.now(UTC)), timedelta()), LONGEST_ASKED)
    )


def as_transient(trouble: ConnectorError, wait: float) -> Transient:
    """A read that got no answer: nothing was applied, so time puts it right."""
    return Transient(trouble.code, str(trouble), wait=timedelta(seconds=wait))


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
