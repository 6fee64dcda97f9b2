"""Operating: worker, sweep, up, down."""

import sys
import time
from typing import Annotated

import typer

from flows import worker as working
from flows.cli.app import app, out, say
from flows.ledger.database import connect
from flows.settings import Settings
from flows.sweeper import end_stages
from flows.sweeper import sweep as swept_runs
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
    settings = Settings()
    while True:
        ledger = connect(settings.ledger())
        try:
            for stage in end_stages(ledger, settings):
                say(working.ended(stage))
            for one in swept_runs(ledger, settings):
                say(working.line(one))
        finally:
            ledger.dispose()
        if not every:
            return
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
