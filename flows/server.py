"""A Prefect server of our own for a run on this machine, where no PREFECT_API_URL names one."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, PREFECT_LOGGING_LEVEL, temporary_settings

from flows.errors import ServerUnavailable

ROOT = Path(__file__).resolve().parents[1]
START = 120.0  # seconds; it takes 12 to 35 on two cores
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "500",
    "PREFECT_SERVER_DATABASE_TIMEOUT": "60",  # seconds; a busy SQLite is waited for, not answered with 503
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


class LocalServer:
    """A running `prefect server`, its data below a folder. Stop it with `stop`."""

    def __init__(self, home: Path, database: str = "") -> None:
        """Starts the server and returns at once; `ready` waits for it.

        Its database is SQLite below `home`, or `database`: a URL for asyncpg.
        """
        self.home = home.resolve()
        self.home.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self._log = (self.home / "server.log").open("ab")
        environment = os.environ | QUIET | {"PREFECT_HOME": str(self.home)}
        environment["PREFECT_SERVER_UI_API_URL"] = self.url  # else the dashboard looks on the default port
        environment.pop("PREFECT_API_URL", None)
        if database:
            environment["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
        command = [sys.executable, "-m", "flows.keeper", sys.executable, "-m", "prefect", "server", "start"]
        self.process = subprocess.Popen(  # noqa: S603  # our own interpreter, no shell, no outside input
            [*command, "--host", "127.0.0.1", "--port", str(self.port)],
            env=environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=self._log,
        )

    def ready(self) -> None:
        """Raises ServerUnavailable if it ended, or does not answer in time."""
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerUnavailable(f"prefect: the server ended; see {self.home / 'server.log'}")
            try:
                if httpx.get(f"{self.url}/health", timeout=2.0, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise ServerUnavailable(f"prefect: no answer after {START:.0f} s; see {self.home / 'server.log'}")

    def stop(self) -> None:
        """End the server; the keeper ends it too if this process ends without."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self._log.close()


@contextmanager
def at_hand(home: Path) -> Generator[str]:
    """The address of a Prefect server: the configured one, or one of our own while this lasts."""
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    server = LocalServer(home)
    try:
        server.ready()
        with temporary_settings(
            {
                PREFECT_API_URL: server.url,
                PREFECT_HOME: str(server.home),
                PREFECT_LOGGING_LEVEL: "WARNING",
            }
        ):
            yield server.url
            wait_for_records(server.url)
    finally:
        server.stop()


def wait_for_records(url: str, *, limit: float = 30.0) -> bool:
    """Wait until the server has recorded the end of every task run it knows. False if it did not."""
    unfinished = {"task_runs": {"state": {"type": {"any_": ["PENDING", "RUNNING", "SCHEDULED"]}}}}
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        answer = httpx.post(f"{url}/task_runs/count", json=unfinished, timeout=10.0, trust_env=False)
        if answer.json() == 0:
            return True
        time.sleep(0.3)
    return False


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
