"""Answers of the stand-in: HubSpot's shapes, successes and errors."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

Json = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. A body of None is no body."""

    status: int
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class RefusedError(Exception):
    """HubSpot says no, to a request or to one input of a batch."""

    def __init__(
        self,
        status: int,
        category: str,
        message: str,
        *,
        context: Mapping[str, Sequence[str]] | None = None,
        errors: Sequence[Mapping[str, JsonValue]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.category = category
        self.message = message
        self.context = dict(context or {})
        self.errors = [dict(error) for error in errors]

    def reply(self) -> Reply:
        """The refusal of a whole request."""
        body: Json = {
            "status": "error",
            "message": self.message,
            "correlationId": str(uuid.uuid4()),
            "category": self.category,
        }
        if self.context:
            body["context"] = {name: list(values) for name, values in self.context.items()}
        if self.errors:
            body["errors"] = list[JsonValue](self.errors)
        return Reply(self.status, body)

    def row(self, trace: str | None) -> Json:
        """The refusal of one input, for the `errors` of a 207."""
        context: Json = {name: list[JsonValue](values) for name, values in self.context.items()}
        if trace is not None:
            context["objectWriteTraceId"] = [trace]
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": list[JsonValue](self.errors),
            "links": {},
        }


def invalid(message: str, **context: Sequence[str]) -> RefusedError:
    """A 400 about what was sent."""
    return RefusedError(400, "VALIDATION_ERROR", message, context=context)
