"""What HubSpot's refusals mean: one table for requests, and one for the single inputs of a batch."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer
from connectors.hubspot.wire import Trouble

LOCKED, MIGRATING = 423, 477  # HubSpot's own: busy with many changes; moving to another data centre
WAITS: Final[Mapping[str, timedelta]] = {
    "TEN_SECONDLY_ROLLING": timedelta(seconds=10),
    "SECONDLY": timedelta(seconds=1),
}
CODES: Final[Mapping[str, str]] = {  # HubSpot's words for one value
    "INVALID_EMAIL": "invalid_email",
    "INVALID_OPTION": "unknown_option",
    "INVALID_INTEGER": "invalid_value",
    "INVALID_DATE": "invalid_value",
    "INVALID_STRING_TOO_LONG": "too_long",
    "READ_ONLY_VALUE": "read_only",
    "PROPERTY_DOESNT_EXIST": "schema_drift",
    "REQUIRED_PROPERTY": "required_property",
}
CATEGORIES: Final[Mapping[str, str]] = {
    "CONFLICT": "conflict",
    "OBJECT_ALREADY_EXISTS": "conflict",
    "OBJECT_NOT_FOUND": "no_record",
    "VALIDATION_ERROR": "invalid_value",
}


_SCOPE: Final = re.compile(r"[a-z0-9_.-]{1,80}")


class MissingScopes(Unauthorized):
    """The token is valid and too narrow. `scopes`: those that lack, as HubSpot names them."""

    def __init__(self, scopes: Sequence[str], message: str) -> None:
        super().__init__("missing_scopes", message)
        self.scopes = tuple(scopes)


def trouble_of(answer: Answer) -> Trouble:
    """HubSpot's account of what is wrong; an empty one where it gave none."""
    try:
        return Trouble.model_validate_json(answer.content)
    except ValidationError:
        return Trouble()


def check(answer: Answer, *, back_off: float, zone: str) -> None:
    """Raises for a status that is no success. The one table from HubSpot's statuses to our errors.

    Args:
        back_off: seconds of silence where HubSpot does not say how long.
        zone: the portal's: its day ends the daily limit.
    """
    if answer.status < 300:
        return
    error = _error(answer, back_off, zone)
    raise error


def _error(answer: Answer, back_off: float, zone: str) -> ConnectorError:
    message = f"hubspot: {answer.phrase}"
    if answer.status == 429:
        return _limited(answer, message, back_off, zone)
    if answer.status in (LOCKED, MIGRATING):
        wait = answer.retry_after or timedelta(seconds=max(2.0, back_off))
        return Transient(f"http_{answer.status}", message, wait=wait)
    if answer.status in (401, 403):
        return _unauthorized(answer, message)
    if answer.status >= 500 or answer.status == 408:
        return Unknown(f"http_{answer.status}", message)
    if answer.status < 400:
        return Rejected(f"http_{answer.status}", f"{message}: redirects are not followed")
    return Rejected(code_of(trouble_of(answer), f"http_{answer.status}"), message)


def code_of(trouble: Trouble, otherwise: str = "refused") -> str:
    """Our code for what was refused: by the value's fault if it is told, else by its kind."""
    for theirs, ours in CODES.items():
        if theirs in trouble.codes:
            return ours
    return CATEGORIES.get(trouble.category, otherwise)


def _limited(answer: Answer, message: str, back_off: float, zone: str) -> Transient:
    """Too many requests: of the day, of ten seconds, or of the second."""
    policy = trouble_of(answer).policy_name
    if policy == "DAILY":
        until = _until_midnight(zone)
        return Transient("daily_limit", f"{message}: the portal's requests of today are used up", wait=until)
    wait = answer.retry_after
    if wait is None:
        wait = WAITS.get(policy, timedelta(seconds=back_off))
    return Transient("rate_limited", message, wait=wait)


def _unauthorized(answer: Answer, message: str) -> Unauthorized:
    trouble = trouble_of(answer)
    if trouble.category == "MISSING_SCOPES":
        scopes = sorted({scope for scope in trouble.named("missingScopes") if _SCOPE.fullmatch(scope)})
        return MissingScopes(
            scopes, f"{message}: the token lacks {', '.join(scopes) or 'a scope'}; add it in HubSpot"
        )
    return Unauthorized("unauthorized", message)


def _until_midnight(zone: str) -> timedelta:
    try:
        local = datetime.now(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        local = datetime.now(UTC)
    following = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return following.astimezone(UTC) - local.astimezone(UTC)
