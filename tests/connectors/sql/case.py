"""SQL as the common suite takes it: a SQLite file, and a PostgreSQL behind a wire that can be cut."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.sandbox.wire import Wire
from connectors.sql import Sql, SqlCredentials
from tests.connectors.every import PEOPLE, TABLE, Case, Held, World, held
from tests.connectors.sql import servers

NO_WIRE = "a file of this machine: nothing is sent"
NO_ENDPOINT = "its url is a database's: TLS beyond this machine, and the practice's own network is allowed"
NAMES = ", ".join(TABLE.columns)


@contextmanager
def sqlite(folder: Path) -> Iterator[World]:
    path = folder / "target.db"
    url = f"sqlite:///{path}"

    def records(write: str) -> list[Held]:
        connection = sqlite3.connect(path)
        names = [row[1] for row in connection.execute("PRAGMA table_info(people)")]
        rows = connection.execute("SELECT * FROM people").fetchall() if names else []
        connection.close()
        return [held(TABLE, dict(zip(names, row, strict=True))) for row in rows]

    def alter() -> None:
        connection = sqlite3.connect(path)
        connection.execute("ALTER TABLE people RENAME COLUMN full_name TO renamed")
        connection.close()

    yield World(
        connect=lambda: Sql(SqlCredentials(url=SecretStr(url)), [TABLE]),
        samples=[PEOPLE],
        records=records,
        values={"url": url},
        table=TABLE,
        alter=alter,
    )


@contextmanager
def mariadb(_folder: Path) -> Iterator[World]:
    program = servers.mariadbd()
    if program is None:
        pytest.skip(servers.NEEDS_MARIADB)
    with servers.mariadb(program) as server:
        yield _in(servers.new_database("mysql", server))


@contextmanager
def postgresql(_folder: Path) -> Iterator[World]:
    with servers.postgresql() as server:
        place = servers.new_database("postgresql", server)
        with Wire(place.behind, word="INSERT") as wire:
            yield _behind(place, wire)


def _behind(place: servers.Place, wire: Wire) -> World:
    return replace(_in(place, place.through(wire).url), proxy=wire)


def _in(place: servers.Place, url: str = "") -> World:
    url = url or place.url

    def records(write: str) -> list[Held]:
        there = place.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'people'")
        names = [str(name) for (name,) in there]
        rows = place.rows(f"SELECT {', '.join(names)} FROM people") if names else []
        return [held(TABLE, dict(zip(names, row, strict=True))) for row in rows]

    return World(
        connect=lambda: Sql(SqlCredentials(url=SecretStr(url)), [TABLE]),
        samples=[PEOPLE],
        records=records,
        values={"url": url},
        table=TABLE,
        alter=lambda: place.run("ALTER TABLE people RENAME COLUMN full_name TO renamed"),
    )


CASES = [
    Case(
        name="sql-sqlite",
        connector=Sql,
        credentials=SqlCredentials,
        opened=sqlite,
        exempt={
            "test_every_lost_answer": NO_WIRE,
            "test_faults": NO_WIRE,
            "test_a_read_that_fails_says_nothing": NO_WIRE,
            "test_each_item_gets_its_own_answer": NO_WIRE,
            "test_a_request_is_repeated_a_few_times_at_most": NO_WIRE,
            "test_an_absurd_wait_is_kept_by_all": NO_WIRE,
            "test_a_revoked_token": NO_WIRE,
            "test_an_endpoint_is_public": NO_ENDPOINT,
        },
    ),
    Case(
        name="sql-postgresql",
        connector=Sql,
        credentials=SqlCredentials,
        opened=postgresql,
        wire=True,
        exempt={
            "test_an_absurd_wait_is_kept_by_all": "a database asks for no wait",
            "test_each_item_gets_its_own_answer": "a transaction has one answer, which is of all rows",
            "test_a_read_that_fails_says_nothing": "its wire sees inserts alone, so as to count them",
            "test_a_revoked_token": "PostgreSQL asks for the password once, when the connection is made",
            "test_an_endpoint_is_public": NO_ENDPOINT,
        },
    ),
]

MARIADB = Case(name="sql-mariadb", connector=Sql, credentials=SqlCredentials, opened=mariadb)
"""For tests that need each engine: the common suite takes the two above."""
