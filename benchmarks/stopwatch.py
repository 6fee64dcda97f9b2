"""Clocks put around the product from outside: waiting for the source, and the time of each step.

The product holds no timers of its own; a benchmark's child wraps its functions before the run.
"""

import functools
import resource
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Y = TypeVar("Y")


class Waiting:
    """Seconds in which at least one request was on its way; overlapping ones count once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.requests = 0
        self._under_way = 0
        self._since = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def request(self) -> Generator[None]:
        with self._lock:
            self.requests += 1
            self._under_way += 1
            if self._under_way == 1:
                self._since = time.perf_counter()
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                if self._under_way == 0:
                    self.seconds += time.perf_counter() - self._since


class Steps:
    """Exclusive seconds by step: while an inner step runs, the outer one's clock stands.

    For runs in which one thread works at a time, the others waiting for it: then the steps of all threads
    are one stack, and they add up.
    """

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        self._turn(lambda: self._open.append(name))
        try:
            yield
        finally:
            self._turn(lambda: self._leave(name))

    def _turn(self, act: Callable[[], None]) -> None:
        with self._lock:
            now = time.perf_counter()
            if self._open:
                self.seconds[self._open[-1]] += now - self._since
            act()
            self._since = now

    def _leave(self, name: str) -> None:
        left = self._open.pop()
        if left != name:
            raise RuntimeError(f"steps overlap: {left} ended in {name}'s place")


def around(
    owner: object, name: str, watch: Callable[[], AbstractContextManager[None]], *, generator: bool = False
) -> None:
    """Replace `owner.name` by one that does the same inside `watch()`; a generator, at each of its turns."""
    original = getattr(owner, name)
    setattr(owner, name, _each_turn(original, watch) if generator else _whole(original, watch))


def _whole(act: Callable[P, R], watch: Callable[[], AbstractContextManager[None]]) -> Callable[P, R]:
    @functools.wraps(act)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        with watch():
            return act(*args, **kwargs)

    return timed


def _each_turn(
    act: Callable[P, Iterator[Y]], watch: Callable[[], AbstractContextManager[None]]
) -> Callable[P, Iterator[Y]]:
    @functools.wraps(act)
    def timed(*args: P.args, **kwargs: P.kwargs) -> Iterator[Y]:
        with watch():
            turns = iter(act(*args, **kwargs))
        while True:
            try:
                with watch():
                    one = next(turns)
            except StopIteration:
                return
            yield one

    return timed


def cpu_seconds() -> tuple[float, float]:
    """Processor seconds, user and system: of this process; of its ended children (the sandbox's worker)."""
    own, ended = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, ended.ru_utime + ended.ru_stime


def peak_memory() -> int:
    """Largest resident size of this process so far, in KiB.

    On Linux ru_maxrss of a child begins with its parent's, from before exec: there the kernel's mark
    of this very program is read.
    """
    status = Path("/proc/self/status")
    if status.exists():
        marks = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(marks["VmHWM"].split()[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
