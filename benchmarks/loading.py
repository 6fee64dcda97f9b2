"""Rows per second into a database: Ferry's SQL target beside dlt, the same rows into the same engine.

Only the loading is measured: no source, no decision, no ledger.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Literal

from benchmarks.figures import Figure, Measurement
from benchmarks.ground import Ground, in_child, middle
from benchmarks.measured import LoadMeasured, LoadOrder
from tests.connectors.sql import servers

ENGINES = ("PostgreSQL", "SQLite")
ROW = "Rows per second into"
ROWS = tuple(f"{ROW} {engine}" for engine in ENGINES)
WORDS = (
    "Both load into a table that the first load makes, and merge by its key; dlt extracts, normalises and "
    "merges by delete and insert out of a staging table, Ferry checks each value by its type and upserts "
    "in batches, each committed by itself.",
)


LOADS: Mapping[str, Callable[[LoadMeasured], float]] = {
    "a first load": lambda run: run.first,
    "every row changed": lambda run: run.again,
}


def measure(ground: Ground) -> Measurement:
    figures: list[Figure] = []
    rows, repeats = ground.sizes.large, ground.sizes.repeats
    runs = f"medians of {repeats} runs" if repeats > 1 else "one run each"
    for engine in ENGINES:
        with _databases(engine, ground) as new:
            mine, theirs = (
                [_loaded(by, new(), rows, ground) for _ in range(repeats)] for by in ("ferry", "dlt")
            )
        for what, pick in LOADS.items():
            ferry, other = (rows / middle([pick(run) for run in one]) for one in (mine, theirs))
            shown = f"{ferry / other:.1f} × dlt's ({ferry:,.0f} to {other:,.0f} rows/s)"
            figures.append(
                Figure(f"{ROW} {engine}, {what}", shown, "–", None, f"{runs}, {rows:,} rows of 8 columns")
            )
    return Measurement(figures, words=WORDS)


@contextmanager
def _databases(engine: str, ground: Ground) -> Generator[Callable[[], str]]:
    """Gives the URL of a new database each time."""
    if engine == "PostgreSQL":
        with servers.postgresql() as server:
            yield lambda: servers.new_database("postgresql", server).url
    else:
        yield lambda: f"sqlite:///{ground.folder('target')}.db"


def _loaded(by: Literal["ferry", "dlt"], url: str, rows: int, ground: Ground) -> LoadMeasured:
    folder = ground.folder("load")
    folder.mkdir()
    quiet = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    environment: Mapping[str, str] = os.environ | quiet | {"DLT_DATA_DIR": str(folder / "dlt")}
    order = LoadOrder(by=by, url=url, rows=rows, folder=str(folder))
    return in_child("benchmarks.loading_child", order, LoadMeasured, folder, environment)
