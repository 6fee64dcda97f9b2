"""Clocks put around the product from outside: waiting for the source, and the time of each step.

The product holds no timers of its own; a benchmark's child wraps its functions before the run.
"""

import functools
import resource
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


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


@dataclass(slots=True)
class Spent:
    """Seconds of a step: by the clock on the wall, and of processor in this process."""

    wall: float = 0.0
    cpu: float = 0.0


class Steps:
    """Exclusive time by step: while an inner step runs, the outer one's clocks stand.

    For runs in which one thread works at a time, the others waiting for it: then the steps of all threads
    are one stack, and they add up. What Prefect's threads do meanwhile counts for the step they disturb.
    """

    def __init__(self) -> None:
        self.spent: defaultdict[str, Spent] = defaultdict(Spent)
        self._open: list[str] = []
        self._since = self._now()
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
            now = self._now()
            if self._open:
                spent = self.spent[self._open[-1]]
                spent.wall += now[0] - self._since[0]
                spent.cpu += now[1] - self._since[1]
            act()
            self._since = now

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()

    def _leave(self, name: str) -> None:
        left = self._open.pop()
        if left != name:
            raise RuntimeError(f"steps overlap: {left} ended in {name}'s place")


Watch = Callable[[], AbstractContextManager[None]]
Kind = Literal["call", "turns", "ends"]


def around(owner: object, name: str, watch: Watch, kind: Kind = "call") -> None:
    """Replace `owner.name` by a function that does the same inside `watch()`.

    kind: a call as a whole, each turn of a generator, or entering and leaving of a context.
    """
    wraps: Mapping[Kind, Callable[[Any, Watch], object]] = {"call": _call, "turns": _turns, "ends": _ends}
    setattr(owner, name, wraps[kind](getattr(owner, name), watch))


def _call(act: Callable[P, R], watch: Watch) -> Callable[P, R]:
    @functools.wraps(act)
    def timed(*args: P.args, **kwargs: P.kwargs) -> R:
        with watch():
            return act(*args, **kwargs)

    return timed


def _turns(act: Callable[P, Iterator[R]], watch: Watch) -> Callable[P, Iterator[R]]:
    @functools.wraps(act)
    def timed(*args: P.args, **kwargs: P.kwargs) -> Iterator[R]:
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


def _ends(
    act: Callable[P, AbstractContextManager[R]], watch: Watch
) -> Callable[P, AbstractContextManager[R]]:
    @functools.wraps(act)
    @contextmanager
    def timed(*args: P.args, **kwargs: P.kwargs) -> Generator[R]:
        with ExitStack() as stack:
            with watch():
                opened = stack.enter_context(act(*args, **kwargs))
            try:
                yield opened
            finally:
                with watch():
                    stack.close()

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
