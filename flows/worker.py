"""A worker of Prefect's with the sweeper beside it: takes up flow runs, and ends those that died."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from flows import sweeper
from flows.ledger.database import connect
from flows.ledger.stages import Stage
from flows.server import ROOT
from flows.settings import Settings
from flows.sweeper import Swept, noted

POOL = "local"
GRACE = 20.0  # seconds to end by itself


def work(pool: str, kind: str, told: Callable[[str], None]) -> int:
    """Work until the worker ends or this process is asked to; the worker's exit code.

    The worker's process is kept (flows/keeper.py): it ends with this one, however that ends.
    """
    command = [sys.executable, "-m", "flows.keeper", sys.executable, "-m", "prefect", "worker", "start"]
    child = subprocess.Popen(  # noqa: S603  # our own interpreter, no shell
        [*command, "--pool", pool, "--type", kind],
        stdin=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"DO_NOT_TRACK": "1"},
    )
    assert child.stdin is not None
    stdin = child.stdin

    def stop(_number: int, _frame: FrameType | None) -> None:
        stdin.close()  # the keeper ends the worker

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while True:
        try:
            return child.wait(Settings().lease_seconds / 2)
        except subprocess.TimeoutExpired:
            for failure in sweep(told):
                told(failure)


def sweep(told: Callable[[str], None]) -> list[str]:
    """Sweep once: end stages that are over, then flow runs that died; each that was ended is told.

    Returns:
        One line for each thing that could not be done. None of it is fatal: the next sweep tries again.
    """
    settings, failed = Settings(), list[str]()
    with noted(failed), ExitStack() as stack:
        ledger = connect(settings.ledger())
        stack.callback(ledger.dispose)
        with noted(failed):
            for stage in sweeper.end_stages(ledger, settings, failed):
                told(ended(stage))
        for one in sweeper.sweep(ledger, settings):
            told(line(one))
    return failed


def line(one: Swept) -> str:
    return f"{one.asked.label}: flow run {one.flow_run} set to Crashed: {one.message}"


def ended(stage: Stage) -> str:
    return f"{stage.label}: staging ended on {stage.ends:%Y-%m-%d}; its data is destroyed"
