"""What a server refuses, in its own shape and words: they quote values, as the real ones do."""

from connectors.sandbox.mongodb.wire import Document

NAMES = {
    1: "InternalError", 2: "BadValue", 9: "FailedToParse", 11: "UserNotFound", 13: "Unauthorized",
    14: "TypeMismatch", 18: "AuthenticationFailed", 26: "NamespaceNotFound", 43: "CursorNotFound",
    48: "NamespaceExists", 50: "MaxTimeMSExpired", 52: "DollarPrefixedFieldName", 57: "DottedFieldName",
    59: "CommandNotFound", 64: "WriteConcernFailed", 66: "ImmutableField", 91: "ShutdownInProgress",
    112: "WriteConflict", 121: "DocumentValidationFailure", 166: "CommandNotSupportedOnView",
    189: "PrimarySteppedDown", 10107: "NotWritablePrimary", 10334: "BSONObjectTooLarge",
    11000: "DuplicateKey", 11600: "InterruptedAtShutdown", 13435: "NotPrimaryNoSecondaryOk",
}  # fmt: skip


class Refusal(Exception):
    """The answer to one command, or to one statement of it."""

    def __init__(self, code: int, message: str, **more: object) -> None:
        super().__init__(message)
        self.code, self.message, self.more = code, message, more

    def answer(self) -> Document:
        """As the answer to a whole command."""
        return {
            "ok": 0.0,
            "errmsg": self.message,
            "code": self.code,
            "codeName": NAMES.get(self.code, f"Location{self.code}"),
            **self.more,
        }

    def of_statement(self, index: int) -> Document:
        """As one of a bulk's `writeErrors`."""
        return {"index": index, "code": self.code, "errmsg": self.message, **self.more}


def duplicate(namespace: str, index: str, pattern: Document, value: Document) -> Refusal:
    shown = ", ".join(f'{name}: "{each}"' for name, each in value.items())
    return Refusal(
        11000,
        f"E11000 duplicate key error collection: {namespace} index: {index} dup key: {{ {shown} }}",
        keyPattern=pattern,
        keyValue=value,
    )
