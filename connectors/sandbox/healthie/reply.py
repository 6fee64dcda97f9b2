"""Reply: what goes back over the wire, and how badly."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from connectors.sandbox.healthie.faults import Fault

JSON_TYPE = "application/json; charset=utf-8"
PAGE = b"<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"


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


def instead(fault: Fault) -> Reply | None:
    """The reply of a fault that comes before anything is done; None if the request is carried out."""
    match fault.trouble:
        case "rate_limited":
            return too_many("http_429", fault.retry_after)
        case "too_many_requests":
            return too_many("errors_200", None)
        case "server_error":
            return failure(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")
        case "bad_gateway":
            return Reply(HTTPStatus.BAD_GATEWAY, b"<html><body>502 Bad Gateway</body></html>", "text/html")
        case "html":
            return Reply(HTTPStatus.OK, PAGE, "text/html; charset=utf-8")
        case "errors":
            return as_json(HTTPStatus.OK, {"data": None, "errors": [{"message": "Internal server error"}]})
        case "unauthorized":
            return failure(HTTPStatus.UNAUTHORIZED, "API Key is Invalid", "UNAUTHENTICATED")
        case "reset":
            return Reply(0, b"", manner="reset")
        case "hang":
            return Reply(0, b"", manner="hang", seconds=fault.seconds)
        case _:
            return None


def spoiled(fault: Fault, made: Reply) -> Reply:
    """The reply of a request that was carried out, as this fault leaves it."""
    match fault.trouble:
        case "bad_gateway_applied":
            return Reply(HTTPStatus.BAD_GATEWAY, b"<html><body>502 Bad Gateway</body></html>", "text/html")
        case "truncated":
            return Reply(made.status, made.body, made.type, made.headers, "cut")
        case "half_json":
            return Reply(made.status, made.body[: len(made.body) // 2], made.type, made.headers)
        case "reset_applied":
            return Reply(0, b"", manner="reset")
        case "hang_applied":
            return Reply(0, b"", manner="hang", seconds=fault.seconds)
        case _:
            return made
