"""The review of many planned writes, half of them judged: how long pages take, how much a diff holds."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlencode

from benchmarks.figures import BenchmarkFailed, Figure, Measurement, at_most
from benchmarks.ground import ROOT, Ground, middle
from flows.ledger import marks
from flows.review.desk import Desk
from tests.flows.review.filled import RUN, stage
from tests.flows.review.test_page import Review, served

OPENS = "Review of many planned writes: a page opens in"
FILTERS = "Review of many planned writes: a filter answers in"
DIFF = "Peak memory of `ferry diff`, many writes against few"
ROWS = (OPENS, FILTERS, DIFF)
OPEN_LIMIT, FILTER_LIMIT = 1.0, 0.3  # seconds
MEMORY_LIMIT = 1.1
PAGES = ("/", "/writes", "/sample", "/entries", "/waiting", "/held")
FILTERED = (
    {"sentence": "S2"},
    {"field": "full_name", "kind": "changed"},
    {"kind": "new"},
    {"mark": "wrong"},
    {"mark": "none"},
    {"state": "done"},
)


def measure(ground: Ground) -> Measurement:
    number, few, repeats = ground.sizes.planned, max(1, ground.sizes.planned // 10), ground.sizes.repeats
    with TemporaryDirectory(prefix="ferry-bench-") as made:
        many = _filled(Path(made) / "many", number)
        for review in served(many):
            review.enter()
            opens = {page: _seconds(review, page, {}, repeats) for page in PAGES}
            filters = {urlencode(asked): _seconds(review, "/writes", asked, repeats) for asked in FILTERED}
        peaks = [_peak(folder) for folder in (_filled(Path(made) / "few", few), many)]
    how = (
        f"{number:,} writes, {number // 2:,} of them judged; medians of {repeats}, over HTTP; the slowest is "
    )
    return Measurement(
        [
            _slowest(OPENS, opens, OPEN_LIMIT, how),
            _slowest(FILTERS, filters, FILTER_LIMIT, how),
            at_most(
                DIFF,
                peaks[1] / peaks[0],
                MEMORY_LIMIT,
                f"{number:,} writes: {peaks[1] / 1024:.0f} MiB; {few:,}: {peaks[0] / 1024:.0f} MiB; resident",
                unit="times",
                show=lambda value: f"{value:.2f}",
            ),
        ]
    )


def _filled(folder: Path, number: int) -> Path:
    """A stage with so many writes; half of them judged."""
    folder.mkdir()
    with stage(folder, number) as ledger:
        for at, line in enumerate(islice(Desk(ledger).lines(), number // 2)):
            marks.put(ledger, line.key, "wrong" if at % 10 == 0 else "right", "as it should be", "Ana")
    return folder


def _seconds(review: Review, page: str, asked: Mapping[str, str], repeats: int) -> float:
    def one() -> float:
        begun = time.perf_counter()
        answer = review.browser.get(f"{review.url}{page}", params=asked)
        if answer.status_code != 200:
            raise BenchmarkFailed(f"the review answered {answer.status_code} at {page}")
        return time.perf_counter() - begun

    return middle([one() for _ in range(repeats)])


def _slowest(what: str, found: Mapping[str, float], limit: float, how: str) -> Figure:
    name = max(found, key=lambda one: found[one])
    show: Callable[[float], str] = "{:.2f}".format
    return at_most(what, found[name], limit, how + name, unit="s", show=show)


def _peak(folder: Path) -> int:
    """KiB resident of `ferry diff` over a whole run."""
    environment = os.environ | {"FERRY_HOME": str(folder), "FERRY_ENV": "local"}
    command = [sys.executable, "-m", "flows", "diff", RUN, "--values"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchmarkFailed(f"ferry diff ended with {process.returncode}")
    return used.ru_maxrss
