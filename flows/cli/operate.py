"""Operating: worker, sweep, up, down."""

import sys
import time
from typing import Annotated

import typer

from flows import worker as working
from flows.cli.app import app, out, say
from flows.settings import Settings
from flows.up import down as take_down
from flows.up import up as put_up


@app.command()
def worker(
    pool: Annotated[str, typer.Option(help="the work pool it takes flow runs from")] = working.POOL,
    kind: Annotated[str, typer.Option("--type", help="process, or cloud-run-v2")] = "process",
) -> None:
    """Start a Prefect worker, with the sweeper beside it, and work until interrupted."""
    sys.exit(working.work(pool, kind, _tell))


@app.command()
def sweep(
    every: Annotated[float, typer.Option(help="seconds; again and again instead of once")] = 0.0,
) -> None:
    """Set to Crashed every flow run whose process is gone, and end stages whose time is over. For cron."""
    while True:
        failed = working.sweep(say)
        for failure in failed:
            typer.echo(f"ferry: {failure}", err=True)
        if not every:
            raise typer.Exit(1 if failed else 0)
        out.file.flush()
        time.sleep(every)


@app.command()
def up(
    patients: Annotated[int, typer.Option(help="how many synthetic patients the stand-in has")] = 200,
    port: Annotated[int, typer.Option(help="the dashboard's; 0 takes a free one")] = 4200,
) -> None:
    """Start Prefect's server, a worker and a stand-in for Healthie on this machine, in the background."""
    put_up(Settings(), patients=patients, port=port, told=say)


@app.command()
def down() -> None:
    """Stop what `ferry up` started, and nothing else."""
    take_down(Settings(), told=say)


def _tell(line: str) -> None:
    """One line at once, also where the output goes to a file."""
    say(line)
    out.file.flush()
