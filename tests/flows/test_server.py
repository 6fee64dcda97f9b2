import multiprocessing
import os
import signal
import time
from pathlib import Path

import httpx

from flows.server import LocalServer

SPAWN = multiprocessing.get_context("spawn")


def start(folder: Path, told: "multiprocessing.Queue[str]") -> None:
    server = LocalServer(folder)
    server.ready()
    told.put(server.url)
    time.sleep(120)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2.0, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_server_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    told = SPAWN.Queue()
    parent = SPAWN.Process(target=start, args=(tmp_path, told))
    parent.start()
    url = told.get(timeout=120)
    assert answers(url)

    assert parent.pid is not None
    os.kill(parent.pid, signal.SIGKILL)
    parent.join(10)

    deadline = time.monotonic() + 30
    while answers(url) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not answers(url)
    parent.close()
