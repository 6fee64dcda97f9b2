"""CSV files as the common suite takes them."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.csv import Csv, CsvCredentials, Format
from tests.connectors.every import PEOPLE, TABLE, Case, Held, World, held

NO_WIRE = "a folder of this machine: nothing is sent"


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    path = folder / "people.csv"
    form = Format(null="NIL")  # which no other reader takes for the empty text

    def records(write: str) -> list[Held]:
        if not path.exists():
            return []
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [
            held(TABLE, {name: None if cell == form.null else cell for name, cell in row.items()})
            for row in rows
        ]

    def alter() -> None:
        path.write_text(path.read_text().replace("full_name", "renamed", 1))

    yield World(
        connect=lambda: Csv(CsvCredentials(folder=folder), [TABLE], form),
        samples=[PEOPLE],
        records=records,
        values={"folder": str(folder)},
        options=form.model_dump(mode="json"),
        table=TABLE,
        alter=alter,
    )


CASES = [
    Case(
        name="csv",
        connector=Csv,
        credentials=CsvCredentials,
        opened=opened,
        exempt={
            "test_every_lost_answer": NO_WIRE,
            "test_faults": NO_WIRE,
            "test_a_read_that_fails_says_nothing": NO_WIRE,
            "test_each_item_gets_its_own_answer": NO_WIRE,
            "test_a_request_is_repeated_a_few_times_at_most": NO_WIRE,
            "test_an_absurd_wait_is_kept_by_all": NO_WIRE,
            "test_a_revoked_token": NO_WIRE,
            "test_an_endpoint_is_public": NO_WIRE,
        },
    )
]
