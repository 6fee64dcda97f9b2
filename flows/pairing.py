"""Two integrations that carry the same records, one there and one back: what their files say of it."""

from typing import Literal

from pydantic import Field

from connectors.base import Settings
from flows.parameters import Name

NEWEST: Literal["newest"] = "newest"
PERSON: Literal["person"] = "person"

OWNER = (
    "who has the last word, where it goes both ways: the connection of one of the two sources, or newest "
    "(the entry that was changed last), or person (a person looks where both were edited)"
)


class Pairing(Settings):
    """The integration that carries the same records the other way."""

    with_: Name = Field(alias="with", description="the tenant's other integration, which names this one")
    target: Name = Field(description="of the targets, the one that the other integration reads")
    changed: str = Field(description="the field of the source that says when an entry was changed last")
    identity: str = Field(
        default="",
        description="the field of the source that holds the other's id: the unique one that the other writes",
    )
