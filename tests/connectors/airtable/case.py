"""Airtable as the common suite takes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue, SecretStr

from connectors.airtable import Airtable, AirtableCredentials
from connectors.http import Patience
from connectors.sandbox.airtable import TOKEN, AirtableStandIn
from connectors.sandbox.proxy import QUOTED, Proxy
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World, held

SHORT = Patience(attempts=3, first_wait=0.01, longest_wait=0.5, back_off=0.02, connect=1.0, answer=1.0)


def refusal(status: int) -> Mapping[str, object]:
    return {"error": {"type": "REFUSED", "message": QUOTED}}


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    with AirtableStandIn() as stand_in, Proxy(stand_in.url, refusal=refusal) as proxy:
        base = stand_in.base

        def connect() -> Airtable:
            credentials = AirtableCredentials(
                url=proxy.url, token=SecretStr(TOKEN), base=base.id, patience=SHORT
            )
            return Airtable(credentials, [TABLE])

        def records(write: str) -> list[Held]:
            if not base.tables:
                return []
            rows = base.rows("people")
            return [held(TABLE, {name: row.get(name) for name in TABLE.columns}) for row in rows]

        yield World(
            connect=connect,
            samples=[PEOPLE],
            records=records,
            values={"url": proxy.url, "token": TOKEN, "base": base.id},
            table=TABLE,
            proxy=proxy,
            alter=lambda: base.remove_field("people", "full_name"),
            writes=stand_in.writes,
            reads=lambda: sum(path.endswith("/listRecords") for _, path, _ in stand_in.journal),
        )


def _answers(_path: str, answer: JsonValue) -> list[JsonValue] | None:
    """An upsert's answer; a listing has no word of what was created."""
    records = answer["records"] if isinstance(answer, dict) and "createdRecords" in answer else None
    return records if isinstance(records, list) else None


CASES = [
    Case(
        name="airtable",
        connector=Airtable,
        credentials=AirtableCredentials,
        opened=opened,
        sdk=("pyairtable", "requests"),
        answers=_answers,
        most=Most(writes=100, unit="requests", reads=15),
        exempt={
            "test_nasty_values['']": "Airtable keeps no empty text: it clears the cell",
        },
    )
]
