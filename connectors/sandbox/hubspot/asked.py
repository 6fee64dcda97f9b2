"""A request that came in, taken apart, with the portal that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from connectors.sandbox.hubspot.portal import OBJECT_TYPES, Portal
from connectors.sandbox.hubspot.reply import RefusedError, invalid
from connectors.sandbox.hubspot.store import Store

Kind = TypeVar("Kind", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, its path taken apart."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes

    def read_as(self, kind: type[Kind]) -> Kind:
        """The body. Raises a 400 for another shape."""
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            where = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise invalid(f"Invalid input JSON at {where}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, where it goes, and the portal that answers it."""

    portal: Portal
    request: Request
    parts: Mapping[str, str]

    @property
    def store(self) -> Store:
        object_type = self.parts["type"]
        if object_type not in OBJECT_TYPES:
            raise RefusedError(400, "VALIDATION_ERROR", f"Unable to infer object type from: {object_type}")
        return self.portal.stores[object_type]

    def allow(self, what: str) -> None:
        """Raises a 403 if the token lacks a scope."""
        self.require(f"crm.objects.{self.parts['type']}.{what}")

    def require(self, scope: str) -> None:
        if scope not in self.portal.scopes:
            raise RefusedError(
                403,
                "MISSING_SCOPES",
                "This app hasn't been granted all required scopes to make this call.",
                context={"missingScopes": [scope]},
            )
