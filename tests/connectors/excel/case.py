"""A workbook as the common suite takes it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openpyxl import load_workbook

from connectors.excel import Excel, ExcelCredentials
from tests.connectors.every import PEOPLE, TABLE, Case, Held, World, held

ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
NO_WIRE = "a file of this machine: nothing is sent"


def spelled(cell: object) -> object:
    """A text as Excel shows it: openpyxl leaves the file's escapes in (ECMA-376, ST_Xstring)."""
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), cell) if isinstance(cell, str) else cell


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    path = folder / "practice.xlsx"

    def records(write: str) -> list[Held]:
        if not path.exists():
            return []
        rows = list(load_workbook(path)["people"].iter_rows(values_only=True))
        names = [str(name).removesuffix(" (UTC)") for name in rows[0]]
        return [held(TABLE, dict(zip(names, map(spelled, row), strict=True))) for row in rows[1:]]

    def alter() -> None:
        book = load_workbook(path)
        header = next(cell for cell in book["people"][1] if cell.value == "full_name")
        header.value = "renamed"
        book.save(path)

    yield World(
        connect=lambda: Excel(ExcelCredentials(file=path), [TABLE]),
        samples=[PEOPLE],
        records=records,
        values={"file": str(path)},
        table=TABLE,
        alter=alter,
    )


CASES = [
    Case(
        name="excel",
        connector=Excel,
        credentials=ExcelCredentials,
        opened=opened,
        sdk=("openpyxl", "python_calamine"),
        exempt={
            "test_nasty_values['']": "Excel keeps no empty text: it clears the cell",
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
