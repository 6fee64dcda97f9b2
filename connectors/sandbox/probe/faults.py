"""Faults on demand: scripted for the k-th request, or random by rate and seed."""

import random
from typing import Annotated, Literal

from pydantic import Field

from connectors.base import Settings

FaultName = Literal[
    "401",  # the token is refused, nothing applied
    "429",  # refused, nothing applied
    "500_before",  # nothing applied, but the client cannot know
    "502_after",  # applied
    "reset_before",  # a true RST, nothing applied
    "reset_after",  # applied
    "hang_after",  # applied, the answer comes late
    "truncated",  # applied, half of the answer
    "html",  # applied, 200 with a page in the place of JSON
    "one_refused",  # one item of the batch is refused, the others are applied
    "all_refused",  # every item is refused
]
TRANSPORT: tuple[FaultName, ...] = (
    "429", "500_before", "502_after", "reset_before", "reset_after", "hang_after", "truncated", "html",
)  # fmt: skip


class Scripted(Settings):
    """The `request`-th write from now on (the first is 1) meets `fault`."""

    request: Annotated[int, Field(ge=1)]
    fault: FaultName


class Faults(Settings):
    """What goes wrong. The same seed and the same order of requests give the same faults."""

    script: tuple[Scripted, ...] = ()
    rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    seed: int = 0
    kinds: tuple[FaultName, ...] = TRANSPORT  # of the random ones
    hang: Annotated[float, Field(ge=0, le=30)] = 5.0  # seconds
    retry_after: Annotated[int, Field(ge=0)] | None = None  # seconds, in the answer 429
    search_lag: Annotated[float, Field(ge=0, le=600)] = 0.0  # seconds until a new order is found
    window: Annotated[float, Field(gt=0)] = 86_400.0  # seconds that an idempotency key is honoured

    def at(self, request: int) -> FaultName | None:
        """The fault of the `request`-th write."""
        for scripted in self.script:
            if scripted.request == request:
                return scripted.fault
        chance = random.Random(f"{self.seed}:{request}")  # noqa: S311  # reproducible, not secret
        return chance.choice(self.kinds) if self.kinds and chance.random() < self.rate else None
