"""What Google's refusals mean: one table, by HTTP status and by the reason that an answer or a job gives.

Their texts quote rows and queries: they are looked at here for fixed words, and never shown.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.http import Answer, Patience, by_status

NAME: Final = "bigquery"
TOMORROW: Final = timedelta(hours=1)  # a daily quota comes back little by little
Kind = Literal["wait", "quota", "rejected", "unauthorized"]

# https://cloud.google.com/bigquery/docs/error-messages, 2026-11
REASONS: Final[Mapping[str, tuple[Kind, str]]] = {
    "rateLimitExceeded": ("wait", "rate_limited"),
    "jobRateLimitExceeded": ("wait", "rate_limited"),
    "quotaExceeded": ("quota", "quota_exceeded"),
    "backendError": ("wait", "server_failed"),
    "jobBackendError": ("wait", "server_failed"),
    "internalError": ("wait", "server_failed"),
    "jobInternalError": ("wait", "server_failed"),
    "tableUnavailable": ("wait", "server_failed"),
    "resourceInUse": ("wait", "contention"),
    "stopped": ("wait", "stopped"),
    "timeout": ("wait", "timed_out"),
    "accessDenied": ("unauthorized", "forbidden"),
    "billingNotEnabled": ("unauthorized", "billing"),
    "billingTierLimitExceeded": ("unauthorized", "billing"),
    "blocked": ("unauthorized", "blocked"),
    "notFound": ("rejected", "not_found"),
    "duplicate": ("rejected", "duplicate"),
    "conditionNotMet": ("rejected", "changed_meanwhile"),
    "invalid": ("rejected", "invalid"),
    "invalidQuery": ("rejected", "invalid_query"),
    "parseError": ("rejected", "invalid_query"),
    "resourcesExceeded": ("rejected", "too_large"),
    "responseTooLarge": ("rejected", "too_large"),
}
PASSING: Final = (  # refusals of a statement that time puts right; Google gives them no reason of their own
    "due to concurrent update",
    "Too many DML statements outstanding",
    "streaming buffer",
)


class _Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class _Named(_Shape):
    reason: str = ""
    message: str = ""


class _Error(_Shape):
    errors: tuple[_Named, ...] = ()


class _Body(_Shape):
    error: _Error


_OBJECT: Final = TypeAdapter(dict[str, JsonValue])


def accepted(answer: Answer, patience: Patience) -> Answer:
    """The answer, if it is a proper one. Raises what it means otherwise."""
    if answer.status < 300:
        if answer.content and not _is_object(answer.content):
            raise Unknown("garbled", f"{NAME}: the answer is not what Google sends")
        return answer
    named = _named(answer.content)
    known = REASONS.get(named.reason)
    if answer.status >= 500 or answer.status in (401, 408, 429) or known is None:
        by_status(NAME, answer, patience)
    wait = answer.retry_after or timedelta(seconds=patience.back_off)
    raise failure(named.reason, named.message, wait=wait, where=answer.phrase)


def failure(reason: str, message: str, *, wait: timedelta | None, where: str) -> ConnectorError:
    """What a reason means. `message` is looked at for fixed words alone."""
    kind, code = REASONS.get(reason, ("rejected", "refused"))
    if kind == "rejected" and any(words in message for words in PASSING):
        kind, code = "wait", "contention"
    text = f"{NAME}: {where}: {code}"
    if kind == "wait":
        return Transient(code, text, wait=wait if code == "rate_limited" else None)
    if kind == "quota":
        return Transient(code, f"{text}; the rest waits for a later run", wait=TOMORROW)
    if kind == "unauthorized":
        return Unauthorized(code, f"{text}; see the service account's roles and the project's billing")
    return Rejected(code, text)


def _named(content: bytes) -> _Named:
    try:
        return next(iter(_Body.model_validate_json(content).error.errors), _Named())
    except ValidationError:
        return _Named()


def _is_object(content: bytes) -> bool:
    try:
        _OBJECT.validate_json(content)
    except ValidationError:
        return False
    return True
