"""How fast a program decides, and whether it decides the same again."""

import os
from datetime import UTC, datetime

from benchmarks.figures import BenchmarkFailed, Figure, Measurement, at_least
from benchmarks.ground import Ground, in_child, middle
from benchmarks.measured import DecideMeasured, DecideOrder

SPEED = "Decided entries per second, a program decides"
CPU = "… processor time of one decision"
SAME = "The same program again: plans that are not the same, byte for byte"
ROWS = (SPEED, CPU, SAME)
AT_LEAST = 300.0  # a second


def measure(ground: Ground) -> Measurement:
    size = ground.sizes.middle
    healthie, today = ground.practice(size), datetime.now(UTC).date()
    order = DecideOrder(url=healthie.endpoint, key=healthie.api_key, today=today)
    passes: list[DecideMeasured] = []
    for _ in range(max(2, ground.sizes.repeats)):
        folder = ground.folder("deciding")
        folder.mkdir()
        passes.append(in_child("benchmarks.deciding_child", order, DecideMeasured, folder, os.environ))
    if {one.decided for one in passes} != {size} or not passes[0].written:
        raise BenchmarkFailed(f"{size} entries were to be decided: {[one.decided for one in passes]}")
    how = f"median of {len(passes)} processes, one at a time, {size:,} entries each, in groups as a run's"
    return Measurement(
        [
            at_least(
                SPEED,
                middle([one.decided / one.seconds for one in passes]),
                AT_LEAST,
                f"{how}: agent loop, sandbox and gate; reading, ledger and delivery left out",
                unit="/s",
                show=lambda value: f"{value:,.0f}",
            ),
            _cpu(passes),
            _same(passes),
        ]
    )


def _cpu(passes: list[DecideMeasured]) -> Figure:
    own = middle([1000 * one.cpu / one.decided for one in passes])
    sandbox = middle([1000 * one.cpu_of_children / one.decided for one in passes])
    how = f"user and system; {sandbox:.2f} ms of it the sandbox's process"
    return Figure(CPU, f"{own + sandbox:.2f} ms", "–", None, how)


def _same(passes: list[DecideMeasured]) -> Figure:
    others = sum(one.plans != passes[0].plans for one in passes[1:])
    how = (
        f"hash over all {passes[0].decided:,} plans, {passes[0].written:,} of them to write; "
        f"{len(passes)} processes, the same entries read anew by each"
    )
    return Figure(
        SAME, "none" if not others else f"in {others} of {len(passes) - 1}", "none", not others, how
    )
