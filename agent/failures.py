"""What can go wrong while deciding, as codes. No exception's text gets past here: it may hold an entry's."""

from asyncio import CancelledError
from collections.abc import Mapping
from enum import StrEnum

from pydantic_ai import exceptions as pydantic_ai

from agent.budget import BudgetReached
from agent.plan import Plan, Refused
from agent.program import ProgramCode, ProgramFailed
from connectors.errors import ConnectorError, Transient, Unknown


class Code(StrEnum):
    """Why nothing was decided. Closed; with ProgramCode and the gate's Code, all that Refused may say."""

    MODEL_UNAVAILABLE = "model_unavailable"  # unreachable, overloaded, rate limited, 5xx
    MODEL_TIMEOUT = "model_timeout"
    MODEL_QUOTA = "model_quota"  # the account's money or quota is used up
    MODEL_UNAUTHORIZED = "model_unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    MODEL_REJECTED = "model_rejected"  # the endpoint refuses the request as it is
    MODEL_REFUSED = "model_refused"  # the model will not, or a filter stopped it
    MODEL_TRUNCATED = "model_truncated"
    MODEL_OUTPUT_INVALID = "model_output_invalid"  # no acceptable plan within the retries
    MODEL_DIFFERS = "model_differs"  # it is another one than the list allows: the run stops
    BUDGET_REACHED = "budget_reached"  # `where`: of the run, or of the day
    LIMIT_EXCEEDED = "limit_exceeded"  # requests, tool calls or tokens of one decision
    LOOKUP_UNAVAILABLE = "lookup_unavailable"
    LOOKUP_FAILED = "lookup_failed"
    INTERRUPTED = "interrupted"
    UNEXPECTED = "unexpected"  # `where` is the exception's type


class CannotAsk(ValueError):
    """A model may not be asked, or cannot be reached so. One line."""


class ModelDiffers(pydantic_ai.AgentRunError):
    """The answer names another model than the one that is allowed, or none."""


class ModelTruncated(pydantic_ai.AgentRunError):
    """The answer ended at the token limit: whatever it says is not all of it."""


TRANSIENT = frozenset(
    {
        Code.MODEL_UNAVAILABLE,
        Code.MODEL_TIMEOUT,
        Code.MODEL_QUOTA,
        Code.MODEL_UNAUTHORIZED,
        Code.MODEL_NOT_FOUND,
        Code.MODEL_DIFFERS,
        Code.BUDGET_REACHED,
        Code.LOOKUP_UNAVAILABLE,
        Code.INTERRUPTED,
        ProgramCode.CRASHED,
    }
)
"""Codes that say nothing about the entry: the next run may well decide it."""

NO_ANSWER = frozenset({Code.MODEL_UNAVAILABLE, Code.MODEL_TIMEOUT, Code.MODEL_QUOTA})
"""Codes of a model that may be asked and does not answer now: another one may decide in its place.

Not where nothing may be asked (a budget, another version, an end), nor where a person has to see to the first
one: a key that is refused or a model that is gone would else go unseen for as long as the other one answers.
"""

KINDS: Mapping[type[BaseException], Code] = {
    # The first that fits counts: the more particular stand before the more general.
    pydantic_ai.ModelQuotaExceededError: Code.MODEL_QUOTA,
    pydantic_ai.ModelAuthenticationError: Code.MODEL_UNAUTHORIZED,
    pydantic_ai.ModelNotFoundError: Code.MODEL_NOT_FOUND,
    pydantic_ai.ModelRequestRejectedError: Code.MODEL_REJECTED,
    pydantic_ai.ModelRequestTimeout: Code.MODEL_TIMEOUT,
    pydantic_ai.ModelTimeoutError: Code.MODEL_TIMEOUT,
    pydantic_ai.RunTimedOut: Code.MODEL_TIMEOUT,
    pydantic_ai.RunCancelled: Code.INTERRUPTED,
    pydantic_ai.ModelAPIError: Code.MODEL_UNAVAILABLE,
    pydantic_ai.ContentFilterError: Code.MODEL_REFUSED,
    pydantic_ai.IncompleteToolCall: Code.MODEL_TRUNCATED,
    ModelTruncated: Code.MODEL_TRUNCATED,
    ModelDiffers: Code.MODEL_DIFFERS,
    pydantic_ai.UnexpectedModelBehavior: Code.MODEL_OUTPUT_INVALID,
    pydantic_ai.UsageLimitExceeded: Code.LIMIT_EXCEEDED,
    pydantic_ai.ConcurrencyLimitExceeded: Code.LIMIT_EXCEEDED,
    Transient: Code.LOOKUP_UNAVAILABLE,
    Unknown: Code.LOOKUP_UNAVAILABLE,
    ConnectorError: Code.LOOKUP_FAILED,
    CancelledError: Code.INTERRUPTED,
}


def refusal(error: BaseException) -> Refused:
    """The code of what was raised while deciding. Total: there is a code for everything."""
    if isinstance(error, ProgramFailed):
        return Refused(code=error.code.value, where=f"line {error.line}" if error.line else "")
    if isinstance(error, BudgetReached):
        return Refused(code=Code.BUDGET_REACHED.value, where=error.scope)
    for kind, code in KINDS.items():
        if isinstance(error, kind):
            return Refused(code=code.value)
    return Refused(code=Code.UNEXPECTED.value, where=type(error).__name__)


def is_transient(outcome: Plan | Refused) -> bool:
    """Whether a later run may decide this entry although nothing changed."""
    return isinstance(outcome, Refused) and outcome.code in TRANSIENT


def is_without_answer(outcome: Plan | Refused, *, batched: bool) -> bool:
    """Whether another model may decide in its place. A batch that is late is worked on, and paid for."""
    if not isinstance(outcome, Refused) or outcome.code not in NO_ANSWER:
        return False
    return not (batched and outcome.code == Code.MODEL_TIMEOUT)
