"""What a stage costs: a first load into it, against the same into the target, in the same practice."""

from collections.abc import Sequence

from benchmarks.figures import BenchmarkFailed, Figure, Measurement
from benchmarks.ground import Ground, middle
from benchmarks.measured import Measured, Order

TIME = "Engine time of a staged first load against a live one"
MEMORY = "… peak memory"
ROWS = (TIME, MEMORY)


def measure(ground: Ground) -> Measurement:
    size, times = ground.sizes.small, range(ground.sizes.repeats)
    live, staged = (
        [ground.home(size).run(Order(mode=mode, one_by_one=True)) for _ in times]
        for mode in ("live", "staging")
    )
    if {run.counts["delivery_done"] for run in live} != {run.counts["delivery_done"] for run in staged}:
        raise BenchmarkFailed(f"a stage took other writes than its target: {staged[0].counts}")
    return Measurement(
        [_figure(TIME, *_own(live, staged), "s"), _figure(MEMORY, *_peak(live, staged), "MiB")]
    )


def _own(*each: Sequence[Measured]) -> list[float]:
    return [middle([run.own for run in runs]) for runs in each]


def _peak(*each: Sequence[Measured]) -> list[float]:
    return [middle([run.peak / 1024 for run in runs]) for runs in each]


def _figure(what: str, live: float, staged: float, unit: str) -> Figure:
    said = f"{staged / live:.2f} times ({staged:.1f} {unit} to {live:.1f} {unit})"
    return Figure(what, said, "–", None, "median; waiting for the source left out; one reads, one decides")
