"""Values in cells: nothing runs, nothing is cut, nothing is rounded."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import MAC_EPOCH
from pydantic import JsonValue

from connectors.excel import ExcelOptions
from connectors.operation import Item
from connectors.tabular import Column, Table
from tests.connectors.excel.sheets import part, upsert, write_in
from tests.connectors.nasty import KEYS, TEXTS

EVERYTHING = Table(
    name="everything",
    key=("id",),
    patient="id",
    columns={
        "id": Column(type="str"),
        "text": Column(type="str"),
        "number": Column(type="int"),
        "sum": Column(type="decimal"),
        "day": Column(type="date"),
        "at": Column(type="datetime"),
    },
)
HOSTILE = [
    *TEXTS,
    *KEYS,
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
    "#REF!",
    "#N/A",
    "{=1}",
    "_x0041_",
    "_x005F_x0041_",
]


def held(path: Path, key: str, *names: str) -> list[JsonValue]:
    write = write_in(path, table=EVERYTHING)
    assert write.present is not None
    found = write.present([Item("k", key, dict.fromkeys(names))])["k"]
    assert found is not None
    return [found[name] for name in names]


def test_no_text_ever_becomes_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    write = write_in(path, table=EVERYTHING)
    for _ in range(2):  # the second time, the first one's cells are read and written by openpyxl
        upsert(write, *((f"k{at}", {"text": text}) for at, text in enumerate(HOSTILE)), ("=1+1", {}))
    sheet = part(path, "xl/worksheets/sheet1.xml")

    assert b"<f" not in sheet and b't="e"' not in sheet and b't="b"' not in sheet
    kinds = re.findall(rb'<c r="B\d+"[^>]*?( t="\w+")', sheet)
    assert set(kinds) <= {b' t="inlineStr"', b' t="s"', b' t="n"'}
    for at, text in enumerate(HOSTILE):
        assert held(path, f"k{at}", "text") == [text or None]
    cells = [cell for row in load_workbook(path)["everything"].iter_rows() for cell in row]
    assert all(cell.quotePrefix for cell in cells if str(cell.value).startswith(("=", "+", "-", "@")))


def test_a_text_keeps_its_last_character_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    fits, long, wide = "x" * 32_766 + "z", "x" * 32_768, "𝒳" * 16_384
    codes = upsert(
        write_in(path, table=EVERYTHING),
        ("1", {"text": fits}), ("2", {"text": long}), ("3", {"text": wide}), ("4", {"text": "\x01" * 5000}),
    )  # fmt: skip

    assert codes == ["done", "too_long", "too_long", "too_long"]
    assert held(path, "1", "text") == [fits]


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    numbers = [0, -1, 10**15 - 1, 10**15, 2**53 + 1, -(2**63)]
    sums = ["0.1", "-0.000000001", "123456789012345", "1234567890123456.5", "9" * 29 + ".123456789"]
    write = write_in(path, table=EVERYTHING)
    upsert(write, *((f"n{at}", {"number": number}) for at, number in enumerate(numbers)))
    upsert(write, *((f"s{at}", {"sum": sum_}) for at, sum_ in enumerate(sums)))

    assert [held(path, f"n{at}", "number")[0] for at in range(len(numbers))] == numbers
    assert [held(path, f"s{at}", "sum")[0] for at in range(len(sums))] == sums
    sheet = load_workbook(path)["everything"]
    kinds = [type(sheet.cell(row, 3).value) for row in range(2, 8)]
    assert kinds == [int, int, int, str, str, str]
    assert sheet.cell(5, 3).number_format == "@"


@pytest.mark.parametrize("mac", [False, True])
def test_days_are_days(tmp_path: Path, mac: bool) -> None:
    path = tmp_path / "a.xlsx"
    book = Workbook()
    book.worksheets[0].title = "everything"
    if mac:
        book.epoch = MAC_EPOCH
    book.save(path)
    days = ["1904-01-02", "1980-02-29", "2026-03-29", "9999-12-31"]
    codes = upsert(
        write_in(path, table=EVERYTHING), *((day, {"day": day}) for day in days), ("x", {"day": "1903-12-31"})
    )

    assert codes == ["done"] * 4 + ["out_of_range"]
    assert [held(path, day, "day") for day in days] == [[day] for day in days]
    cell = load_workbook(path)["everything"].cell(2, 5)
    assert cell.is_date and isinstance(cell.value, datetime) and cell.value.date() == date(1904, 1, 2)


def test_times_are_the_zones_and_the_header_says_which(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    options = ExcelOptions(timezone="America/New_York")
    write = write_in(path, options, EVERYTHING)
    codes = upsert(
        write,
        ("1", {"at": "2026-07-01T12:00:00.250Z"}),
        ("2", {"at": "2026-11-01T05:30:00Z"}),  # 01:30 the first time
        ("3", {"at": "2026-11-01T06:30:00Z"}),  # 01:30 again
        ("4", {"at": "2026-07-01T12:00:00.000001Z"}),
    )

    assert codes == ["done", "done", "ambiguous_time", "too_precise"]
    sheet = load_workbook(path)["everything"]
    assert sheet.cell(1, 6).value == "at (America/New_York)"
    assert sheet.cell(2, 6).value == datetime(2026, 7, 1, 8, 0, 0, 250_000)  # noqa: DTZ001  # as people see it
    assert write.present is not None
    found = write.present([Item(key, key, {"at": None}) for key in "12"])
    assert [found[key] for key in "12"] == [
        {"at": "2026-07-01T12:00:00.250000Z"},
        {"at": "2026-11-01T05:30:00Z"},
    ]
