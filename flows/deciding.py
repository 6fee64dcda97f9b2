"""Who decides an integration's entries, as its integration.yaml says."""

from collections.abc import Iterator
from typing import Self

from pydantic import Field, model_validator

from agent.access import PROGRAM, Batch
from agent.budget import Budgets
from agent.identifiers import NEVER_REVEALED
from agent.prompt import REVEALED, Privacy
from connectors.base import Settings
from connectors.entry import Category
from flows.parameters import Name

PRIVACY = "handles: identifiers never leave; shown: a model sees what is revealed, identifiers too"
BATCH = "through the provider's batches, for daily and weekly runs: cheaper, answered within a day"


class Deciding(Settings):
    """Who decides. by: "program", or the id of a model that models.yaml allows."""

    by: str = Field(default=PROGRAM, description="program, or a model of models.yaml: google-cloud:…")
    judge: str = Field(default="", description="the model that a program's `judge` asks; none: a person")
    fallback: str = Field(default="", description="the model that decides where the other does not answer")
    connection: Name | None = Field(default=None, description="where a model is reached")
    lookups: tuple[str, ...] = Field(default=(), description="full names of lookups that a model may use")
    privacy: Privacy = Field(default="handles", description=PRIVACY)
    reveal: tuple[Category, ...] = Field(default=REVEALED, description="values a model may see")
    budget: Budgets = Field(default=Budgets(), description="the most that models may be asked")
    batch: Batch | None = Field(default=None, description=BATCH)

    @model_validator(mode="after")
    def _identifiers_stay(self) -> Self:
        for category in self._too_much():
            raise ValueError(
                f"reveal names {category}, which holds identifiers; remove it, or write privacy: shown"
            )
        return self

    @property
    def asked(self) -> str:
        """The model that is asked, by its id: to decide, or to judge for a program. "" if none is."""
        return self.judge if self.by == PROGRAM else self.by

    def models(self) -> dict[str, str]:
        """Every model that may be asked, by the key that names it."""
        named = {"by": self.by if self.by != PROGRAM else "", "judge": self.judge, "fallback": self.fallback}
        return {key: id_ for key, id_ in named.items() if id_}

    def _too_much(self) -> Iterator[Category]:
        if self.privacy == "handles":
            yield from (category for category in self.reveal if category in NEVER_REVEALED)
