"""What HubSpot answers, as models. Required means required; what is not relied on has a default."""

from collections.abc import Mapping
from typing import Final, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """Base of the answers: unknown fields are kept, and values stay out of errors."""

    model_config = ConfigDict(
        extra="allow", frozen=True, hide_input_in_errors=True, alias_generator=to_camel, populate_by_name=True
    )


Shape = TypeVar("Shape", bound=Wire)


class Details(Wire):
    """The portal."""

    portal_id: int
    account_type: str = ""  # STANDARD, SANDBOX, DEVELOPER_TEST, APP_DEVELOPER
    time_zone: str = "UTC"


class Stored(Wire):
    """One record: its id, and its values as text."""

    id: str
    properties: dict[str, str | None]
    updated_at: str | None = None
    archived_at: str | None = None
    object_write_trace_id: str | None = None


class Told(Wire):
    """A part of an error. HubSpot promises none of its fields: each may lack, or be null."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        told = cast(dict[str, object], given)
        return {name: value for name, value in told.items() if value is not None}


class Trouble(Told):
    """What was refused; its words are never shown."""

    category: str = ""
    policy_name: str = ""
    context: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    errors: tuple["Detail", ...] = ()

    def named(self, what: str) -> list[str]:
        """What the context names under this word."""
        found = self.context.get(what)
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    @property
    def codes(self) -> frozenset[str]:
        """HubSpot's own words for what is wrong, in its details."""
        return frozenset(detail.code for detail in self.errors)


class Detail(Told):
    code: str = ""


class Batch(Wire):
    """The answer to a batch, a 207's errors included."""

    results: tuple[Stored, ...]
    errors: tuple[Trouble, ...] = ()


class Next(Wire):
    after: str


class Paging(Wire):
    next: Next | None = None


class Listing(Wire):
    """One page of records. `total` is a search's."""

    results: tuple[Stored, ...]
    total: int | None = None
    paging: Paging | None = None

    @property
    def after(self) -> str | None:
        return self.paging.next.after if self.paging and self.paging.next else None


class Option(Wire):
    value: str


class Modification(Wire):
    read_only_value: bool = False


PLAIN: Final = "non_sensitive"


class Property(Wire):
    """One property of an object type."""

    name: str
    type: str
    field_type: str = ""
    has_unique_value: bool = False
    data_sensitivity: str = PLAIN
    external_options: bool = False  # its values are records of another kind: an owner
    options: tuple[Option, ...] = ()
    modification_metadata: Modification = Modification()


class Properties(Wire):
    results: tuple[Property, ...]


class Group(Wire):
    name: str


class Groups(Wire):
    results: tuple[Group, ...]


class Defined(Wire):
    """The answer to new properties."""

    results: tuple[Property, ...] = ()
    errors: tuple[Trouble, ...] = ()


class Ends(Wire):
    id: str


class Linked(Wire):
    from_: Ends = Field(alias="from")
    to: Ends


class Links(Wire):
    """The answer to new associations."""

    results: tuple[Linked, ...]
    errors: tuple[Trouble, ...] = ()


class Members(Wire):
    """The answer to new members of a list, or to fewer."""

    record_ids_missing: tuple[str, ...] = ()


class ListHead(Wire):
    """A list: static ones are MANUAL or SNAPSHOT."""

    processing_type: str


class Listed(Wire):
    """The answer to a list's number."""

    head: ListHead = Field(alias="list")


class Membership(Wire):
    list_id: str


class Memberships(Wire):
    results: tuple[Membership, ...]


Json = Mapping[str, JsonValue]
