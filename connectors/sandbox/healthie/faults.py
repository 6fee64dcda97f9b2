"""Faults on demand: scripted by root field or request number, or random with a rate and a seed."""

from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Trouble = Literal[
    "rate_limited",  # HTTP 429, Retry-After if `retry_after` is set
    "too_many_requests",  # HTTP 200 with errors[].extensions.code TOO_MANY_REQUESTS
    "server_error",  # HTTP 500, nothing applied
    "bad_gateway",  # HTTP 502, nothing applied
    "bad_gateway_applied",  # HTTP 502 after the request was carried out
    "html",  # HTTP 200 with an HTML page
    "errors",  # HTTP 200, errors and no data
    "partial",  # HTTP 200, the matched root field null with an error, the others answered
    "empty",  # HTTP 200, the matched root field's list is empty
    "truncated",  # the connection closes in the middle of the body
    "half_json",  # HTTP 200 with half of a JSON text, properly ended
    "hang",  # nothing for `seconds`, then the connection closes; nothing applied
    "hang_applied",  # carried out, then nothing for `seconds`
    "reset",  # connection reset, nothing applied
    "reset_applied",  # connection reset after the request was carried out
    "unauthorized",  # HTTP 401
]
HANG_MAX = 60.0  # seconds


class Fault(BaseModel):
    """One scripted fault: which requests it meets, and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    trouble: Trouble
    root: str | None = None  # a root field: "users", "updateClient"; None meets every request
    at_request: int | None = None  # the number of a request since the start, from 1
    skip: int = 0  # so many matching requests pass first
    times: int | None = 1  # None: always
    retry_after: int | None = None  # seconds
    seconds: float = Field(default=5.0, le=HANG_MAX)


class RandomFaults(BaseModel):
    """Each request meets one of `troubles` with this probability."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(ge=0, le=1)
    seed: int = 0
    troubles: tuple[Trouble, ...] = (
        "rate_limited",
        "server_error",
        "bad_gateway_applied",
        "reset",
        "truncated",
    )
    retry_after: int | None = 0
    seconds: float = Field(default=1.0, le=HANG_MAX)


class FaultBook:
    """All faults that are set, and which of them a request meets."""

    def __init__(self) -> None:
        self._scripted: list[Fault] = []
        self._left: list[int | None] = []
        self._passed: list[int] = []
        self._random: RandomFaults | None = None
        self._draw = Random(0)  # noqa: S311

    def add(self, fault: Fault) -> None:
        self._scripted.append(fault)
        self._left.append(fault.times)
        self._passed.append(0)

    def set_random(self, faults: RandomFaults | None) -> None:
        self._random = faults
        self._draw = Random(faults.seed if faults else 0)  # noqa: S311

    def clear(self) -> None:
        self._scripted, self._left, self._passed, self._random = [], [], [], None

    def meet(self, number: int, roots: tuple[str, ...]) -> Fault | None:
        """The fault that this request meets. It is used up by it."""
        for at, fault in enumerate(self._scripted):
            if self._left[at] == 0 or (fault.root is not None and fault.root not in roots):
                continue
            if fault.at_request is not None and fault.at_request != number:
                continue
            self._passed[at] += 1
            if self._passed[at] > fault.skip:
                left = self._left[at]
                self._left[at] = None if left is None else left - 1
                return fault
        return self._drawn(roots)

    def _drawn(self, roots: tuple[str, ...]) -> Fault | None:
        faults = self._random
        if faults is None or self._draw.random() >= faults.rate:
            return None
        root = roots[0] if roots else None
        trouble = self._draw.choice(faults.troubles)
        return Fault(trouble=trouble, root=root, retry_after=faults.retry_after, seconds=faults.seconds)
