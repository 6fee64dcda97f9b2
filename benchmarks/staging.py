"""What a stage costs: a first load into it, against the same into the target, in the same practice."""

from benchmarks.figures import BenchmarkFailed, Figure, Measurement
from benchmarks.ground import Ground, middle
from benchmarks.measured import Order

TIME = "Processor time of a staged first load against a live one"
MEMORY = "Peak memory of a staged first load against a live one"
ROWS = (TIME, MEMORY)


def measure(ground: Ground) -> Measurement:
    size, times = ground.sizes.small, range(ground.sizes.repeats)
    live = [ground.home(size).run(Order()) for _ in times]
    staged = [ground.home(size).run(Order(mode="staging")) for _ in times]
    if {run.counts["delivery_done"] for run in live} != {run.counts["delivery_done"] for run in staged}:
        raise BenchmarkFailed(f"a stage took other writes than its target: {staged[0].counts}")
    seconds = [middle([run.cpu_in_all for run in runs]) for runs in (live, staged)]
    peaks = [middle([run.peak / 1024 for run in runs]) for runs in (live, staged)]
    how = f"medians of {len(live)} runs, {size:,} entries; user and system, the sandbox's process included"
    return Measurement(
        [
            _figure(TIME, seconds[0], seconds[1], "s", how),
            _figure(MEMORY, peaks[0], peaks[1], "MiB", "resident, each run in a process of its own"),
        ]
    )


def _figure(what: str, live: float, staged: float, unit: str, how: str) -> Figure:
    said = f"{staged / live:.2f} times ({staged:.1f} {unit} to {live:.1f} {unit})"
    return Figure(what, said, "–", None, how)
