"""Reply: what goes back over the wire, and how badly."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Literal

from connectors.sandbox.healthie.faults import Fault

JSON_TYPE = "application/json; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"

GATEWAY = b"<html><body>502 Bad Gateway</body></html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """`manner`: sent whole, cut in the middle, reset, or kept back for `seconds` and closed."""

    status: int
    body: bytes
    type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict[str, str])
    manner: Literal["send", "cut", "reset", "hang"] = "send"
    seconds: float = 0.0


def as_json(status: int, content: object) -> Reply:
    return Reply(status, json.dumps(content, ensure_ascii=False, default=str).encode())


def failure(status: int, message: str, code: str | None = None) -> Reply:
    """A GraphQL errors body without data."""
    error: dict[str, object] = {"message": message}
    if code is not None:
        error["extensions"] = {"code": code}
    return as_json(status, {"errors": [error]})


def too_many(style: str, retry_after: int | None) -> Reply:
    message = "Too many requests. Please try again later."
    if style == "errors_200":
        return failure(HTTPStatus.OK, message, "TOO_MANY_REQUESTS")
    made = failure(HTTPStatus.TOO_MANY_REQUESTS, message, "TOO_MANY_REQUESTS")
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Reply(made.status, made.body, headers=headers)


INSTEAD: Mapping[str, Callable[[Fault], Reply]] = {
    "rate_limited": lambda fault: too_many("http_429", fault.retry_after),
    "too_many_requests": lambda _: too_many("errors_200", None),
    "server_error": lambda _: failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error"),
    "bad_gateway": lambda _: Reply(HTTPStatus.BAD_GATEWAY, GATEWAY, "text/html"),
    "html": lambda _: Reply(HTTPStatus.OK, PAGE, "text/html; charset=utf-8"),
    "errors": lambda _: as_json(200, {"data": None, "errors": [{"message": "Internal server error"}]}),
    "unauthorized": lambda _: failure(HTTPStatus.UNAUTHORIZED, "API Key is Invalid", "UNAUTHENTICATED"),
    "reset": lambda _: Reply(0, b"", manner="reset"),
    "hang": lambda fault: Reply(0, b"", manner="hang", seconds=fault.seconds),
}
SPOILED: Mapping[str, Callable[[Fault, Reply], Reply]] = {
    "bad_gateway_applied": lambda _, __: Reply(HTTPStatus.BAD_GATEWAY, GATEWAY, "text/html"),
    "truncated": lambda _, made: replace(made, manner="cut"),
    "half_json": lambda _, made: replace(made, body=made.body[: len(made.body) // 2]),
    "reset_applied": lambda _, __: Reply(0, b"", manner="reset"),
    "hang_applied": lambda fault, _: Reply(0, b"", manner="hang", seconds=fault.seconds),
}


def instead(fault: Fault) -> Reply | None:
    """The reply of a fault that comes before anything is done; None if the request is carried out."""
    make = INSTEAD.get(fault.trouble)
    return make(fault) if make else None


def spoiled(fault: Fault, made: Reply) -> Reply:
    """The reply of a request that was carried out, as this fault leaves it."""
    spoil = SPOILED.get(fault.trouble)
    return spoil(fault, made) if spoil else made
