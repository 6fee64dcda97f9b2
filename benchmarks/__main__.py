"""Measure: `python -m benchmarks [--quick] [name …]`. Names: those of `BENCHMARKS`."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks import (
    against_dlt,
    deciding,
    engine,
    loading,
    machine,
    memory,
    model_requests,
    requests,
    reviewing,
    staging,
    targets,
)
from benchmarks.figures import FULL, QUICK, BenchmarkFailed, Measurement
from benchmarks.ground import Ground, prepared
from benchmarks.results import Results

BENCHMARKS: Mapping[str, Callable[[Ground], Measurement]] = {
    "requests": requests.measure,
    "targets": targets.measure,
    "model": model_requests.measure,
    "deciding": deciding.measure,
    "engine": engine.measure,
    "memory": memory.measure,
    "staging": staging.measure,
    "reviewing": reviewing.measure,
    "dlt": against_dlt.measure,
    "loading": loading.measure,
}
RESULTS = Path(__file__).with_name("RESULTS.md")


def main(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="requests, targets, model, deciding, engine, memory, staging, reviewing, dlt, loading"
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="small sizes: shows that it works, not how fast")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="where the results go as Markdown")] = None,
) -> None:
    """Measure the README's figures here and now. Everything full goes to benchmarks/RESULTS.md."""
    chosen = names or list(BENCHMARKS)
    if unknown := sorted(set(chosen) - set(BENCHMARKS)):
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    out = Console(width=None if sys.stdout.isatty() else 160)
    described = machine.described()
    measurements: list[Measurement] = []
    try:
        with prepared(QUICK if quick else FULL) as ground:
            for name in chosen:
                out.print(f"{name} …", style="dim")
                measurements.append(BENCHMARKS[name](ground))
    except BenchmarkFailed as failure:
        sys.stderr.write(f"benchmarks: {failure}\n")
        raise typer.Exit(1) from None
    results = Results(described, datetime.now(UTC).date(), measurements)
    results.show(out)
    if path := write or (None if quick or names else RESULTS):
        results.write(path)


if __name__ == "__main__":
    typer.run(main)
