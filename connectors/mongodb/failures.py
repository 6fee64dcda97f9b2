"""What a server's or the driver's error means, by its number alone: their texts and details quote values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bson.errors import BSONError
from pymongo import errors

Kind = Literal["item", "newer", "collection", "transient", "lost", "unauthorized"]


@dataclass(frozen=True, slots=True)
class Failure:
    """item: one document is refused. newer: the document is newer. collection: every one will be refused.
    transient: surely not applied, time may help. lost: it may have been applied. unauthorized: the tenant
    must act."""

    kind: Kind
    code: str


DUPLICATE = 11000
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml, read 2026-11
_CODES: Mapping[Failure, tuple[int, ...]] = {
    Failure("item", "duplicate"): (DUPLICATE, 11001, 12582),
    Failure("item", "check"): (121,),
    Failure("item", "too_long"): (10334, 17280, 17419, 17420),
    Failure("item", "too_deep"): (15, 10345),
    Failure("item", "invalid_value"): (2, 9, 14, 28, 52, 55, 56, 57, 66),
    Failure("collection", "schema_drift"): (26, 61, 72, 73, 166, 238, 40414),
    Failure("unauthorized", "unauthorized"): (11, 18, 334, 8000, 31, 391),
    Failure("unauthorized", "forbidden"): (13,),
    Failure("transient", "contention"): (112, 24, 46, 117, 215, 371, 12586, 12587),
    Failure("transient", "overloaded"): (146, 292, 365, 402, 407, 433, 449, 462, 16500),
    Failure("transient", "cursor_lost"): (43, 175, 237),  # of a read, while another server takes over
    Failure("transient", "disk_full"): (14031,),
    Failure("lost", "timed_out"): (50, 262, 202),
    Failure("lost", "not_confirmed"): (64, 79, 100),
    Failure("lost", "failed_over"): (91, 189, 216, 10058, 10107, 11600, 11601, 11602, 13435, 13436),
    Failure("lost", "no_primary"): (133, 134),
    Failure("lost", "moved"): (150, 249, 13388),  # a shard's documents, while they were asked for
    Failure("lost", "connection_lost"): (6, 7, 89, 9001),
    Failure("lost", "server_failed"): (1, 8),
}
CODES: Mapping[int, Failure] = {number: failure for failure, numbers in _CODES.items() for number in numbers}
LOST = Failure("lost", "connection_lost")
UNREACHABLE = Failure("transient", "unreachable")


_KINDS: tuple[tuple[type[Exception], Failure], ...] = (  # of the driver's own errors; the first that fits
    (errors.ServerSelectionTimeoutError, UNREACHABLE),  # nothing was sent
    (errors.WaitQueueTimeoutError, UNREACHABLE),
    (errors.NetworkTimeout, Failure("lost", "timed_out")),
    (errors.NotPrimaryError, Failure("lost", "failed_over")),
    (BSONError, Failure("collection", "bad_value")),  # a document that cannot be read, or not be sent
)
_NO_SUCH_NAME = ("NXDOMAIN", "NoAnswer")  # of the resolver's errors


def failure_of(error: errors.PyMongoError | BSONError) -> Failure:
    """What an error of a whole command means. Nothing may be said of single documents from it."""
    if isinstance(error, errors.OperationFailure):
        return of_command(error.code)
    if isinstance(error, errors.ConfigurationError):  # also where a mongodb+srv name is not resolved
        cause = type(error.__cause__)
        for_now = cause.__module__.startswith("dns.") and cause.__name__ not in _NO_SUCH_NAME
        return UNREACHABLE if for_now else Failure("unauthorized", "bad_url")
    return next((failure for kind, failure in _KINDS if isinstance(error, kind)), LOST)


def of_command(code: int | None) -> Failure:
    """A command that a server refused with this number; one that nobody knows was refused for good."""
    if code is None:
        return LOST
    known = CODES.get(code)
    if known is None or known.kind == "item":
        return Failure("collection", "refused" if known is None else known.code)
    return known


def of_statement(code: int) -> Failure:
    """One statement of a bulk that a server refused with this number: this one was not applied."""
    return CODES.get(code, Failure("item", "refused"))
