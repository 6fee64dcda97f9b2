"""`ferry up` and `ferry down`, as `make up` and `make down` call them."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from flows.server import ROOT
from tests.worker.processes import below, said_to

NAMES = ("prefect", "healthie", "worker")


def ferry(home: Path, *arguments: str, **extra: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "FERRY_"))}
    return subprocess.run(
        [sys.executable, "-m", "flows", *arguments],
        env=clean | {"FERRY_HOME": str(home), "DO_NOT_TRACK": "1"} | extra,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def pids(home: Path) -> dict[str, int]:
    files = {name: home / "up" / f"{name}.pid" for name in NAMES}
    return {name: json.loads(file.read_text())["pid"] for name, file in files.items() if file.exists()}


def environment(home: Path) -> dict[str, str]:
    """What a shell gets from `. environment`."""
    lines = (home / "up" / "environment").read_text().splitlines()
    pairs = [shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines]
    return {name: value for name, _, value in pairs}


@pytest.mark.timeout(1200)
def test_up_starts_all_of_it_once_and_down_stops_exactly_that(tmp_path: Path) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    first = ferry(tmp_path, "up", "--patients", "20", "--port", "0")
    try:
        assert first.returncode == 0, first.stderr
        address = re.search(r"the dashboard +(http://127\.0\.0\.1:\d+)", first.stdout)
        assert address and "it is up" in first.stdout
        assert "<html" in httpx.get(address[1], follow_redirects=True, trust_env=False).text.lower()
        started = pids(tmp_path)
        everything = [one for pid in started.values() for one in (pid, *below(pid))]
        again = ferry(tmp_path, "up")

        assert "it is up already" in again.stdout and address[1] in again.stdout
        assert pids(tmp_path) == started
        assert (tmp_path / "up" / "environment").stat().st_mode & 0o077 == 0
        a_run_arrives(tmp_path, first.stdout)
    finally:
        stopped = ferry(tmp_path, "down")

    assert "stopped 3 processes" in stopped.stdout, stopped.stderr
    assert [said_to(one) for one in everything if said_to(one)] == []
    assert pids(tmp_path) == {}
    assert "nothing was up" in ferry(tmp_path, "down").stdout
    assert other.poll() is None
    other.kill()
    other.wait()


def words(command: str) -> list[str]:
    """A command of the virtual environment as a module and its arguments."""
    program, *rest = shlex.split(command)
    return [{".venv/bin/ferry": "flows", ".venv/bin/prefect": "prefect"}[program], *rest]


def a_run_arrives(home: Path, said: str) -> None:
    """The commands that `up` printed, typed as they stand."""
    commands = [line.strip() for line in said.splitlines() if line.strip().startswith(".venv/bin/")]
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", *words(command)],
            env=os.environ | environment(home),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    engine = sa.create_engine(environment(home)["DEMO_WAREHOUSE_URL"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM patients")).scalar_one() == 20


def test_a_number_that_was_given_again_is_not_stopped(tmp_path: Path) -> None:
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (tmp_path / "up").mkdir()
    noted = {"pid": innocent.pid, "began": "12345", "url": ""}
    (tmp_path / "up" / "worker.pid").write_text(json.dumps(noted))

    said = ferry(tmp_path, "down").stdout

    assert "nothing was up" in said
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("", "ferry: prefect: no server is named; "),
        ("http://127.0.0.1:9/api", "ferry: prefect: the server at http://127.0.0.1:9/api does not answer ("),
    ],
)
def test_a_sweep_without_a_server_is_one_line(tmp_path: Path, url: str, line: str) -> None:
    failed = ferry(tmp_path, "sweep", **({"PREFECT_API_URL": url} if url else {}))

    assert failed.returncode == 1
    assert len(failed.stderr.strip().splitlines()) == 1
    assert failed.stderr.startswith(line)
