"""A workbook that people work in: what is theirs survives."""

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.table import Table as Listed

from connectors.excel import ExcelOptions, SheetOptions
from connectors.operation import Item
from connectors.tabular import Drift
from tests.connectors.excel.sheets import excel, part, peoples, repacked, shown, upsert, write_in


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "practice.xlsx"
    peoples(made)
    return made


def test_what_is_theirs_survives_many_writes(path: Path) -> None:
    before = shown(path)
    for visits in range(3, 6):
        rows = (("1", {"visits": visits}), ("3", {"name": "Cy"}), ("2", {"born_on": "1980-02-03"}))
        assert upsert(write_in(path), *rows) == ["done"] * 3
    after = shown(path)

    new = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert new == {
        "patients D2", "patients F1", "patients I1", "patients F4",  # a value, two headers, a value
        "patients A5", "patients B5", "patients D5",  # a row, looking like the one above it
    } - {"patients D5"}  # fmt: skip
    assert after["patients D2"] == (5, '0" visits"', False, "00000000", None, None)
    assert part(path, "xl/workbook.xml").count(b"visits_of_ana") == 1


def test_a_formatted_text_keeps_its_formats(path: Path) -> None:
    book = load_workbook(path)
    book["patients"]["C3"] = CellRichText("plain ", TextBlock(InlineFont(b=True), "bold"), "  end ")
    book.save(path)
    upsert(write_in(path), ("1", {"visits": 9}))

    kept = load_workbook(path, rich_text=True)["patients"]["C3"].value
    assert isinstance(kept, CellRichText)
    assert str(kept) == "plain bold  end "
    assert [bool(run.font.b) for run in kept if isinstance(run, TextBlock)] == [True]


def test_excel_calculates_again_when_it_opens_the_workbook(path: Path) -> None:
    book = part(path, "xl/workbook.xml").replace(b'fullCalcOnLoad="1"', b"")
    path.write_bytes(repacked(path.read_bytes(), {"xl/workbook.xml": book}))
    upsert(write_in(path), ("1", {"visits": 9}))

    assert b'fullCalcOnLoad="1"' not in book
    assert b'fullCalcOnLoad="1"' in part(path, "xl/workbook.xml")


@pytest.mark.parametrize(
    ("number", "form"),
    [
        ("60", "yyyy-mm-dd"),  # the 29th of February 1900, which never was
        ("46023.123456789", "yyyy-mm-dd hh:mm:ss"),
        ("0.123456789", "hh:mm"),
        ("1.123456789", "[h]:mm:ss"),
        ("3000000", "yyyy-mm-dd"),  # after the last day
        ("-1.5", "yyyy-mm-dd"),
    ],
)
def test_dates_and_times_of_theirs_stay_the_numbers_they_are(path: Path, number: str, form: str) -> None:
    book = load_workbook(path)
    book["Budget"]["A9"] = float(number)
    book["Budget"]["A9"].number_format = form
    book.save(path)
    before = part(path, "xl/worksheets/sheet2.xml")

    assert f"<v>{number}</v>".encode() in before
    assert upsert(write_in(path), ("1", {"visits": 9})) == ["done"]
    assert part(path, "xl/worksheets/sheet2.xml") == before


def test_a_formula_is_not_overwritten(path: Path) -> None:
    book = load_workbook(path)
    book["patients"]["B2"] = '=UPPER("ana")'
    book.save(path)

    assert upsert(write_in(path), ("1", {"name": "x"}), ("2", {"name": "y"})) == ["formula_there", "done"]
    assert load_workbook(path)["patients"]["B2"].value == '=UPPER("ana")'


def test_a_formula_in_the_key_stops_the_table(path: Path) -> None:
    book = load_workbook(path)
    book["patients"]["A4"] = "=A2"
    book.save(path)
    before = path.read_bytes()

    assert upsert(write_in(path), ("1", {"name": "x"})) == ["formula_in_key"]
    assert path.read_bytes() == before


def test_merged_cells_are_not_written(path: Path) -> None:
    book = load_workbook(path)
    book["patients"].merge_cells("A4:B4")
    book.save(path)

    assert upsert(write_in(path), ("2", {"name": "x"}), ("1", {"name": "y"})) == ["merged_cell", "done"]


def test_one_key_in_two_rows_stops_only_that_key(path: Path) -> None:
    book = load_workbook(path)
    book["patients"].append(["1", "Ana again"])
    book.save(path)

    assert upsert(write_in(path), ("1", {"name": "x"}), ("2", {"name": "y"})) == ["doubled_key", "done"]


def test_sorting_and_moving_do_no_harm(path: Path) -> None:
    book = load_workbook(path)
    sheet = book["patients"]
    sheet.unmerge_cells("G1:H2")
    sheet.insert_cols(1, 2)
    sheet.insert_rows(2, 3)
    book.save(path)
    upsert(write_in(path), ("2", {"name": "Bob"}))

    values = [row for row in load_workbook(path)["patients"].iter_rows(values_only=True) if row[2] == "2"]
    assert [row[3] for row in values] == ["Bob"]


