"""How the stand-in refuses: in Google's shape, with its reasons."""

from pydantic import JsonValue


class Refusal(Exception):
    """A request, or a job, that is refused."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def body(self) -> dict[str, JsonValue]:
        """The answer to a request."""
        named: dict[str, JsonValue] = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.status, "message": self.message, "errors": [named]}}

    def result(self) -> dict[str, JsonValue]:
        """The end of a job."""
        return {"reason": self.reason, "message": self.message}


def invalid(message: str) -> Refusal:
    return Refusal(400, "invalid", message)


def invalid_query(message: str) -> Refusal:
    return Refusal(400, "invalidQuery", message)


def not_found(what: str) -> Refusal:
    return Refusal(404, "notFound", f"Not found: {what}")


def duplicate(what: str) -> Refusal:
    return Refusal(409, "duplicate", f"Already Exists: {what}")


def denied(permission: str) -> Refusal:
    return Refusal(403, "accessDenied", f"Access Denied: lacks permission {permission}")
