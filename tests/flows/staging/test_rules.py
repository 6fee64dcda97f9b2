"""A stage over a database with rules of its own: whatever is sent, it ends as it would end there.

The same items go to the stage first, which leaves the database as it is, and then to the database.
"""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from connectors.operation import Arguments, Item
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Column, Table
from flows.ledger.store import Ledger
from flows.staging import Stage
from tests.campaign import FULL
from tests.connectors.sql.conftest import (
    mariadb_server,
    mysql,
    place,
    postgresql,
    postgresql_server,
    sqlite,
)
from tests.connectors.sql.servers import Place
from tests.flows.ledgers import held
from tests.flows.staging.alike import Step, ends_alike

__all__ = ["mariadb_server", "mysql", "place", "postgresql", "postgresql_server", "sqlite"]

SEEDS = range(300 if FULL else 3)
STEPS = 30
KEY = {"sqlite": "TEXT", "postgresql": "VARCHAR(50)", "mysql": "VARCHAR(50) COLLATE utf8mb4_bin"}
MADE = (
    "CREATE TABLE clinics (id {key} PRIMARY KEY)",
    "CREATE TABLE patients (patient_id {key} PRIMARY KEY, name VARCHAR(20) NOT NULL, email VARCHAR(50), "
    "status VARCHAR(10) CHECK (status IN ('new', 'old:1', '5%')), low BIGINT, high BIGINT, clinic {key}, "
    "legacy VARCHAR(10) DEFAULT 'free', kind VARCHAR(10) NOT NULL DEFAULT 'plain', "
    "CHECK (low <= high), CHECK (legacy <> 'locked' OR status IS NULL), UNIQUE (low, high), "
    "FOREIGN KEY (clinic) REFERENCES clinics (id))",
    "CREATE UNIQUE INDEX by_email ON patients (email)",
    "CREATE TABLE policies (patient_id {key} NOT NULL, number {key} NOT NULL, payer VARCHAR(20), "
    "PRIMARY KEY (patient_id, number), FOREIGN KEY (patient_id) REFERENCES patients (patient_id))",
    "INSERT INTO clinics VALUES ('north')",
    "INSERT INTO patients (patient_id, name, email, status, low, high, legacy) "
    "VALUES ('p0', 'Theirs', 'a@x', NULL, 1, 9, 'locked'), ('p1', 'Theirs', 'b@x', 'new', 2, 9, 'free'), "
    "('theirs', 'Theirs', 'c@x', 'new', 3, 9, 'free')",
)
PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        **{name: Column(type="str") for name in ("name", "email", "status", "clinic", "kind")},
        **{name: Column(type="int") for name in ("low", "high")},
    },
)
POLICIES = Table(
    name="policies",
    key=("patient_id", "number"),
    patient="patient_id",
    columns={name: Column(type="str") for name in ("patient_id", "number", "payer")},
)
VALUES: dict[str, Sequence[JsonValue]] = {
    "name": ("Ana", "Ben", "Ana", "Ben", "Cy", None, "x" * 21),
    "email": ("a@x", "b@x", "c@x", "d@x", "D@x", None),
    "status": ("new", "old:1", "5%", "lost", None),
    "clinic": ("north", "north", "south", None),
    "kind": ("plain", "other", None),
    "low": (1, 2, 5, None),
    "high": (4, 9, None),
}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


def made(place: Place) -> None:
    percent = "%" if place.kind == "sqlite" else "%%"  # the other drivers take one for a parameter
    place.run(*(one.format(key=KEY[place.kind]).replace("%", percent) for one in MADE))


def random_steps(seed: int) -> list[Step]:
    """What is sent, one after the other: mostly sound, and now and then against a rule."""
    chance, steps = random.Random(seed), list[Step]()
    for at in range(STEPS):
        patient = f"p{chance.randrange(5)}"
        if chance.random() < 0.2:
            steps.append(("upsert_policies", Item(f"k{at}", patient, {"number": str(chance.randrange(3))})))
            continue
        names = {"name", *chance.sample(sorted(VALUES), chance.randrange(4))}
        if chance.random() < 0.1:
            names -= {"name"}
        arguments: Arguments = {name: chance.choice(VALUES[name]) for name in sorted(names)}
        if (
            arguments.get("clinic") == "south"
        ):  # which of two keys MariaDB looks at first is a matter of taste
            arguments = {name: arguments[name] for name in arguments.keys() - {"email", "low", "high"}}
        steps.append(("upsert_patients", Item(f"k{at}", patient, arguments)))
    return steps


