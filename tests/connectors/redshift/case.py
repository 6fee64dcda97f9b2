"""Redshift as the common suite takes it: the stand-in behind a wire that can be cut."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.redshift import Redshift, RedshiftCredentials
from connectors.sandbox.wire import Wire
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World, held
from tests.connectors.redshift import places
from tests.connectors.sql import servers


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with (
        servers.postgresql() as server,
        places.opened(server) as warehouse,
        Wire(("127.0.0.1", warehouse.stand_in.port)) as wire,
    ):
        yield _behind(warehouse, wire)


def _behind(warehouse: places.Warehouse, wire: Wire) -> World:
    values = {**warehouse.values(wire.port), "silence": 2}
    made = RedshiftCredentials.model_validate(values)

    def records(_write: str) -> list[Held]:
        there = warehouse.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'people'"
        )
        names = [str(name) for (name,) in there]
        rows = warehouse.rows(f"SELECT {', '.join(names)} FROM people") if names else []
        return [held(TABLE, dict(zip(names, row, strict=True))) for row in rows]

    return World(
        connect=lambda: Redshift(made, [TABLE]),
        samples=[PEOPLE],
        records=records,
        values=values,
        table=TABLE,
        proxy=wire,
        alter=lambda: warehouse.run("ALTER TABLE people RENAME COLUMN full_name TO renamed"),
        writes=lambda: len(warehouse.stand_in.writes),
    )


CASES = [
    Case(
        name="redshift",
        connector=Redshift,
        credentials=RedshiftCredentials,
        opened=opened,
        wire=True,
        most=Most(writes=4, unit="statements"),
        sdk=("redshift_connector", "boto3", "botocore"),
        exempt={
            "test_an_absurd_wait_is_kept_by_all": "a warehouse asks for no wait",
            "test_each_item_gets_its_own_answer": "a load is one transaction, and has one answer",
            "test_a_revoked_token": "Redshift asks for the password once, when the connection is made",
        },
    )
]
