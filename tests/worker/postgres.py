"""PostgreSQL with the extension that Prefect asks for (pg_trgm): Debian's; the packaged one has none."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

READY = 60.0  # seconds
QUICK = ("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200")


def programs() -> Path:
    """The folder with initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    trigrams = list(Path("/usr/share/postgresql").glob("*/extension/pg_trgm.control"))
    if not found or not trigrams:
        pytest.skip("needs Debian's postgresql: apt-get install postgresql")
    return found[-1].parent


@contextmanager
def served() -> Iterator[str]:
    """The URL of a new server's database `prefect`; its socket is a file, nothing listens on the network."""
    there, folder = programs(), Path(tempfile.mkdtemp(prefix="ferry-pg-"))
    user = None
    if os.getuid() == 0:  # it does not run as root
        user = "postgres"
        shutil.chown(folder, user)
    command = [str(there / "initdb"), "-D", str(folder / "data"), "-U", "ferry", "-A", "trust", "--no-sync"]
    subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL, cwd="/")
    server = subprocess.Popen(
        [str(there / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *QUICK],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = sa.URL.create("postgresql+psycopg", "ferry", database="postgres", query={"host": str(folder)})
        _make(url)
        yield url.set(database="prefect").render_as_string(hide_password=False)
    finally:
        server.send_signal(signal.SIGINT)  # fast: without waiting for its clients
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _make(url: sa.URL) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    deadline = time.monotonic() + READY
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(sa.text("CREATE DATABASE prefect"))
            return
        except OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
