"""Memory: flat in the number of entries."""

from benchmarks.figures import Figure, Measurement, at_most
from benchmarks.ground import Ground, middle

SMALL = "Peak memory of a first load"
RATIO = "Peak memory, many entries against few"
ROWS = (SMALL, RATIO)
LIMIT = 1.3


def measure(ground: Ground) -> Measurement:
    small, large = ground.sizes.small, ground.sizes.large
    few = middle([run.peak for run in ground.loaded(small).loads])
    many = middle([run.peak for run in ground.loaded(large).loads])
    how = f"{large:,} entries: {many / 1024:.0f} MiB; resident, each run in a process of its own"
    return Measurement(
        [
            Figure(
                f"{SMALL}: {small:,} entries", f"{few / 1024:.0f} MiB", "–", None, "highest resident size"
            ),
            at_most(RATIO, many / few, LIMIT, how, unit="times", show=lambda value: f"{value:.2f}"),
        ]
    )
