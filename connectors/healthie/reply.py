"""What an answer of Healthie's means: data, or one of our errors. The one table of its failures.

Healthie answers errors with many statuses, 200 among them, so the body is read first. Messages of the
server's never pass: they may quote values.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

from pydantic import JsonValue
from pydantic_core import from_json

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer, Patience, by_status

Json = dict[str, JsonValue]

UPGRADE: Final = "set api_version to a date that Healthie has published and still serves"


@dataclass(frozen=True, slots=True)
class Fault:
    """One GraphQL error beside data: where, and Healthie's code for it."""

    path: tuple[str | int, ...]
    code: str


@dataclass(frozen=True, slots=True)
class Reply:
    """Data of an answer, with what is wrong at some of its places."""

    data: Json
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    clock: datetime | None = None

    def fault_of(self, alias: str) -> Fault | None:
        """The first fault at or below a root field."""
        return next((fault for fault in self.faults if fault.path[:1] == (alias,)), None)


_BY_MESSAGE: Final[Sequence[tuple[re.Pattern[str], str]]] = (
    (re.compile(r"too many requests", re.I), "TOO_MANY_REQUESTS"),
    (re.compile(r"query has complexity of", re.I), "TOO_COMPLEX"),
    (re.compile(r"query has depth of", re.I), "TOO_DEEP"),
    (re.compile(r"internal server error", re.I), "INTERNAL_SERVER_ERROR"),
    (re.compile(r"doesn'?t exist on type|type mismatch|cannot query field", re.I), "SCHEMA_DRIFT"),
    (re.compile(r"isn'?t defined in|doesn'?t accept argument|was provided invalid value", re.I), "BAD_INPUT"),
    (re.compile(r"not authori[sz]ed|access denied|permission", re.I), "FORBIDDEN"),
    (re.compile(r"not found|does not exist", re.I), "NOT_FOUND"),
)

FORBIDDEN: Final = frozenset({"FORBIDDEN", "NOT_AUTHORIZED", "UNAUTHORIZED", "ACCESS_DENIED", "RESTRICTED"})
_NO_LOGIN: Final = frozenset({"UNAUTHENTICATED", "AUTHENTICATION_ERROR", "INVALID_API_KEY"})
_VERSION: Final = frozenset({"UNSUPPORTED_API_VERSION", "MISSING_API_VERSION_HEADER"})
_SERVER: Final = frozenset({"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"})
UNNAMED: Final = "GRAPHQL_ERROR"
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,60}")


def reply(answer: Answer, patience: Patience, roots: Collection[str]) -> Reply:
    """The data of an answer.

    Raises Transient for too many requests, Unknown if nothing tells what happened, Unauthorized,
    and Rejected if Healthie refused the whole document. Errors beside data are left to the caller if
    they are at one of the document's `roots`; the server's own, and any other, make all of it unusable.
    """
    try:
        body: object = from_json(answer.content)
    except ValueError:
        body = None
    if not isinstance(body, dict) or not ("data" in body or "errors" in body):
        by_status("healthie", answer, patience)
        raise Unknown("not_graphql", f"healthie: {answer.phrase}, but no GraphQL answer")
    content = cast(Json, body)
    faults = tuple(_fault(error) for error in _rows(content.get("errors")))
    data = content.get("data")
    _refuse(faults, answer, patience, whole=not isinstance(data, dict))
    if not isinstance(data, dict):
        by_status("healthie", answer, patience)
        raise Unknown("no_data", f"healthie: {answer.phrase}, but no data")
    _refuse_unplaced(faults, roots)
    if answer.status >= 400 and not faults:
        by_status("healthie", answer, patience)
    return Reply(data, faults, _warnings(content), answer.clock)


def _refuse(faults: tuple[Fault, ...], answer: Answer, patience: Patience, *, whole: bool) -> None:
    """Raise what concerns the whole request, the most telling first."""
    codes = {fault.code for fault in faults}
    if "TOO_MANY_REQUESTS" in codes:
        wait = timedelta(seconds=patience.back_off) if answer.retry_after is None else answer.retry_after
        raise Transient("rate_limited", "healthie: 429 Too Many Requests", wait=wait)
    for code in sorted(codes & _VERSION):
        raise Rejected("api_version", f"healthie: {code}: {UPGRADE}")
    if codes & _NO_LOGIN:
        raise Unauthorized("unauthorized", "healthie: the API key is not accepted")
    for code in sorted(codes & _SERVER):
        raise Unknown(code.lower(), f"healthie: {code}")
    if whole and codes:
        if codes == {UNNAMED} or answer.status >= 500 or answer.status in (401, 408, 429):
            by_status("healthie", answer, patience)  # the status says more than a code that nobody knows
        raise whole_document(min(codes - {UNNAMED} or codes))


def _refuse_unplaced(faults: tuple[Fault, ...], roots: Collection[str]) -> None:
    """An error that names no place may be the reason for any null beside it."""
    for fault in faults:
        if not fault.path or fault.path[0] not in roots:
            raise Unknown("unplaced_error", f"healthie: {fault.code} at no place of the answer")


def whole_document(code: str) -> ConnectorError:
    """Our error for a code of Healthie's that refuses a whole document."""
    if code in FORBIDDEN:
        return Unauthorized("forbidden", f"healthie: {code}: the key's account lacks a permission")
    return Rejected(code.lower(), f"healthie: {code}")


def _fault(error: Mapping[str, JsonValue]) -> Fault:
    extensions = error.get("extensions")
    given = extensions.get("code") if isinstance(extensions, dict) else None
    path = error.get("path")
    steps = tuple(step for step in path if isinstance(step, (str, int))) if isinstance(path, list) else ()
    return Fault(steps, _code(given, error.get("message")))


def _code(given: JsonValue, message: JsonValue) -> str:
    if isinstance(given, str) and _CODE.fullmatch(given.upper()):
        return given.upper()
    text = message if isinstance(message, str) else ""
    return next((code for pattern, code in _BY_MESSAGE if pattern.search(text)), UNNAMED)


def _warnings(content: Json) -> tuple[str, ...]:
    extensions = content.get("extensions")
    listed = extensions.get("warnings") if isinstance(extensions, dict) else None
    codes = (row.get("code") for row in _rows(listed))
    return tuple(code for code in codes if isinstance(code, str) and _CODE.fullmatch(code))


def _rows(listed: JsonValue) -> list[Json]:
    return [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
