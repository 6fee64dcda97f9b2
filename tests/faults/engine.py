"""The engine's process: it runs the real flow with the environment it is given, and exits with a code."""

import logging
import os
import sys
import traceback
from datetime import datetime
from pathlib import Path
from typing import cast

from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_LEVEL, temporary_settings

import flows.detect
import flows.ledger.runs
import flows.run
import flows.sync
from flows import report
from flows.parameters import Kind, Parameters


def main(label: str, kind: str, environment: dict[str, str], log: str) -> None:
    """Never returns: exit code 0 complete, 3 incomplete, 1 failed."""
    os.environ.update(environment)
    with Path(log).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    settings = {
        PREFECT_API_URL: environment["PREFECT_API_URL"],
        PREFECT_HOME: environment["PREFECT_HOME"],
        PREFECT_LOGGING_LEVEL: environment.get("PREFECT_LOGGING_LEVEL", "INFO"),
    }
    if everything := environment.get("TEST_EVERYTHING_LOG"):
        _log_everything(everything)
    if moment := environment.get("TEST_MOMENT"):
        flows.run.now = lambda: datetime.fromisoformat(moment)
    if clock := environment.get("TEST_CLOCK"):  # the same for all that a run remembers of when it was
        flows.run.now = flows.detect.now = flows.ledger.runs.now = lambda: datetime.fromisoformat(clock)
    asked = Parameters.of(label, cast(Kind, kind))
    said = {"emit": environment.get("TEST_EMIT", "always"), "mode": environment.get("TEST_MODE", "live")}
    said["run"] = environment.get("TEST_RUN", "")  # of an undo
    asked = asked.model_copy(update=said)
    try:
        with temporary_settings(settings):
            state = flows.sync.carried(asked)
    except BaseException:  # noqa: BLE001  # whatever it is, the log must show it and the process must end
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    print("ended:", state.name, state.message, flush=True)
    ended_badly = state.is_failed() or state.is_crashed() or state.is_cancelled()
    code = 1 if ended_badly else 3 if state.name in report.WAITING else 0
    sys.stdout.flush()
    os._exit(code)


def _log_everything(path: str) -> None:
    """Every logger there is, ours and others', writes all it has to say into one file."""
    file = logging.FileHandler(path)
    named = [one for one in logging.Logger.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    for logger in (logging.getLogger(), *named):
        logger.setLevel(logging.DEBUG)
    for logger in (logging.getLogger(), logging.getLogger("prefect")):
        logger.addHandler(file)