def rows(place: Place) -> list[tuple[object, ...]]:
    tables = ("clinics", "patients", "policies")
    return [row for name in tables for row in sorted(place.rows(f"SELECT * FROM {name}"), key=str)]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_sent_ends_in_a_stage_as_it_ends_there(place: Place, book: Ledger, seed: int) -> None:
    made(place)

    ends_alike(
        lambda: place.sql(PATIENTS, POLICIES, read_only=True),
        lambda: place.sql(PATIENTS, POLICIES),
        book,
        random_steps(seed),
        lambda: rows(place),
    )


def test_every_rule_is_met(place: Place, book: Ledger) -> None:
    made(place)
    steps = [
        Item("null", "p7", {"name": None}),
        Item("missing", "p7", {"email": "e@x"}),
        Item("check", "p7", {"name": "Ana", "status": "lost"}),
        Item("theirs", "p0", {"name": "Ana", "status": "new"}),  # against a column that is not declared
        Item("double", "p7", {"name": "Ana", "email": "a@x"}),
        Item("moved", "p0", {"name": "Ana", "email": "z@x"}),
        Item("free", "p7", {"name": "Ana", "email": "a@x"}),
        Item("taken", "p8", {"name": "Ana", "email": "z@x"}),
        Item("case", "p8", {"name": "Ana", "email": "Z@x"}),
        Item("nobody", "p8", {"name": "Ana", "clinic": "south"}),
        Item("both", "p0", {"name": "Ana", "status": "new", "clinic": "south"}),
        Item("wide", "p8", {"name": "x" * 21}),
    ]
    orphan = ("upsert_policies", Item("orphan", "p9", {"number": "1"}))
    child = ("upsert_policies", Item("child", "p7", {"number": "1"}))

    ended = ends_alike(
        lambda: place.sql(PATIENTS, POLICIES, read_only=True),
        lambda: place.sql(PATIENTS, POLICIES),
        book,
        [*(("upsert_patients", one) for one in steps), orphan, child],
        lambda: rows(place),
    )

    refused = {"not_null", "check", "duplicate", "too_long", "foreign_key"}
    if place.kind == "sqlite":
        refused -= {"foreign_key"}  # it looks at none, unless a connection asks for it
    assert ended == {"done", *(f"rejected {code}" for code in refused)}


def test_a_batch_ends_as_its_items_would(place: Place, book: Ledger) -> None:
    """Of two records that want one value the first has it; a record that is met twice is met in order."""
    made(place)
    items = [
        Item("first", "p7", {"name": "Ana", "email": "n@x"}),
        Item("second", "p8", {"name": "Ben", "email": "n@x"}),
        Item("once", "p9", {"name": "Cy", "low": 5}),
        Item("again", "p9", {"name": "Cy", "high": 4}),
    ]
    with closing(Stage("t", place.sql(PATIENTS, POLICIES, read_only=True), book)) as stage:
        told = {one.key: one.code for one in stage.writes()["upsert_patients"].send(items)}
    with closing(place.sql(PATIENTS, POLICIES)) as live:
        ended = {one.key: one.code for one in live.writes()["upsert_patients"].send(items)}

    assert told == ended == {"first": "", "second": "duplicate", "once": "", "again": "check"}


def test_a_file_in_wal_mode_stays_as_it_is(tmp_path: Path, book: Ledger) -> None:
    """SQLite keeps its index of the log beside the file, also for who only reads: nothing else is made."""
    path = tmp_path / "wal" / "practice.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA journal_mode = wal")
        own.execute("CREATE TABLE patients (patient_id TEXT PRIMARY KEY, name TEXT)")
        own.execute("INSERT INTO patients VALUES ('p0', 'Theirs')")
        own.commit()
    before = path.read_bytes()
    columns = {name: Column(type="str") for name in ("patient_id", "name")}
    table = Table(name="patients", key=("patient_id",), patient="patient_id", columns=columns)
    reading = Sql(SqlCredentials(url=SecretStr(f"sqlite:///{path}")), [table], read_only=True)
    with closing(Stage("t", reading, book)) as stage:
        write, item = stage.writes()["upsert_patients"], Item("k", "p0", {"name": "Ana"})
        assert write.present is not None
        assert write.present([item]) == {"k": {"name": "Theirs"}}
        assert [one.state for one in write.send([item])] == ["done"]

    assert path.read_bytes() == before
    beside = {one.name: one.stat().st_size for one in path.parent.iterdir() if one != path}
    assert beside.keys() <= {"practice.db-shm", "practice.db-wal"}
    assert beside.get("practice.db-wal", 0) == 0
