"""The way to Google as one service account: gspread's client with our limits, errors and patience."""

import random
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Literal, TypeVar

import requests
from gspread.http_client import HTTPClient
from pydantic import TypeAdapter, ValidationError

from connectors.address import Reach
from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer, Limiter, Patience, as_transient, by_status, limiter_for
from connectors.sent import Sent
from connectors.sheets.answers import FAILED
from connectors.sheets.credentials import SheetsCredentials
from connectors.sheets.tokens import Tokens
from connectors.sheets.wire import answer_to, new_session

T = TypeVar("T")
Kind = Literal["read", "write", "drive"]
"""What Google counts apart."""

LONGEST_SILENCE: Final = 300.0  # seconds; quotas are per minute, more in a Retry-After is a mistake
FULL: Final = b"above the limit of 10000000 cells"  # UNVERIFIED: Google has no word for it but a sentence
TOO_FAST: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})  # Drive says so with a 403


class Google:
    """Requests to Sheets and Drive. Safe to use from several threads."""

    def __init__(self, credentials: SheetsCredentials, *, read_only: bool = False) -> None:
        self._patience = credentials.pace
        self._bases: Mapping[Kind, str] = {
            "read": credentials.url,
            "write": credentials.url,
            "drive": credentials.drive,
        }
        self._reach = Reach("sheets", credentials.url)
        self._limiters = _limiters(credentials)
        self.sent = Sent()
        self._session = new_session(self.sent)
        self._tokens = Tokens(credentials, self._session, read_only=read_only)
        self._client = _Client(self._session, read_only=read_only)
        self._client.set_timeout((self._patience.connect, self._patience.answer))

    def read(self, kind: Kind, method: str, path: str, shape: TypeAdapter[T], **sent: Any) -> T:
        """The answer to a request that changes nothing. Raises Transient, Rejected or Unauthorized."""
        attempt = 1
        while True:
            try:
                return self._once(kind, method, path, shape, **sent)
            except (Transient, Unknown) as trouble:
                wait = self._wait_after(trouble, attempt)
                if attempt >= self._patience.attempts or wait > self._patience.longest_wait:
                    raise as_transient(trouble, wait) from None
            attempt += 1
            time.sleep(wait)

    def write(self, path: str, shape: TypeAdapter[T], **sent: Any) -> T:
        """The answer to a request that changes something: it is sent once.

        Raises Transient (nothing was applied), Unknown, Rejected or Unauthorized.
        """
        return self._once("write", "post", path, shape, **sent)

    def close(self) -> None:
        self._session.close()

    def _once(self, kind: Kind, method: str, path: str, shape: TypeAdapter[T], **sent: Any) -> T:
        self._reach.sure()
        self._take_turn(self._limiters[kind])
        headers = {"Authorization": f"Bearer {self._token(self._limiters[kind])}"}
        url = self._bases[kind] + path
        answer = answer_to(lambda: self._client.request(method, url, headers=headers, **sent))
        trouble = trouble_of(answer, self._wait_of(answer))
        if isinstance(trouble, Transient) and trouble.wait is not None:
            self._limiters[kind].pause(trouble.wait.total_seconds())
        if trouble is not None:
            raise trouble
        try:
            return shape.validate_json(answer.content)
        except ValidationError:
            pass
        raise Unknown("garbled", "sheets: the answer is not what was agreed")

    def _token(self, limiter: Limiter) -> str:
        """The silence that is asked for where tokens are given is kept, too."""
        try:
            return self._tokens.token()
        except Transient as trouble:
            if trouble.wait is not None:
                limiter.pause(min(trouble.wait.total_seconds(), LONGEST_SILENCE))
            raise

    def _take_turn(self, limiter: Limiter) -> None:
        wait = limiter.turn(self._patience.longest_wait)
        if wait < 0:
            message = f"sheets: asked to stay away for {-wait:.0f} s more"
            raise Transient("rate_limited", message, wait=timedelta(seconds=-wait))
        time.sleep(wait)

    def _wait_of(self, answer: Answer) -> timedelta:
        """How long Google wants silence for. It says no number: a minute, and a bit more for some."""
        asked = answer.retry_after
        seconds = self._patience.back_off if asked is None else asked.total_seconds()
        seconds += random.uniform(0, seconds / 10)  # noqa: S311 - no secret
        return timedelta(seconds=min(seconds, LONGEST_SILENCE))

    def _wait_after(self, trouble: ConnectorError, attempt: int) -> float:
        """Seconds until a read is tried again. Where silence was asked for, the limiter keeps it."""
        if isinstance(trouble, Transient) and trouble.wait is not None:
            over = trouble.wait.total_seconds()
            return 0.0 if over <= self._patience.longest_wait else over
        longest = min(self._patience.first_wait * 2.0 ** (attempt - 1), self._patience.longest_wait)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


class _Client(HTTPClient):
    """gspread's, giving every answer back and following no redirect. What a status means is said below."""

    def __init__(self, session: requests.Session, *, read_only: bool) -> None:
        super().__init__(None, session)  # type: ignore[arg-type]  # unused beside a session
        self._plain = session
        self._read_only = read_only

    def request(self, method: str, endpoint: str, *given: Any, **named: Any) -> requests.Response:
        if self._read_only and method != "get":
            raise Denied("read_only", "sheets: this connection only reads; nothing was sent")
        sent = dict(zip(("params", "data", "json", "files", "headers"), given, strict=False)) | named
        return self._plain.request(method, endpoint, timeout=self.timeout, allow_redirects=False, **sent)


def _limiters(credentials: SheetsCredentials) -> Mapping[Kind, Limiter]:
    """The process's own for this account: Google counts by account, not by spreadsheet."""
    whose = f"{credentials.key.get('client_email')} at {credentials.url}"
    return {
        "read": limiter_for(f"sheets reads of {whose}", credentials.rate),
        "write": limiter_for(f"sheets writes of {whose}", credentials.rate),
        "drive": limiter_for(f"drive reads of {whose}", None),
    }


def trouble_of(answer: Answer, wait: timedelta) -> ConnectorError | None:
    """What Google's answer means. The one table of its statuses; None if it is a success."""
    if answer.status in (403, 429) and (answer.status == 429 or TOO_FAST & _reasons(answer)):
        return Transient("rate_limited", f"sheets: {answer.phrase}", wait=wait)
    if answer.status == 403 and "SERVICE_DISABLED" in _reasons(answer):
        todo = "switch on the Google Sheets and Drive APIs in the service account's project"
        return Unauthorized("service_disabled", f"sheets: {answer.phrase}; {todo}")
    if answer.status in (403, 404):
        todo = "share the spreadsheet with the service account, as an editor"
        return Unauthorized("unauthorized", f"sheets: {answer.phrase}; {todo}")
    if answer.status == 400 and FULL in answer.content:
        todo = "take rows or sheets that nobody needs out of it, or begin another one"
        return Rejected("spreadsheet_full", f"sheets: the spreadsheet has ten million cells; {todo}")
    try:
        by_status("sheets", answer, Patience())
    except ConnectorError as trouble:
        return trouble
    return None


def _reasons(answer: Answer) -> set[str]:
    """The words by which Google tells its refusals apart. They are its own, never a value."""
    try:
        error = FAILED.validate_json(answer.content).get("error", {})
    except ValidationError:
        return set()
    return {str(each.get("reason")) for each in (*error.get("errors", ()), *error.get("details", ()))}
