"""Up and down: Prefect's server, a worker and a stand-in for Healthie on this machine, for trying out.

Each of them is a process in the background with a file of its own below `up/`: its number, when it began
(so that a number that was given again is told apart), and its address.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import httpx
from pydantic import JsonValue

from flows.errors import Spoken
from flows.ledger.lease import started
from flows.server import QUIET, ROOT, START, free_port, is_free
from flows.settings import Settings
from flows.worker import POOL

Told = Callable[[str], None]
ORDER = ("healthie", "prefect", "worker")
GRACE = 30.0  # seconds for a process to end by itself


class UpFailed(Spoken):
    """Something did not start. One line: what, and where its words are."""


@dataclass(frozen=True)
class Up:
    """One process in the background."""

    pid: int
    began: str
    url: str = ""

    def alive(self) -> bool:
        return started(self.pid) == self.began

    def stop(self) -> None:
        """End it: asked first, made to after a while, with its children."""
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.1)
        if self.alive():
            os.killpg(self.pid, signal.SIGKILL)


class Place:
    """The folder with the processes' files, their words and the environment for commands."""

    def __init__(self, settings: Settings) -> None:
        self.home = settings.home.resolve()
        self.folder = self.home / "up"
        self.folder.mkdir(parents=True, exist_ok=True)

    def known(self, name: str) -> Up | None:
        """The process, if it is still the one that was started."""
        path = self.folder / f"{name}.pid"
        if not path.exists():
            return None
        found = Up(**json.loads(path.read_text()))
        return found if found.alive() else None

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Start it in the background; an empty value takes its variable out of the environment."""
        whole = os.environ | QUIET | dict(environment)
        with (self.folder / f"{name}.log").open("wb") as log:
            child = subprocess.Popen(  # noqa: S603  # our own interpreter, no shell
                [sys.executable, *command],
                cwd=ROOT,
                env={variable: value for variable, value in whole.items() if value},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return child.pid

    def note(self, name: str, pid: int, url: str = "") -> Up:
        noted = Up(pid, started(pid), url)
        (self.folder / f"{name}.pid").write_text(json.dumps(vars(noted)))
        return noted

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def failed(self, name: str) -> UpFailed:
        return UpFailed(f"up: {name} did not start; its words are in {self.folder / f'{name}.log'}")


def up(settings: Settings, *, patients: int, port: int, told: Told) -> None:
    """Start what is not up yet and say how to go on.

    Raises:
        UpFailed: one of them ended, or did not answer in time; what was started stays, for `down`.
    """
    place = Place(settings)
    already = [name for name in ORDER if place.known(name)]
    if len(already) < len(ORDER):
        told("starting Prefect's server, a worker and a stand-in for Healthie (about 30 s) …")
    environment = _healthie(place, patients)
    server = _prefect(place, port)
    environment |= {"PREFECT_API_URL": f"{server.url}/api", "PREFECT_HOME": str(place.home / "prefect")}
    environment |= {"FERRY_HOME": str(place.home), "DO_NOT_TRACK": "1"}
    _write_environment(place, environment)
    _worker(place, environment)
    told("it is up already" if len(already) == len(ORDER) else "it is up")
    for line in _next(place, server.url):
        told(line)


def down(settings: Settings, *, told: Told) -> None:
    """Stop the processes that `up` noted, the last one first. What they kept stays."""
    place, number = Place(settings), 0
    for name in reversed(ORDER):
        if one := place.known(name):
            one.stop()
            number += 1
        (place.folder / f"{name}.pid").unlink(missing_ok=True)
    told(f"stopped {number} processes" if number else "nothing was up")


def _healthie(place: Place, patients: int) -> dict[str, str]:
    """The stand-in with synthetic patients; how an integration reaches it."""
    noted = place.known("healthie")
    if noted is None:
        command = ["-m", "connectors.sandbox.healthie", "--patients", str(patients), "--seed", "7"]
        pid = place.start("healthie", command, {"PYDANTIC_DISABLE_PLUGINS": "__all__"})
        noted = place.note("healthie", pid)
    ready = _first_line(place, noted)
    keys = ready["keys"]
    assert isinstance(keys, list)
    return {
        "DEMO_HEALTHIE_URL": f"{ready['url']}/graphql",
        "DEMO_HEALTHIE_KEY": str(keys[0]),
        "DEMO_WAREHOUSE_URL": f"sqlite:///{place.home / 'warehouse.db'}",
    }


def _first_line(place: Place, noted: Up) -> dict[str, JsonValue]:
    deadline = time.monotonic() + START
    while noted.alive() and time.monotonic() < deadline:
        line, end, _ = place.said("healthie").partition("\n")
        if end:
            return dict(json.loads(line))
        time.sleep(0.1)
    raise place.failed("healthie")


def _prefect(place: Place, port: int) -> Up:
    if noted := place.known("prefect"):
        return noted
    port = port if port and is_free(port) else free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PREFECT_HOME": str(place.home / "prefect"),
        "PREFECT_SERVER_UI_API_URL": f"{url}/api",
        "PREFECT_API_URL": "",
    }
    command = ["-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    noted = place.note("prefect", place.start("prefect", command, environment), url)
    deadline = time.monotonic() + START
    while noted.alive() and time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/api/health", timeout=2.0, trust_env=False).status_code == 200:
                return noted
        except httpx.TransportError:
            time.sleep(0.2)
    raise place.failed("prefect")


def _worker(place: Place, environment: Mapping[str, str]) -> None:
    """The worker makes its work pool itself if there is none. It is there once the server lists it."""
    if place.known("worker"):
        return
    noted = place.note(
        "worker", place.start("worker", ["-m", "flows", "worker", "--pool", POOL], environment)
    )
    workers = f"{environment['PREFECT_API_URL']}/work_pools/{POOL}/workers/filter"
    deadline = time.monotonic() + START
    while noted.alive() and time.monotonic() < deadline:
        answer = httpx.post(workers, json={}, timeout=5.0, trust_env=False)
        if answer.status_code == 200 and any(one["status"] == "ONLINE" for one in answer.json()):
            return
        time.sleep(0.3)
    raise place.failed("worker")


def _write_environment(place: Place, environment: Mapping[str, str]) -> None:
    """For the shell's `.`; readable by its owner alone, since it holds the stand-in's key."""
    path = place.folder / "environment"
    path.touch(mode=0o600)
    path.write_text("".join(f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()))


def _next(place: Place, url: str) -> list[str]:
    environment = place.folder / "environment"
    return [
        f"  the dashboard  {url}",
        f"  . {environment}    # how commands find all of it",
        "  .venv/bin/ferry deploy demo",
        "  .venv/bin/prefect deployment run sync/demo-warehouse --watch",
        "  make down",
    ]
