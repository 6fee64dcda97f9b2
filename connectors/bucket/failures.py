"""What it means that a request to a bucket failed. No word of the store's answer is kept."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Failure:
    """busy: not applied, the store wants silence. lost: the answer is missing or makes no sense.
    expired: the role's credentials ran out. unauthorized: the tenant must act. rejected: refused."""

    kind: Literal["busy", "lost", "expired", "unauthorized", "rejected"]
    code: str
    wait: timedelta | None = None


class Failed(Exception):
    """One request failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
CODES = {
    "SlowDown": Failure("busy", "rate_limited"),
    "Throttling": Failure("busy", "rate_limited"),
    "ThrottlingException": Failure("busy", "rate_limited"),
    "RequestLimitExceeded": Failure("busy", "rate_limited"),
    "ServiceUnavailable": Failure("busy", "overloaded"),
    "ConditionalRequestConflict": Failure("lost", "contention"),
    "RequestTimeout": Failure("lost", "timed_out"),
    "ExpiredToken": Failure("expired", "expired"),
    "TokenRefreshRequired": Failure("expired", "expired"),
    "AccessDenied": Failure("unauthorized", "forbidden"),
    "AllAccessDisabled": Failure("unauthorized", "forbidden"),
    "AccountProblem": Failure("unauthorized", "forbidden"),
    "InvalidAccessKeyId": Failure("unauthorized", "unauthorized"),
    "SignatureDoesNotMatch": Failure("unauthorized", "unauthorized"),
    "RequestTimeTooSkewed": Failure("unauthorized", "clock_skew"),
    "NoSuchBucket": Failure("unauthorized", "no_bucket"),
    "PermanentRedirect": Failure("unauthorized", "other_region"),
    "AuthorizationHeaderMalformed": Failure("unauthorized", "other_region"),
    "BadDigest": Failure("lost", "damaged"),
    "EntityTooLarge": Failure("rejected", "too_long"),
}
KMS = Failure("unauthorized", "kms_key")  # disabled, not there, about to be deleted, …

STATUSES = {
    301: Failure("unauthorized", "other_region"),
    307: Failure("unauthorized", "other_region"),
    401: Failure("unauthorized", "unauthorized"),
    403: Failure("unauthorized", "forbidden"),
    404: Failure("unauthorized", "no_bucket"),
    408: Failure("lost", "timed_out"),
    429: Failure("busy", "rate_limited"),
    503: Failure("busy", "overloaded"),
}


def failure_by_status(status: int, code: str, wait: timedelta | None) -> Failure:
    """What a refusal means, by the store's code for it, or else by the status alone."""
    known = KMS if code.startswith("KMS.") else CODES.get(code) or STATUSES.get(status)
    if known is None:
        lost = status >= 500 or status < 300  # below 300: it is no refusal of a store's
        return Failure("lost", "server_failed") if lost else Failure("rejected", "refused")
    return replace(known, wait=wait) if known.kind == "busy" else known
