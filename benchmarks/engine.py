"""What the engine itself takes for an entry: everything but waiting for the source."""

from collections.abc import Sequence

from benchmarks.figures import BenchmarkFailed, Breakdown, Figure, Measurement, at_most
from benchmarks.ground import Ground, middle
from benchmarks.measured import Measured, Order

CHANGED = "Engine time per changed entry"
CHANGED_CPU = "… changed, processor time"
UNCHANGED = "Engine time per unchanged entry"
UNCHANGED_CPU = "… unchanged, processor time"
RECORDS = "Task runs that Prefect recorded as completed"
ROWS = (CHANGED, CHANGED_CPU, UNCHANGED, UNCHANGED_CPU, RECORDS)
CHANGED_LIMIT = 5.0  # milliseconds
UNCHANGED_LIMIT = 0.5
HOW = "median of {runs}, {size:,} entries: wall time of the whole run less waiting for the source"
SERIAL = "one thread reads, one decides, so that nothing hides behind waiting"


def measure(ground: Ground) -> Measurement:
    size = ground.sizes.middle
    homes = [ground.home(size) for _ in range(ground.sizes.repeats)]
    loads = [home.run(Order(one_by_one=True)) for home in homes]
    sweeps = [home.run(Order(kind="sweep", one_by_one=True)) for home in homes]
    _check(loads, "planned", size)
    _check(sweeps, "unchanged", size)
    how = HOW.format(runs=f"{len(loads)} runs" if len(loads) > 1 else "1 run", size=size)
    return Measurement(
        [
            _time(CHANGED, loads, size, CHANGED_LIMIT, f"{how}; {SERIAL}. This one has the target"),
            _cpu(CHANGED_CPU, loads, size),
            _time(UNCHANGED, sweeps, size, UNCHANGED_LIMIT, f"{how}; everyone listed, read, compared, noted"),
            _cpu(UNCHANGED_CPU, sweeps, size),
            _records(ground, loads),
        ],
        [_breakdown("changed", loads, size), _breakdown("unchanged", sweeps, size)],
    )


def _check(runs: Sequence[Measured], count: str, size: int) -> None:
    for run in runs:
        reached = run.counts.get(count, 0) + run.counts.get("review", 0) + run.counts.get("skipped", 0)
        if reached != size or run.counts.get("delivery_done", 0) != run.counts.get("planned", 0):
            raise BenchmarkFailed(f"{size} entries were to be {count}: {run.counts}")


def _time(what: str, runs: Sequence[Measured], size: int, limit: float, how: str) -> Figure:
    per_entry = middle([1000 * run.own / size for run in runs])
    return at_most(what, per_entry, limit, how, unit="ms", show=lambda value: f"{value:.2f}")


def _cpu(what: str, runs: Sequence[Measured], size: int) -> Figure:
    own, sandbox = (
        middle([1000 * seconds / size for seconds in each])
        for each in ([run.cpu for run in runs], [run.cpu_of_children for run in runs])
    )
    how = f"user and system, reading over HTTP included; {sandbox:.2f} ms of it the sandbox's process"
    return Figure(what, f"{own + sandbox:.2f} ms", "–", None, how)


def _records(ground: Ground, runs: Sequence[Measured]) -> Figure:
    """A run whose task runs vanish from Prefect's records was faster than it may be."""
    submitted = sum(run.counts["groups"] for run in runs)
    recorded = sum(ground.recorded(run) for run in runs)
    how = "asked from Prefect's API after the runs; SQLite, the server's settings as `ferry` starts it"
    return Figure(RECORDS, f"{recorded} of {submitted}", "all", recorded == submitted, how)


def _breakdown(which: str, runs: Sequence[Measured], size: int) -> Breakdown:
    steps = {
        name: (
            middle([1000 * run.steps[name].wall / size for run in runs]),
            middle([1000 * run.steps[name].cpu / size for run in runs]),
        )
        for name in runs[0].steps
    }
    return Breakdown(
        f"Where the time of {size:,} {which} entries goes", steps, f"exclusive wall time; {SERIAL}"
    )
