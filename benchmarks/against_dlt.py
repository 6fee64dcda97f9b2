"""The same job by Ferry and by dlt, side by side. They don't do the same for it, which the words say."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.figures import BenchmarkFailed, Figure, Measurement
from benchmarks.ground import Ground, Home, in_child, middle, rows_of
from benchmarks.measured import DltMeasured, DltOrder, Measured, Order
from connectors.sandbox.healthie import StandIn

FIRST = "Against dlt: time of a first load"
MEMORY = "Against dlt: peak memory of a first load"
AGAIN = "Against dlt: time of a second run, nothing changed"
SWEEP = "Against dlt: the same, and Ferry too reads everyone"
ROWS = (FIRST, MEMORY, AGAIN, SWEEP)
WORDS = (
    "dlt and Ferry read through the same connector, apply the same rules and fill the same table in SQLite "
    "(compared row by row after the first load); times are whole runs, waiting for the source included, "
    "without interpreter start and imports.",
    "What dlt does not do here: it keeps no plan of each entry, no sentence and source for each value, no "
    "sealed journal and no proof of what arrived; the rules run without sandbox and gate; and no "
    "orchestrator keeps records of the run. What Ferry's time buys is those.",
    "dlt reads everyone at every run: Healthie has no \"changed since\" for patients. Its incremental "
    "loading could stop early in a listing sorted by updated_at; it would then miss edits of policies, "
    "addresses, appointments and invoices, which do not touch the patient's own updated_at, unless it were "
    "taught what Ferry's reader of change does.",
    "dlt's SQLite destination merges by delete and insert: a row with only some columns (an archived "
    "patient's, S2) would lose the others at the second load, which Ferry's upsert leaves as they are.",
)  # fmt: skip


def measure(ground: Ground) -> Measurement:
    figures: list[Figure] = []
    for size in dict.fromkeys((ground.sizes.small, ground.sizes.middle)):
        figures += _of_size(ground, size)
    return Measurement(figures, words=WORDS)


def _of_size(ground: Ground, size: int) -> list[Figure]:
    loaded = ground.loaded(size)
    first, again = zip(*[_dlt_twice(ground, home) for home in loaded.homes], strict=True)
    nothing = [home.run(Order()) for home in loaded.homes]
    sweeps = [home.run(Order(kind="sweep")) for home in loaded.homes]
    runs = f"medians of {len(first)} runs" if len(first) > 1 else "one run each"

    def compare(what: str, mine: Sequence[Measured], theirs: Sequence[DltMeasured]) -> Figure:
        return _seconds(f"{what}, {size:,} entries", mine, theirs, runs)

    return [
        compare(FIRST, loaded.loads, first),
        _mebibytes(f"{MEMORY}, {size:,} entries", loaded.loads, first, runs),
        compare(AGAIN, nothing, again),
        compare(SWEEP, sweeps, again),
    ]


def _dlt_twice(ground: Ground, home: Home) -> tuple[DltMeasured, DltMeasured]:
    """A first load into a new database, and the same again."""
    folder = ground.folder("dlt")
    folder.mkdir()
    first = _dlt(folder, home.healthie)
    _same_rows(home, folder / "warehouse.db")
    return first, _dlt(folder, home.healthie)


def _dlt(folder: Path, healthie: StandIn) -> DltMeasured:
    order = DltOrder(
        url=healthie.endpoint,
        key=healthie.api_key,
        database=str(folder / "warehouse.db"),
        pipelines=str(folder / "pipelines"),
    )
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    environment = os.environ | quiet | {"DLT_DATA_DIR": str(folder / "dlt")}
    return in_child("benchmarks.dlt_child", order, DltMeasured, folder, environment)


def _same_rows(home: Home, database: Path) -> None:
    """Raises BenchmarkFailed if the two tables are not the same: then the times compare nothing."""
    mine, theirs = home.rows(), rows_of(database)
    names = next(iter(mine.values())).keys()
    trimmed = {one: {name: row[name] for name in names} for one, row in theirs.items()}
    differ = {one for one in mine.keys() | theirs.keys() if mine.get(one) != trimmed.get(one)}
    if differ:
        raise BenchmarkFailed(f"{len(differ)} of {len(mine)} rows differ between Ferry's table and dlt's")


def _seconds(what: str, mine: Sequence[Measured], theirs: Sequence[DltMeasured], runs: str) -> Figure:
    ferry, other = middle([run.wall for run in mine]), middle([run.wall for run in theirs])
    waiting = middle([run.waiting for run in mine]), middle([run.waiting for run in theirs])
    how = f"{runs}; waiting for the source {waiting[0]:.1f} s and {waiting[1]:.1f} s of it"
    return _ratio(what, ferry, other, lambda value: f"{value:.1f} s", how)


def _mebibytes(what: str, mine: Sequence[Measured], theirs: Sequence[DltMeasured], runs: str) -> Figure:
    ferry, other = middle([run.peak for run in mine]), middle([run.peak for run in theirs])
    return _ratio(what, ferry, other, lambda value: f"{value / 1024:.0f} MiB", f"{runs}; resident")


def _ratio(what: str, mine: float, theirs: float, show: Callable[[float], str], how: str) -> Figure:
    return Figure(what, f"{mine / theirs:.2f} × dlt's ({show(mine)} to {show(theirs)})", "–", None, how)
