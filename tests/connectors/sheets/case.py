"""Google Sheets as the common suite takes it: the stand-in, behind a proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import JsonValue

from connectors.http import Patience
from connectors.sandbox.proxy import QUOTED, Proxy
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import Sheets, SheetsCredentials
from tests.connectors.every import PEOPLE, TABLE, Case, Held, Most, World, held
from tests.connectors.sheets.conftest import specs

PATIENCE = Patience(first_wait=0.01, back_off=0.05, longest_wait=1.5, answer=2.0, connect=1.0)


def connected(values: dict[str, JsonValue]) -> Sheets:
    made = SheetsCredentials.model_validate(values)
    return Sheets(made.model_copy(update={"patience": PATIENCE}), [TABLE])


def refusal(status: int) -> dict[str, object]:
    return {"error": {"code": status, "message": QUOTED, "status": "INVALID_ARGUMENT"}}


@contextmanager
def opened(_folder: Path) -> Iterator[World]:
    with SheetsServer(specs=specs()) as server, Proxy(server.url, refusal=refusal) as proxy:
        values = {**server.values, "url": proxy.url}

        def records(write: str) -> list[Held]:
            titles = [sheet.title for sheet in server.book.sheets]
            rows = server.people.records("people") if "people" in titles else []
            blank: dict[str, JsonValue] = dict.fromkeys(TABLE.columns)
            return [held(TABLE, {**blank, **whole(row)}) for row in rows]

        def alter() -> None:
            column = server.people.column("people", "full_name")
            server.people.type("people", 0, column, "renamed")

        yield World(
            connect=lambda: connected(values),
            samples=[PEOPLE],
            records=records,
            values=values,
            table=TABLE,
            proxy=proxy,
            alter=alter,
            writes=lambda: server.counted["write"],
            reads=lambda: server.counted["read"],
        )


def whole(row: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Google's numbers are doubles."""
    return {
        name: int(cell) if isinstance(cell, float) and cell.is_integer() else cell
        for name, cell in row.items()
    }


def _answers(path: str, answer: JsonValue) -> list[JsonValue] | None:
    """The rows that were put, after the header's."""
    puts = (
        answer["responses"]
        if "/values:batchUpdateByDataFilter" in path and isinstance(answer, dict)
        else None
    )
    return puts if isinstance(puts, list) else None


CASES = [
    Case(
        name="sheets",
        connector=Sheets,
        credentials=SheetsCredentials,
        opened=opened,
        sdk=("gspread", "google.auth", "requests"),
        answers=_answers,
        most=Most(writes=4, unit="requests", reads=10),
    )
]
