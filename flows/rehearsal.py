"""How a version is tried before it decides: what integration.yaml says of proofs, replay, shadow, staging."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from connectors.base import Settings
from flows.meanings import CONFIRMED
from flows.parameters import NAME, Name

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]
COMMIT = r"[0-9a-f]{40}"


class Proving(Settings):
    """What a model has to show before it is approved. A program answers every golden example right."""

    repeats: int = Field(default=8, ge=1, description="of each golden example")
    at_least: float = Field(
        default=0.9, ge=0, le=1, description="share of the examples that every repeat answers right"
    )


class Shadow(Settings):
    """A new version that decides beside this one and writes nothing: see ferry promote."""

    version: str = Field(
        default="next",
        pattern=f"{NAME}|^{COMMIT}$",
        description="a folder beside this file with the version's files, or all 40 digits of a commit of git",
    )
    runs: int = Field(default=10, ge=1, description="with something to decide; then it is to be promoted")

    @property
    def is_commit(self) -> bool:
        """Is it named by what is in it, so that nothing else can be meant tomorrow?"""
        return re.fullmatch(COMMIT, self.version) is not None


class Staging(Settings):
    """By which other connection a target is reached in staging: to read only, or an account for trials."""

    connection: Name = Field(description="a connection of tenant.yaml, such as one that may only read")
    sandbox: bool = Field(
        default=False,
        description="it is the vendor's account for trials (healthie, hubspot), written to; else only read",
    )
    confirmed: dict[str, Words] = Field(default_factory=dict[str, str], description=CONFIRMED)


KEPT_FOR = timedelta(days=30)
KeptFor = Annotated[
    timedelta,
    Field(
        ge=timedelta(),
        description="how long what was decided on is kept, sealed, for ferry replay; PT0S: not at all",
    ),
]
