"""A process that carries out one run after the other, and tells of each what it did to the world outside."""

import os
import platform
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path

from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_LEVEL, temporary_settings

import flows.sync
from flows.parameters import Parameters
from tests.flows.staging.recorder import Act, Recorder

Asked = tuple[Parameters, Mapping[str, str], Path]
"""A run, what is in the environment meanwhile, and the folder in which nothing is to be changed."""

Told = tuple[str, list[Act]]
"""The final state's name, and what was done."""


def serve(pipe: "Connection[Told, Asked | None]", environment: Mapping[str, str], log: str) -> None:
    """Run what comes, until None does."""
    os.environ.update(environment)
    with Path(log).open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    settings = {
        PREFECT_API_URL: environment["PREFECT_API_URL"],
        PREFECT_HOME: environment["PREFECT_HOME"],
        PREFECT_LOGGING_LEVEL: "WARNING",
    }
    platform.platform()  # Redshift's driver asks for it, and Python starts `uname`, once for a process
    recorder = Recorder()
    with temporary_settings(settings):
        while (asked := pipe.recv()) is not None:
            pipe.send(_carried(recorder, asked))


def _carried(recorder: Recorder, asked: Asked) -> Told:
    parameters, more, folder = asked
    before = dict(os.environ)
    os.environ.update(more)
    recorder.begin(folder)
    try:
        state = flows.sync.carried(parameters)
        name = f"{state.name} {state.message}"
    except BaseException:  # noqa: BLE001  # whatever it is, what was done until then is told
        name = traceback.format_exc()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return name, recorder.acts()
