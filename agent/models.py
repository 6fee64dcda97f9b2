"""Models by their id, and the one place where a model request is counted, bounded and tried again.

Importing this takes over a second (three vendors' SDKs): an integration with a program does without.
"""

import asyncio
from types import TracebackType

import httpx2
from anthropic.lib.vertex import AsyncAnthropicVertex
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelRateLimitError,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, infer_model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google_cloud import GoogleCloudProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from agent.access import Access
from agent.case import count_request
from agent.failures import ModelTruncated

ATTEMPTS = 3  # of one model request, in all
WAIT = 1.0  # seconds before the second attempt, doubled before the third
WAIT_AT_MOST = 20.0  # seconds; an endpoint that asks for more is unavailable for now
PASSING = (ModelRateLimitError, ModelUnavailableError, ModelServerError, ModelConnectionError)


def model_of(id_: str, access: Access) -> Model:
    """The model of an id: `openai-compatible:<name>`, `google-cloud:<gemini or claude name>`, or any id
    that pydantic-ai knows. Raises ValueError if `access` lacks what it needs."""
    system, _, name = id_.partition(":")
    if system == "openai-compatible":
        return _openai_compatible(name, access)
    if system == "google-cloud":
        if not access.project or not access.location:
            # Without them an API key in the environment would win over the project's own credentials.
            raise ValueError(f"{id_}: needs project and location")
        if name.startswith("claude"):
            client = AsyncAnthropicVertex(project_id=access.project, region=access.location, max_retries=0)
            return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))
        provider = GoogleCloudProvider(project=access.project, location=access.location)
        return GoogleModel(name, provider=provider)
    try:
        return infer_model(id_)
    except UserError as error:
        raise ValueError(f"{id_}: {error}") from None


def _openai_compatible(name: str, access: Access) -> Model:
    if not name or not access.base_url:
        raise ValueError("openai-compatible: needs a model's name and a base_url")
    # trust_env: a proxy from the environment is no part of what was approved.
    client = httpx2.AsyncClient(trust_env=False, timeout=access.request_timeout)
    provider = OpenAIProvider(
        base_url=access.base_url, api_key=access.api_key.get_secret_value(), http_client=client
    )
    return _Owning(OpenAIChatModel(name, provider=provider), client)


class _Owning(WrapperModel):
    """A model that closes the HTTP client it was given."""

    def __init__(self, wrapped: Model, client: httpx2.AsyncClient) -> None:
        super().__init__(wrapped)
        self._client = client

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        await self._client.aclose()
        return await super().__aexit__(exc_type, exc_val, exc_tb)


def settings_of(access: Access) -> ModelSettings:
    """Settings of every request: as repeatable as the model can, bounded, and no retries but ours."""
    return ModelSettings(
        temperature=0.0,
        max_tokens=access.answer_tokens,
        request_timeout=access.request_timeout,
        max_retries=0,
    )


class Counted(WrapperModel):
    """A model whose every network request is counted, and tried again where time may help."""

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        for attempt in range(1, ATTEMPTS + 1):
            count_request()
            try:
                response = await super().request(messages, model_settings, model_request_parameters)
            except PASSING as error:
                wait = _wait(error, attempt)
                if wait is None:
                    raise
                await asyncio.sleep(wait)
                continue
            if response.finish_reason == "length":
                raise ModelTruncated("model: the answer ended at its token limit")
            return response
        raise AssertionError("unreachable: the last attempt returns or raises")


def _wait(error: ModelAPIError, attempt: int) -> float | None:
    """Seconds until the next attempt, None if there is to be none."""
    if attempt >= ATTEMPTS or isinstance(error, ModelTimeoutError):
        return None  # after a time-out the request may still be running, and cost, over there
    wait = error.retry_after if error.retry_after is not None else WAIT * 2 ** (attempt - 1)
    return wait if wait <= WAIT_AT_MOST else None
