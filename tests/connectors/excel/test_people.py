"""A workbook that people work in: what is theirs survives, and what could not is refused."""

from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.table import Table as Listed

from connectors.errors import Rejected
from connectors.excel import ExcelOptions, SheetOptions
from connectors.operation import Item
from connectors.tabular import Drift
from tests.connectors.excel.sheets import excel, part, peoples, repacked, shown, upsert, write_in

SHEET = "xl/worksheets/sheet1.xml"


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


@pytest.mark.parametrize(
    "parts",
    [
        {"xl/media/image1.png": b"x"},
        {"xl/drawings/drawing1.xml": b"<x/>"},
        {"xl/charts/chart1.xml": b"<x/>"},
        {"xl/vbaProject.bin": b"x"},
        {"xl/threadedComments/threadedComment1.xml": b"<x/>"},
        {"xl/pivotTables/pivotTable1.xml": b"<x/>"},
        {"xl/slicers/slicer1.xml": b"<x/>"},
        {"xl/externalLinks/externalLink1.xml": b"<x/>"},
        {"xl/metadata.xml": b"<x/>"},
        {"xl/ctrlProps/ctrlProp1.xml": b"<x/>"},
        {"xl/embeddings/oleObject1.bin": b"x"},
        {"xl/something/new.xml": b"<x/>"},
        {"customXml/item1.xml": b"<x/>"},
        {"docMetadata/LabelInfo.xml": b"<x/>"},
        {"xl/drawings/vmlDrawing9.vml": b'<x><ClientData ObjectType="Button"/></x>'},
    ],
    ids=lambda parts: next(iter(parts)),
)
def test_a_workbook_that_would_lose_a_part_is_not_touched(path: Path, parts: dict[str, bytes]) -> None:
    path.write_bytes(repacked(path.read_bytes(), parts))
    _refused(path, "would_be_lost")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"</worksheet>", b'<extLst><ext uri="{05C60535}"><x/></ext></extLst></worksheet>'),
        (b"</worksheet>", b"<protectedRanges/></worksheet>"),
        (b"<legacyDrawing", b"<headerFooter><oddHeader>plain</oddHeader></headerFooter><legacyDrawing"),
        (b"</worksheet>", b"<somethingNew/></worksheet>"),
        (b'<c r="A2"', b'<c cm="1" r="A2"'),
    ],
    ids=["newer formats", "protected ranges", "header", "new", "dynamic arrays"],
)
def test_a_sheet_that_would_lose_a_setting_is_not_touched(path: Path, before: bytes, after: bytes) -> None:
    sheet = part(path, SHEET)
    assert before in sheet
    path.write_bytes(repacked(path.read_bytes(), {SHEET: sheet.replace(before, after, 1)}))
    _refused(path, "would_be_lost")


def test_a_date_that_openpyxl_cannot_read_is_not_lost(path: Path) -> None:
    book = load_workbook(path)
    book["Budget"]["A9"] = 3_000_000
    book["Budget"]["A9"].number_format = "yyyy-mm-dd"
    book.save(path)
    _refused(path, "would_be_lost")


def test_values_below_a_merged_cell_are_not_lost(path: Path) -> None:
    sheet = part(path, SHEET).replace(b'<c r="G1"', b'<c r="G1" t="n"><v>1</v></c><c r="ZZ1"', 1)
    hidden = b'<c r="H1" t="n"><v>77</v></c></row>'
    path.write_bytes(repacked(path.read_bytes(), {SHEET: sheet.replace(b"</row>", hidden, 1)}))
    _refused(path, "would_be_lost")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0 encrypted", b"patient_id,name\n1,Ana\n"],
    ids=["empty", "cut", "encrypted", "csv"],
)
def test_what_is_no_workbook_is_not_touched(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    _refused(path, "bad_file")
    with pytest.raises(Rejected) as rejected:
        excel(path).drift()
    assert rejected.value.__context__ is None and "Ana" not in str(rejected.value)


def test_a_document_type_of_its_own_is_not_read(path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + part(path, "docProps/core.xml")
    path.write_bytes(repacked(path.read_bytes(), {"docProps/core.xml": bomb}))
    _refused(path, "bad_file")


def test_a_workbook_that_unpacks_beyond_reason_is_not_read(path: Path) -> None:
    path.write_bytes(repacked(path.read_bytes(), {"docProps/custom.xml": b" " * (65 * 1024 * 1024)}))
    _refused(path, "bad_file")


def _refused(path: Path, code: str) -> None:
    before = path.read_bytes()
    assert upsert(write_in(path), ("1", {"name": "Zephyrine"})) == [code]
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []


def test_a_second_time_nothing_is_written(path: Path) -> None:
    write = write_in(path)
    upsert(write, ("1", {"name": "Ana", "visits": 7}))
    held = write.present and write.present([Item("k", "1", {"name": "", "visits": 0, "born_on": None})])

    assert held == {"k": {"name": "Ana", "visits": 7, "born_on": None}}