def test_ids_that_excel_made_numbers_are_found(path: Path) -> None:
    book = load_workbook(path)
    book["patients"]["A2"] = 1
    book.save(path)

    assert upsert(write_in(path), ("1", {"name": "Ann"})) == ["done"]
    assert load_workbook(path)["patients"]["B2"].value == "Ann"


def test_a_list_of_excels_grows_with_its_rows(path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "patients"
    for row in (["patient_id", "name", "theirs"], ["1", "Ana", 1], ["2", "Bo", 2]):
        sheet.append(row)
    sheet.add_table(Listed(displayName="People", ref="A1:C3"))
    book.save(path)
    codes = upsert(write_in(path), ("3", {"name": "Cy"}), ("4", {"name": "Di"}), ("5", {"visits": 1}))

    listed = load_workbook(path)["patients"].tables["People"]
    assert codes == ["done", "done", "schema_drift"]
    assert (listed.ref, listed.autoFilter and listed.autoFilter.ref) == ("A1:C5", "A1:C5")
    assert [column.name for column in listed.tableColumns] == ["patient_id", "name", "theirs"]


def test_a_list_with_a_row_of_totals_gets_no_new_rows(path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "patients"
    for row in (["patient_id", "name"], ["1", "Ana"], ["Total", 1]):
        sheet.append(row)
    sheet.add_table(Listed(displayName="People", ref="A1:B3", totalsRowCount=1))
    book.save(path)

    assert upsert(write_in(path), ("1", {"name": "Ann"}), ("2", {"name": "Bo"})) == ["done", "totals_row"]


def test_formulas_that_were_not_calculated_yet_are_not_written_over(path: Path) -> None:
    book = load_workbook(path)
    book["patients"]["D7"], book["patients"]["K2"] = "=SUM(D2:D6)", "=D2+1"
    book.save(path)
    for at in range(2):
        upsert(write_in(path), (f"new{at}", {"visits": 1, "seen_at": "2026-01-01T00:00:00Z"}))
    sheet = load_workbook(path)["patients"]

    assert (sheet["D7"].value, sheet["K2"].value) == ("=SUM(D2:D6)", "=D2+1")
    assert [sheet[f"A{row}"].value for row in (7, 8, 9)] == [None, "new0", "new1"]
    assert [cell.value for cell in sheet[1]][10:] == [None, "born_on", "seen_at (UTC)"]


def test_a_list_beside_is_theirs(tmp_path: Path) -> None:
    path, book = tmp_path / "a.xlsx", Workbook()
    sheet = book.worksheets[0]
    sheet.title = "patients"
    for row in (["patient_id", "name", None, "colour", "code"], ["1", "Ana", None, "red", 1]):
        sheet.append(row)
    sheet.add_table(Listed(displayName="Colours", ref="D1:E2"))
    book.save(path)

    assert upsert(write_in(path), ("2", {"name": "Bo", "visits": 1})) == ["done"]
    assert load_workbook(path)["patients"].tables["Colours"].ref == "D1:E2"
    assert load_workbook(path)["patients"]["F1"].value == "visits"


def test_a_sheet_may_have_another_name_and_a_title_above_its_header(path: Path) -> None:
    book = load_workbook(path)
    sheet = book["Budget"]
    sheet["A5"], sheet["B5"] = "Healthie ID", "Full name"
    book.save(path)
    place = SheetOptions(
        sheet="budget", header_row=5, headers={"patient_id": "Healthie ID", "name": "Full name"}
    )
    upsert(write_in(path, ExcelOptions(sheets={"patients": place})), ("7", {"name": "Gil"}))

    rows = list(load_workbook(path)["Budget"].iter_rows(values_only=True))
    assert rows[0][0] == 12.5 and rows[1][0] == "=A1*2"
    assert rows[4][:3] == ("Healthie ID", "Full name", "visits")
    assert rows[5][:3] == ("7", "Gil", None)


def test_a_header_with_blanks_around_it_is_one_column(path: Path) -> None:
    options = ExcelOptions(sheets={"patients": SheetOptions(headers={"visits": " Number of\nvisits "})})
    for at in range(3):
        upsert(write_in(path, options), ("1", {"visits": at}))

    names = [cell.value for cell in load_workbook(path)["patients"][1]]
    assert names.count("Number of\nvisits") == 1


def test_drift_names_what_differs(path: Path) -> None:
    assert {(drift.column, drift.code) for drift in excel(path).drift()} == {
        ("born_on", "missing_column"), ("seen_at", "missing_column"), ("their note", "extra_column"),
        ("double", "extra_column"),
    }  # fmt: skip
    book = load_workbook(path)
    book["patients"]["A1"] = "id"
    book.save(path)
    before = path.read_bytes()
    assert Drift("patients", "patient_id", "missing_key") in excel(path).drift()
    assert upsert(write_in(path), ("1", {"name": "x"})) == ["schema_drift"]
    assert path.read_bytes() == before


def test_what_is_there_is_read_back(path: Path) -> None:
    write = write_in(path)
    upsert(write, ("1", {"name": "Ana", "visits": 7}))
    held = write.present and write.present([Item("k", "1", {"name": "", "visits": 0, "born_on": None})])

    assert held == {"k": {"name": "Ana", "visits": 7, "born_on": None}}
