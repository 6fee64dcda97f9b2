"""A workbook that could not be kept whole is refused, and not touched."""

from pathlib import Path

import pytest
from openpyxl import load_workbook

from connectors.errors import Rejected, Unauthorized
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


@pytest.mark.parametrize(
    "header",
    [
        '&amp;L&amp;"Arial,Bold"A&amp;"Arial,Regular"B',
        "&amp;C&amp;12Big &amp;8small",
        "&amp;RPage &amp;BA&amp;12x",
    ],
)
def test_a_header_that_would_lose_its_formats_is_not_touched(path: Path, header: str) -> None:
    _with_header(path, header)
    _refused(path, "would_be_lost")


def test_a_header_in_one_format_is_kept(path: Path) -> None:
    _with_header(path, '&amp;L&amp;"Arial,Bold"&amp;12&amp;KFF0000R&amp;&amp;D &amp;D&amp;C&amp;BPage &amp;P')

    assert upsert(write_in(path), ("1", {"name": "x"})) == ["done"]
    kept = load_workbook(path)["patients"].oddHeader
    assert (kept.left.font, kept.left.size, kept.left.color, kept.left.text) == (
        "Arial,Bold", 12, "FF0000", "R&&D &D",
    )  # fmt: skip
    assert kept.center.text == "&BPage &P"


def test_the_criteria_of_a_filter_are_not_lost(path: Path) -> None:
    name = (
        b'<definedName name="_xlnm.Criteria" localSheetId="0">patients!$A$1:$B$2</definedName></definedNames>'
    )
    book = part(path, "xl/workbook.xml")
    assert b"</definedNames>" in book
    path.write_bytes(repacked(path.read_bytes(), {"xl/workbook.xml": book.replace(b"</definedNames>", name)}))
    _refused(path, "would_be_lost")


@pytest.mark.parametrize(
    "cell", [b'<c r="XFD1048576"><v>1</v></c>', b"<c><v>1</v></c>"], ids=["far", "nowhere"]
)
def test_a_cell_far_out_does_not_fill_the_memory(path: Path, cell: bytes) -> None:
    """Every cell from A1 on is read as one: here that would end the process."""
    row = b'<row r="1048576">' + cell + b"</row></sheetData>"
    sheet = part(path, SHEET).replace(b"</sheetData>", row, 1)
    path.write_bytes(repacked(path.read_bytes(), {SHEET: sheet}))
    _refused(path, "bad_file")
    with pytest.raises(Rejected):
        excel(path).drift()


def test_what_cannot_be_kept_is_told_before_a_run(path: Path) -> None:
    excel(path).check()
    path.write_bytes(repacked(path.read_bytes(), {"xl/charts/chart1.xml": b"<x/>"}))

    with pytest.raises(Unauthorized, match="charts, images or shapes") as told:
        excel(path).check()
    assert told.value.code == "would_be_lost"


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


def _with_header(path: Path, header: str) -> None:
    made = f"<headerFooter><oddHeader>{header}</oddHeader></headerFooter><legacyDrawing".encode()
    sheet = part(path, SHEET)
    assert b"<legacyDrawing" in sheet
    path.write_bytes(repacked(path.read_bytes(), {SHEET: sheet.replace(b"<legacyDrawing", made, 1)}))


def _refused(path: Path, code: str) -> None:
    before = path.read_bytes()
    assert upsert(write_in(path), ("1", {"name": "Zephyrine"})) == [code]
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir() if each.suffix == ".new"] == []
