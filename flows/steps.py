"""Steps: how long a run reads, decides and delivers. What is left of its time opens it and certifies it."""

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Literal

from flows.ledger.measured import MILLISECONDS
from flows.run import Run

Step = Literal["read", "decide", "deliver"]


@contextmanager
def timed(run: Run, step: Step) -> Generator[None]:
    """Meanwhile the run does this step."""
    began = time.monotonic()
    try:
        yield
    finally:
        run.count(f"{MILLISECONDS}_{step}", _since(began))


def each(run: Run, step: Step, pages: Iterator[list[str]]) -> Iterator[list[str]]:
    """The pages; the time until there is a next one is the step's."""
    while True:
        with timed(run, step):
            page = next(pages, None)
        if page is None:
            return
        yield page


def whole(run: Run) -> None:
    """The run's time until now is all that it takes."""
    run.counts[MILLISECONDS] = _since(run.begun)


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
