"""The one place where a model request is counted, paid for, bounded and tried again."""

import asyncio
import json
from dataclasses import dataclass, field

from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelHTTPError,
    ModelRateLimitError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
)
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.usage import RequestUsage

from agent.access import Access, Batch
from agent.allowed import Allowed, Price
from agent.budget import Meter, Use
from agent.case import count_request
from agent.failures import ModelDiffers, ModelTruncated

ATTEMPTS = 3  # of one model request, in all
WAIT = 1.0  # seconds before the second attempt, doubled before the third
WAIT_AT_MOST = 20.0  # seconds; an endpoint that asks for more is unavailable for now
PASSING = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)
AROUND = 2_000  # tokens, at most, that a provider's own form adds to what is sent


@dataclass(frozen=True, slots=True)
class Terms:
    """How a model is reached, as what it is allowed, who counts what it costs, and whether in batches.

    Without `allowed` and `meter` nothing is held against a list or a budget: for a Model of the caller's own.
    """

    access: Access = field(default_factory=Access)
    allowed: Allowed | None = None
    meter: Meter | None = None
    batch: Batch | None = None


class Metered(WrapperModel):
    """A model whose every network request is counted, and tried again where time may help.

    A request leaves only if the most that it can cost fits into the budgets; and once an answer
    names another model than the allowed one, no further request leaves at all.
    """

    def __init__(self, wrapped: Model, terms: Terms) -> None:
        super().__init__(wrapped)
        self._terms = terms
        self._waiting: dict[str, Use] = {}  # what is set aside for requests that wait for their batch
        self._differs = False

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        batched = _batched(messages[-1]) if messages else None
        for attempt in range(1, ATTEMPTS + 1):
            if batched is None:
                most = await self._reserve(messages, model_settings, model_request_parameters)
            else:  # asks whether the answer is there: no new request
                most = self._waiting.get(batched, Use())
            try:
                response = await super().request(messages, model_settings, model_request_parameters)
            except ModelAPIError as error:
                # Refused, so not billed. Of a batch only the look was: the request itself is being worked on.
                if isinstance(error, ModelHTTPError) and batched is None:
                    await self._settle(most, Use(requests=most.requests))
                wait = None if batched else _wait(error, attempt)
                if wait is None:
                    raise
                await asyncio.sleep(wait)
                continue
            if batched is not None:
                self._waiting.pop(batched, None)
            return await self._answered(response, most)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _answered(self, response: ModelResponse, most: Use) -> ModelResponse:
        waits = _batched(response)
        if waits is not None:
            self._waiting[waits] = most
            return response
        await self._settle(most, self._used(response.usage, most))
        if self._terms.allowed and response.model_name != self._terms.allowed.version:
            self._differs = True
            raise ModelDiffers("model: the answer is another model's than the one that was allowed")
        if response.finish_reason == "length":
            raise ModelTruncated("model: the answer ended at its token limit")
        return response

    async def _reserve(
        self, messages: list[ModelMessage], settings: ModelSettings | None, parameters: ModelRequestParameters
    ) -> Use:
        """What the request can use at most, set aside. Raises BudgetReached, ModelDiffers."""
        if self._differs:
            raise ModelDiffers("model: an earlier answer was another model's than the one that was allowed")
        if self._terms.meter is None:
            count_request()
            return Use(requests=1)
        sent = _size(messages, parameters)
        answered = (settings or {}).get("max_tokens") or 0
        most = Use(requests=1, tokens=sent + answered, micro_usd=self._cost_at_most(sent, answered))
        await asyncio.to_thread(self._terms.meter.reserve, most)
        count_request()
        return most

    async def _settle(self, most: Use, actual: Use) -> None:
        if self._terms.meter and most != actual:
            await asyncio.to_thread(self._terms.meter.settle, most, actual)

    def _used(self, usage: RequestUsage, most: Use) -> Use:
        """What an answer says it used. One that does not say counts as the most that it can have been."""
        if not usage.input_tokens or not usage.output_tokens:
            return most
        cost = self._cost(usage)
        tokens = usage.input_tokens + usage.output_tokens
        return Use(requests=most.requests, tokens=tokens, micro_usd=cost)

    def _cost(self, usage: RequestUsage) -> int:
        if self._price is None:
            return 0
        return self._price.micro(
            input_=usage.input_tokens,
            cached=usage.cache_read_tokens,
            written=usage.cache_write_tokens,
            output=usage.output_tokens,
            batched=self._terms.batch is not None,
        )

    def _cost_at_most(self, sent: int, answered: int) -> int:
        if self._price is None:
            return 0
        return self._price.at_most(input_=sent, output=answered, batched=self._terms.batch is not None)

    @property
    def _price(self) -> Price | None:
        """A model that is allowed has one."""
        return self._terms.allowed.price if self._terms.allowed else None


def _size(messages: list[ModelMessage], parameters: ModelRequestParameters) -> int:
    """Tokens that a request can have at most: none is shorter than a byte."""
    tools = [*parameters.function_tools, *parameters.output_tools]
    declared = sum(
        len(json.dumps(tool.parameters_json_schema)) + len(tool.description or "") for tool in tools
    )
    return len(ModelMessagesTypeAdapter.dump_json(messages)) + declared + AROUND


def _batched(message: ModelMessage) -> str | None:
    """The name of the request in its batch, if this stands for an answer that is not there yet."""
    if isinstance(message, ModelResponse) and message.state == "suspended":
        return message.provider_response_id
    return None


def _wait(error: ModelAPIError, attempt: int) -> float | None:
    """Seconds until the next attempt, None if there is to be none."""
    if attempt >= ATTEMPTS or not isinstance(error, PASSING) or isinstance(error, ModelTimeoutError):
        return None  # after a time-out the request may still be running, and cost, over there
    wait = error.retry_after if error.retry_after is not None else WAIT * 2 ** (attempt - 1)
    return wait if wait <= WAIT_AT_MOST else None
