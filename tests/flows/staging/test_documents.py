"""A stage over a MongoDB with a validator, unique indexes, versions: what is sent ends as it does there."""

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from connectors.operation import Item, Outcome
from connectors.sandbox.mongodb import StandIn
from flows.ledger.store import Ledger
from tests.campaign import FULL
from tests.connectors.mongodb.reaching import PATIENTS, POLICIES, database, mongo
from tests.flows.ledgers import held
from tests.flows.staging.alike import Step, ends_alike

SEEDS = range(300 if FULL else 6)
STEPS = 30
VALIDATOR = {
    "$jsonSchema": {
        "required": ["first_name"],
        "properties": {
            "first_name": {"bsonType": ["string", "null"]},
            "email": {"enum": ["a@x", "b@x", "c@x", "d@x", None]},
            "visits": {"maximum": 9},
        },
    }
}
VALUES: dict[str, Sequence[JsonValue]] = {
    "first_name": ("Ana", "Ben", "Cy", None, "x" * 21),
    "email": ("a@x", "b@x", "c@x", "d@x", "e@x", None),
    "visits": (1, 5, 10, None),
    "balance": ("1.5", "7", None),
    "seen_at": ("2026-03-01T12:00:00Z", "2026-04-01T12:00:00Z", "2026-03-01T12:00:00.000001Z"),
}
MARCH = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A practice with documents of its own, one of which no patient's."""
    with StandIn() as running:
        yield running


def made(server: StandIn, *unique: dict[str, Any], **options: object) -> None:
    with database(server) as own:
        own.database.command({"create": "patients", **options})
        own.database.patients.insert_many(
            [
                {"_id": "p0", "patient_id": "p0", "first_name": "Theirs", "email": "a@x", "seen_at": MARCH},
                {"_id": "p1", "patient_id": "p1", "first_name": "Theirs", "visits": 3},
                {"_id": "theirs", "first_name": "Theirs", "email": "c@x", "visits": 4},
            ]
        )
        if unique:
            own.database.command({"createIndexes": "patients", "indexes": list(unique)})


EMAIL = {"key": {"email": 1}, "name": "by_email", "unique": True}
PAIR = {"key": {"visits": 1, "balance": 1}, "name": "by_pair", "unique": True}


def random_steps(seed: int, names: Sequence[str]) -> list[Step]:
    chance, steps = random.Random(seed), list[Step]()
    for at in range(STEPS):
        asked = {"first_name", *chance.sample(sorted(names), chance.randrange(4))}
        if chance.random() < 0.1:
            asked -= {"first_name"}
        arguments = {name: chance.choice(VALUES[name]) for name in sorted(asked)}
        steps.append(("upsert_patients", Item(f"k{at}", f"p{chance.randrange(5)}", arguments)))
    return steps


def alike(server: StandIn, book: Ledger, steps: Sequence[Step], **newest: str) -> set[str]:
    def shown() -> object:
        writes = {name: server.commands[name] for name in ("insert", "update", "delete", "drop", "create")}
        return sorted(map(str, server.documents("patients"))), writes

    return ends_alike(
        lambda: mongo(server, PATIENTS, POLICIES, newest=newest, read_only=True),
        lambda: mongo(server, PATIENTS, POLICIES, newest=newest),
        book,
        steps,
        shown,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_sent_ends_in_a_stage_as_it_ends_there(server: StandIn, book: Ledger, seed: int) -> None:
    made(server, EMAIL, PAIR, validator=VALIDATOR)

    alike(server, book, random_steps(seed, ("email", "visits", "balance")))


def test_every_rule_is_met(server: StandIn, book: Ledger) -> None:
    made(server, EMAIL, validator=VALIDATOR)
    steps = [
        Item("missing", "p7", {"email": "b@x"}),
        Item("enum", "p7", {"first_name": "Ana", "email": "e@x"}),
        Item("double", "p7", {"first_name": "Ana", "email": "c@x"}),
        Item("null", "p7", {"first_name": "Ana"}),  # p1 has no e-mail, and one alone may have none
        Item("moved", "p0", {"email": "d@x"}),
        Item("free", "p7", {"first_name": "Ana", "email": "a@x"}),
        Item("taken", "p8", {"first_name": "Ana", "email": "d@x"}),
        Item("much", "p0", {"visits": 10}),
        Item("precise", "p0", {"seen_at": "2026-03-01T12:00:00.000001Z"}),
    ]

    ended = alike(server, book, [("upsert_patients", one) for one in steps])

    assert ended == {"done", *(f"rejected {code}" for code in ("check", "duplicate", "too_precise"))}


def test_what_is_older_than_the_document_is_superseded_there_too(server: StandIn, book: Ledger) -> None:
    made(server)
    steps = [
        Item("older", "p0", {"first_name": "Ana", "seen_at": "2026-03-01T12:00:00Z"}),
        Item("newer", "p0", {"first_name": "Ben", "seen_at": "2026-04-01T12:00:00Z"}),
        Item("always", "p0", {"first_name": "Cy"}),
    ]

    ended = alike(server, book, [("upsert_patients", one) for one in steps], patients="seen_at")

    assert ended == {"done", "superseded stale"}


def test_what_may_not_be_looked_at_refuses_nothing(book: Ledger) -> None:
    """A user who may only find: neither the indexes nor a validator's verdict are known then."""
    rights = ("find", "listCollections")
    with StandIn(users={"reader": "an invented word"}) as server:
        made(server, EMAIL)
        server.server.state.actions = rights
        connector = mongo(server, PATIENTS, read_only=True)
        write = connector.writes()["upsert_patients"]
        assert write.rules is not None and write.refuses is not None

        items = [Item("k", "p7", {"first_name": "Ana", "email": "a@x"})]
        assert (write.refuses(items), write.rules(items)) == ([], [])
        connector.close()


@pytest.mark.parametrize(("moderate", "skip", "refused"), [(False, 1, 100), (False, 0, 50), (True, 1, 0)])
def test_a_verdict_that_fails_takes_no_other_one_away(
    server: StandIn, *, moderate: bool, skip: int, refused: int
) -> None:
    """Of 150 documents in two commands, or of those that were there before, one is not answered."""
    with database(server) as own:
        level = "moderate" if moderate else "strict"
        own.database.command({"create": "patients", "validator": VALIDATOR, "validationLevel": level})
        own.database.patients.insert_many(
            [{"_id": f"n{at}", "patient_id": f"n{at}", "first_name": "Ana"} for at in range(50)]
        )
    number = 50 if moderate else 150
    connector = mongo(server, PATIENTS, read_only=True)
    write = connector.writes()["upsert_patients"]
    assert write.rules is not None
    server.fail("aggregate", times=1, skip=skip, errorCode=72)

    told = write.rules(
        [Item(f"k{at}", f"n{at}", {"first_name": "Ana", "email": "e@x"}) for at in range(number)]
    )

    assert sum(isinstance(one, Outcome) for one in told) == refused
    connector.close()
