"""A workbook that could not be kept whole is refused, and not touched."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors.errors import Rejected
from connectors.excel.kept import look
from tests.connectors.excel.sheets import excel, part, peoples, repacked, upsert, write_in

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "practice.xlsx"
    peoples(made)
    return made


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


def test_a_part_that_is_no_xml_is_told_without_its_content(path: Path) -> None:
    path.write_bytes(repacked(path.read_bytes(), {"xl/workbook.xml": b"<workbook>Zephyrine"}))
    with pytest.raises(Rejected) as rejected:
        look(path.read_bytes())

    assert rejected.value.code == "bad_file"
    assert rejected.value.__context__ is None and "Zephyrine" not in str(rejected.value)


def test_a_document_type_of_its_own_is_not_read(path: Path) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + part(path, "docProps/core.xml")
    path.write_bytes(repacked(path.read_bytes(), {"docProps/core.xml": bomb}))
    _refused(path, "bad_file")


def test_a_workbook_that_unpacks_beyond_reason_is_not_read(path: Path) -> None:
    path.write_bytes(repacked(path.read_bytes(), {"docProps/custom.xml": b" " * (65 * 1024 * 1024)}))
    _refused(path, "bad_file")
    with pytest.raises(Rejected):
        excel(path).drift()


def _refused(path: Path, code: str) -> None:
    before = path.read_bytes()
    assert upsert(write_in(path), ("1", {"name": "Zephyrine"})) == [code]
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []
