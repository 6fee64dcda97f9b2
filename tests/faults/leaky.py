"""A flow that leaks wherever one can: what the scanner must find, or it proves nothing by finding nothing."""

import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.settings import (
    PREFECT_API_URL,
    PREFECT_HOME,
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_LEVEL,
    temporary_settings,
)


@task(name="leaks", task_run_name="task of {name}", persist_result=True)
def leaks(name: str) -> str:
    return name


@task(name="fails")
def fails(name: str) -> None:
    raise ValueError(name)


@flow(name="leaky", flow_run_name="run of {name}", persist_result=True, log_prints=True)
def leaky(name: str) -> str:
    print("printed", name)
    get_run_logger().info("logged %s", name)
    create_markdown_artifact(f"artifact of {name}", key="leaky")
    leaks(name)
    fails(name)
    return name


def main(word: str, environment: dict[str, str], folder: str) -> None:
    """Never returns: everything that can leak has leaked."""
    os.environ.update(environment)
    settings = {
        PREFECT_API_URL: environment["PREFECT_API_URL"],
        PREFECT_HOME: environment["PREFECT_HOME"],
        PREFECT_LOCAL_STORAGE_PATH: str(Path(environment["PREFECT_HOME"]) / "storage"),
        PREFECT_LOGGING_LEVEL: "DEBUG",
    }
    with (Path(folder) / "leaky.log").open("a") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with temporary_settings(settings):
        leaky(word, return_state=True)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def plant(folder: Path, word: str, tap: int) -> None:
    """The leaks that are not Prefect's: files, their names, a database, the wire, a command line."""
    (folder / "content.txt").write_text(f"seen: {word}")
    (folder / f"name of {word}.txt").touch()
    connection = sqlite3.connect(folder / "clear.db")
    connection.execute("CREATE TABLE entry (code TEXT, sealed BLOB)")
    long = "x" * 6000 + word  # over the edge of a page, so that the file has it in pieces or far away
    connection.execute("INSERT INTO entry VALUES (?, ?)", (word, long.encode()))
    connection.commit()
    connection.close()
    url = f"http://127.0.0.1:{tap}/control/requests"
    httpx.get(url, params={"name": word}, trust_env=False)
    httpx.get(url, headers={"X-Name": word}, trust_env=False).raise_for_status()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.5)", word], check=True)
