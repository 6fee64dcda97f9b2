"""Faults at the wire, for every stand-in: what goes wrong, at which request, and how often."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from connectors.base import Settings

Trouble = Literal[
    "307",  # led elsewhere, nothing applied
    "401",  # refused, nothing applied; so are 403, 429 and 500 to 503
    "403",
    "429",
    "500",
    "502",
    "503",
    "500_applied",  # applied, and said to have failed
    "502_applied",
    "503_applied",
    "hang",  # no answer for `seconds`, then the connection ends; nothing applied
    "hang_applied",
    "reset",  # a true RST, nothing applied
    "reset_applied",
    "truncated",  # applied, half of the answer
    "half",  # applied, half of the answer's body, properly ended
    "html",  # 200 with a page in the place of an answer, nothing applied
    "html_applied",
]
Manner = Literal["status", "hang", "reset", "truncated", "half", "html"]

RANDOM: tuple[Trouble, ...] = (
    "429", "500", "502_applied", "reset", "reset_applied", "hang_applied", "truncated", "html_applied",
)  # fmt: skip
APPLIED = frozenset({"truncated", "half"})


def applies(trouble: Trouble) -> bool:
    """Does the system carry out the request that meets this?"""
    return trouble in APPLIED or trouble.endswith("_applied")


def manner_of(trouble: Trouble) -> tuple[Manner, int]:
    """What the client sees, and with which status."""
    word = trouble.removesuffix("_applied")
    if word.isdecimal():
        return "status", int(word)
    manners: dict[str, Manner] = {
        "hang": "hang",
        "reset": "reset",
        "truncated": "truncated",
        "half": "half",
        "html": "html",
    }
    return manners[word], 200


class Fault(Settings):
    """One scripted fault: which requests meet it.

    request: the number among the requests that match, from 1, counted from when it was set.
    times: so many matching requests from there on; None: all.
    retry_after: the header, word for word: "7", a date, "99999999", "soon"; "" sends none.
    """

    trouble: Trouble
    request: Annotated[int, Field(ge=1)] = 1
    times: Annotated[int, Field(ge=1)] | None = 1
    method: str = ""  # "POST"; "" is any
    path: str = ""  # a part of the path and query; "" is any
    retry_after: str = ""
    seconds: Annotated[float, Field(ge=0, le=60)] = 5.0


class RandomFaults(Settings):
    """Each request meets one of `troubles` with this probability, the same for the same seed and number."""

    rate: Annotated[float, Field(ge=0, le=1)]
    seed: int = 0
    troubles: tuple[Trouble, ...] = RANDOM
    retry_after: str = "0"
    seconds: Annotated[float, Field(ge=0, le=60)] = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that arrived. Its body is not kept."""

    method: str
    path: str  # with the query
    trouble: Trouble | None = None
    status: int | None = None  # the system's own answer, where one came
    at: float = field(default_factory=time.monotonic)  # seconds; when it was dealt with


@dataclass
class _Counted:
    fault: Fault
    matched: int = 0


@dataclass
class _Awaited:
    act: Callable[[], None]
    left: int
    path: str


@dataclass
class Script:
    """What is set to happen. Safe to use from several threads."""

    _scripted: list[_Counted] = field(default_factory=list[_Counted])
    _awaited: list[_Awaited] = field(default_factory=list[_Awaited])
    _random: RandomFaults | None = None
    _number: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def set(self, faults: Sequence[Fault], at_random: RandomFaults | None) -> None:
        with self._lock:
            self._scripted = [_Counted(fault) for fault in faults]
            self._random, self._number = at_random, 0

    def before(self, request: int, act: Callable[[], None], path: str) -> None:
        with self._lock:
            self._awaited.append(_Awaited(act, request, path))

    def due(self, method: str, path: str) -> Fault | None:
        """Counts a request: does what was to be done before it, and gives the fault that it meets."""
        with self._lock:
            acts = [one for one in self._awaited if one.path in path]
            for one in acts:
                one.left -= 1
            ready = [one for one in acts if one.left == 0]
            self._awaited = [one for one in self._awaited if one.left > 0]
            fault = self._scripted_for(method, path) or self._drawn()
        for one in ready:
            one.act()
        return fault

    def _scripted_for(self, method: str, path: str) -> Fault | None:
        met = None
        for one in self._scripted:
            fault = one.fault
            if fault.method not in ("", method) or fault.path not in path:
                continue
            one.matched += 1
            late = fault.times is not None and one.matched >= fault.request + fault.times
            if one.matched >= fault.request and not late and met is None:
                met = fault
        return met

    def _drawn(self) -> Fault | None:
        faults = self._random
        if faults is None:
            return None
        self._number += 1
        chance = random.Random(f"{faults.seed}:{self._number}")  # noqa: S311  # reproducible, not secret
        if chance.random() >= faults.rate:
            return None
        trouble = chance.choice(faults.troubles)
        return Fault(trouble=trouble, retry_after=faults.retry_after, seconds=faults.seconds)
