"""Models by their id.

Importing this takes over a second (three vendors' SDKs): an integration with a program does without.
"""

from types import TracebackType

import httpx2
from anthropic.lib.vertex import AsyncAnthropicVertex
from openai import AsyncOpenAI
from pydantic_ai.capabilities import BatchModelRequests
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.google_cloud import GoogleCloudProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from agent.access import Access, Batch
from agent.allowed import CLOUD
from agent.failures import CannotAsk
from agent.metered import Metered, Terms

COMPATIBLE, RESPONSES = "openai-compatible", "openai-responses"
SYSTEMS = (CLOUD, COMPATIBLE, RESPONSES)


def asked(model: str | Model, terms: Terms) -> Model:
    """The model as it is asked: bounded, counted, and one by one or in batches.

    Raises CannotAsk: it cannot be reached so, it has no batches, or it is named and not allowed.
    """
    if isinstance(model, str):
        if terms.allowed is None or terms.meter is None:
            raise CannotAsk(f"{model}: is not on the list of allowed models")
        if terms.allowed.price is None:
            raise CannotAsk(f"{model}: has no price, so no budget can hold")
        model = model_of(model, terms.access)
    if terms.batch:
        model = _in_batches(model, terms.batch)
    return Metered(model, terms)


def model_of(id_: str, access: Access) -> Model:
    """The model of an id: `openai-compatible:<name>`, `openai-responses:<name>`, or `google-cloud:<gemini or
    claude name>`. Raises CannotAsk if `access` lacks what it needs."""
    system, _, name = id_.partition(":")
    if system not in SYSTEMS or not name:
        raise CannotAsk(f"{id_}: is no model's id; there are: {', '.join(f'{one}:NAME' for one in SYSTEMS)}")
    if system == CLOUD:
        return _on_google_cloud(name, access)
    if not access.base_url:
        raise CannotAsk(f"{id_}: needs a base_url")
    # trust_env: a proxy from the environment is no part of what was approved.
    client = httpx2.AsyncClient(trust_env=False, timeout=access.request_timeout)
    provider = OpenAIProvider(
        openai_client=AsyncOpenAI(
            base_url=access.base_url,
            api_key=access.api_key.get_secret_value(),
            max_retries=0,
            http_client=client,
        )
    )
    kind = OpenAIChatModel if system == COMPATIBLE else OpenAIResponsesModel
    return _Closing(kind(name, provider=provider), client)


def _on_google_cloud(name: str, access: Access) -> Model:
    if not access.project or not access.location:
        # Without them an API key in the environment would win over the project's own credentials.
        raise CannotAsk(f"{CLOUD}:{name}: needs project and location")
    client = httpx2.AsyncClient(trust_env=False, timeout=access.request_timeout)
    where = access.base_url or _googles_own(access.location)
    if name.startswith("claude"):
        vertex = AsyncAnthropicVertex(
            project_id=access.project,
            region=access.location,
            base_url=f"{where}/v1",
            max_retries=0,
            http_client=client,
            open_telemetry=False,
        )
        return _Closing(AnthropicModel(name, provider=AnthropicProvider(anthropic_client=vertex)), client)
    provider = GoogleCloudProvider(
        project=access.project,
        location=access.location,
        base_url=where,
        http_client=client,
    )
    return _Closing(GoogleModel(name, provider=provider), client)


def _googles_own(location: str) -> str:
    """Google's address there. Where it is not named, its clients take one from the environment."""
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _in_batches(model: Model, batch: Batch) -> Model:
    """Raises CannotAsk if its provider has no batches that are reached so."""
    batching = BatchModelRequests(
        max_wait=batch.gather,
        poll_interval=batch.look_every,
        max_poll_interval=max(batch.look_every, BatchModelRequests.max_poll_interval),
    )
    try:
        wrapped = batching.get_wrapper_model(model)
    except UserError:
        raise CannotAsk(
            f"{model.model_id}: has no batches there; remove batch, or take another model"
        ) from None
    return _Closing(wrapped or model, batching)


class _Closing(WrapperModel):
    """A model that closes what it was given when it is left."""

    def __init__(self, wrapped: Model, opened: httpx2.AsyncClient | BatchModelRequests) -> None:
        super().__init__(wrapped)
        self._opened = opened

    async def __aenter__(self) -> "_Closing":
        if isinstance(self._opened, BatchModelRequests):
            await self._opened.__aenter__()
        await super().__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> bool | None:
        await self._opened.__aexit__(exc_type, exc_val, exc_tb)
        return await super().__aexit__(exc_type, exc_val, exc_tb)


def settings_of(terms: Terms) -> ModelSettings:
    """Settings of every request: as repeatable as the model can, bounded, and no retries but ours.

    A batch has no time-out and no retries of a request's own.
    """
    access = terms.access
    settings = ModelSettings(temperature=0.0, max_tokens=access.answer_tokens)
    if terms.batch is None:
        settings |= ModelSettings(request_timeout=access.request_timeout, max_retries=0)
    return settings
