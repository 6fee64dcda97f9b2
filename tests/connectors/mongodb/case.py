"""MongoDB as the common suite takes it: the stand-in behind a wire that can be cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bson.decimal128 import Decimal128
from pydantic import SecretStr

from connectors.mongodb import Mongo, MongoCredentials
from connectors.sandbox.mongodb import DATABASE, StandIn
from connectors.sandbox.wire import Wire
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World, held

ANSWER = 1.0  # seconds
PASSWORD = "an-invented-password"


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with StandIn(users={"ferry": PASSWORD}) as server:
        host, port = server.address.split(":")
        with Wire((host, int(port)), word=TABLE.name) as wire:
            server.server.state.address = (
                f"127.0.0.1:{wire.port}"  # where a driver then looks for the primary
            )
            yield _behind(server, wire)


def _behind(server: StandIn, wire: Wire) -> World:
    url = f"mongodb://ferry:{PASSWORD}@127.0.0.1:{wire.port}/{DATABASE}?authSource=admin"

    def records(write: str) -> list[Held]:
        return [
            held(TABLE, {name: _plain(value) for name, value in document.items()})
            for document in server.documents(TABLE.name)
        ]

    def alter() -> None:
        """A validator that knows no full_name. Documents that have one can be changed no more."""
        known = {name: {} for name in TABLE.columns if name != "full_name"}
        rule = {"$jsonSchema": {"properties": known, "additionalProperties": False}}
        collection = server.server.state.collection(DATABASE, TABLE.name)
        collection.options |= {"validator": rule}

    return World(
        connect=lambda: Mongo(MongoCredentials(url=SecretStr(url), answer=ANSWER), [TABLE]),
        samples=[PEOPLE],
        records=records,
        values={"url": url, "answer": ANSWER},
        table=TABLE,
        proxy=wire,
        alter=alter,
        writes=lambda: server.commands["update"],
        reads=lambda: server.commands["find"] + server.commands["getMore"],
    )


def _plain(value: object) -> object:
    return value.to_decimal() if isinstance(value, Decimal128) else value


CASES = [
    Case(
        name="mongodb",
        connector=Mongo,
        credentials=MongoCredentials,
        opened=opened,
        wire=True,
        sdk=("pymongo", "bson"),
        most=Most(writes=2, unit="commands", reads=8),
        exempt={
            "test_an_absurd_wait_is_kept_by_all": "a MongoDB asks for no wait",
            "test_each_item_gets_its_own_answer": "its answer counts, and names what it refused by number",
            "test_a_revoked_token": "MongoDB asks for the password once, when the connection is made",
        },
    )
]
