"""Whether openpyxl keeps all of a workbook. What it would lose or may mangle is refused, not destroyed.

Only what is known to survive is let through. What is lost without harm: calculated values (Excel calculates
again when it opens the workbook), settings of a printer, the size of a comment's box and what is bold in it,
green triangles that somebody has hidden.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from xml.etree import ElementTree as ET

from connectors.errors import Rejected

T = TypeVar("T")

LARGEST: Final = 512 * 1024 * 1024  # bytes, unpacked
SUSPECT: Final = 64 * 1024 * 1024  # bytes; above it, a part may not be packed more than RATIO times
RATIO: Final = 200
WIDEST: Final = 10_000_000  # cells from A1 to the last one, of all sheets: each is read, empty or not

_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core|custom)\.xml|docProps/thumbnail\.\w+"
    r"|xl/(workbook|styles|sharedStrings|calcChain)\.xml|xl/_rels/workbook\.xml\.rels|xl/theme/theme\d+\.xml"
    r"|xl/worksheets/(_rels/)?[^/]+\.xml(\.rels)?|xl/comments\d*\.xml|xl/comments/comment\d+\.xml"
    r"|xl/drawings/(vmlDrawing|commentsDrawing)\d+\.vml|xl/tables/table\d+\.xml"
    r"|xl/printerSettings/printerSettings\d+\.bin|xl/persons/person\d*\.xml"
)
_NAMED = (  # what a part is called by people
    (re.compile(r"xl/(charts|chartsheets|drawings|media|diagrams|ink)"), "charts, images or shapes"),
    (re.compile(r"xl/(pivot|slicer|timeline)"), "pivot tables or slicers"),
    (re.compile(r"xl/(vba|macrosheets|ctrlProps|activeX|embeddings)"), "macros, controls or embedded files"),
    (re.compile(r"xl/threadedComments"), "threaded comments"),
    (re.compile(r"xl/(externalLinks|connections|queryTables|model)"), "links to other sources"),
    (re.compile(r"xl/(metadata|richData|featurePropertyBag)"), "dynamic arrays or pictures in cells"),
)  # fmt: skip
_SHEET = frozenset({
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "sheetCalcPr", "cols", "sheetData", "scenarios",
    "sheetProtection", "autoFilter", "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations",
    "hyperlinks", "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks",
    "ignoredErrors", "legacyDrawing", "tableParts",
})  # fmt: skip
_WORKBOOK = frozenset({
    "fileVersion", "workbookPr", "AlternateContent", "revisionPtr", "workbookProtection", "bookViews",
    "sheets", "definedNames", "calcPr", "customWorkbookViews", "fileRecoveryPr", "extLst",
})  # fmt: skip
_ROWS = re.compile(rb"<(\w+:)?sheetData\b.*</(\w+:)?sheetData\s*>", re.DOTALL)
_OBJECT = re.compile(rb"ObjectType\s*=\s*[\"'](\w+)[\"']")
_DATA = re.compile(rb"<(\w+:)?sheetData\b")
_FILLED = re.compile(rb"<(?:\w+:)?c\b[^<>]*\sr\s*=\s*[\"']([A-Za-z]{1,3})(\d{1,7})[\"'][^<>]*(?<!/)>")
_NOWHERE = re.compile(rb"<(\w+:)?c\b(?![^<>]*\sr\s*=)[^<>]*>")
_FORMATS = (re.compile(r'&"[^"]*"'), re.compile(r"&\d+\s?"), re.compile(r"&K[0-9A-Fa-f]{6}"))
_AHEAD = re.compile(rf"({'|'.join(form.pattern for form in _FORMATS)}|&[BIUSEXY])*")
_KEPT_NAMES = frozenset({"Print_Area", "Print_Titles", "_FilterDatabase"})  # of those that are Excel's own


def look(content: bytes) -> None:
    """Raises Rejected for a workbook that could not be kept whole."""
    for trouble in _seen(content, lambda file: list(_troubles(file))):
        raise Rejected(
            "would_be_lost", f"excel: the workbook has {trouble}, which cannot be kept; move them to a "
            "workbook of their own, or let Ferry write to another one",
        )  # fmt: skip


def sound(content: bytes) -> None:
    """Raises Rejected for what is no workbook, or would fill the memory."""
    parts = _seen(content, zipfile.ZipFile.infolist)
    if sum(part.file_size for part in parts) > LARGEST:
        raise bad("too large")
    if any(part.file_size > SUSPECT and part.file_size > RATIO * part.compress_size for part in parts):
        raise bad("packed beyond reason")
    if any(part.flag_bits & 1 for part in parts):
        raise bad("encrypted")
    if len({part.filename.lower() for part in parts}) < len(parts):
        raise bad("one with a part twice")
    if _seen(content, _extent) > WIDEST:
        raise bad("one with cells far below or right of all others (Ctrl+End shows where)")


def _seen(content: bytes, see: Callable[[zipfile.ZipFile], T]) -> T:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as file:
            return see(file)
    except (zipfile.BadZipFile, ET.ParseError, KeyError, RuntimeError, NotImplementedError, ValueError):
        pass  # outside of the `except`: that error may carry content
    raise bad("no workbook of .xlsx, or an encrypted one")


def bad(what: str) -> Rejected:
    """The one-line answer to a file that cannot be read."""
    return Rejected("bad_file", f"excel: the file is {what}; put it right or move it away")


def _extent(file: zipfile.ZipFile) -> int:
    """How many cells a grid from A1 to the last filled cell has, over all sheets."""
    extent = 0
    for name in file.namelist():
        part = file.read(name)
        if not _DATA.search(part):
            continue
        if _NOWHERE.search(part):
            raise bad("one whose cells do not say where they are; save it anew in Excel")
        places = _FILLED.findall(part)
        columns = max((_number(letters) for letters in {letters for letters, _ in places}), default=0)
        extent += columns * max((int(row) for _, row in places), default=0)
    return extent


def _number(letters: bytes) -> int:
    """A column's, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _troubles(file: zipfile.ZipFile) -> Iterator[str]:
    for name in file.namelist():
        if not _PARTS.fullmatch(name) and not name.endswith("/"):
            yield next((words for part, words in _NAMED if part.match(name)), "parts of an unknown kind")
    for name in file.namelist():
        if name.endswith((".xml", ".rels", ".vml")):
            yield from _within(name, file.read(name))


def _within(name: str, content: bytes) -> Iterator[str]:
    if b"<!DOCTYPE" in content[:4096] or b"<!ENTITY" in content:
        raise bad("one with a document type of its own")
    if name.endswith(".vml"):
        if set(_OBJECT.findall(content)) - {b"Note"}:
            yield "form controls"
    elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
        tree = ET.fromstring(_ROWS.sub(b"", content))  # noqa: S314  # no document type: it was looked for
        yield from _others(tree, _SHEET)
        yield from _headers(tree)
        if re.search(rb"<(\w+:)?c\b[^>]*\s(cm|vm)=", content):
            yield "dynamic arrays or pictures in cells"
    elif name == "xl/workbook.xml":
        tree = ET.fromstring(content)  # noqa: S314  # likewise
        yield from _others(tree, _WORKBOOK)
        yield from _names(tree)
    elif name == "xl/sharedStrings.xml" and re.search(rb"<(\w+:)?rPh\b", content):
        yield "phonetic guides"


def _others(tree: ET.Element, kept: frozenset[str]) -> Iterator[str]:
    for child in tree:
        word = _word(child)
        if word in kept or (word == "extLst" and not len(child)):
            continue
        yield _WORDS.get(
            word, f"settings of an unknown kind ({word})" if word.isalpha() else "unknown settings"
        )


def _word(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _headers(tree: ET.Element) -> Iterator[str]:
    """What has several fonts, sizes or colours: one of each is all that is kept of a header's third."""
    for text in (one.text or "" for each in tree if _word(each) == "headerFooter" for one in each):
        for third in re.split(r"(?<!&)&[LCR]", text):
            ahead = _AHEAD.match(third)
            end = ahead.end() if ahead else 0
            if any(len(form.findall(third, 0, end)) > 1 or form.search(third, end) for form in _FORMATS):
                yield "a header or footer in several formats"


def _names(tree: ET.Element) -> Iterator[str]:
    for name in (one.get("name", "") for each in tree if _word(each) == "definedNames" for one in each):
        if name.startswith("_xlnm.") and name.removeprefix("_xlnm.") not in _KEPT_NAMES:
            yield "an advanced filter's criteria"


_WORDS = {
    "drawing": "charts, images or shapes",
    "picture": "a background image",
    "legacyDrawingHF": "images in headers or footers",
    "extLst": "newer conditional formats, validations, sparklines or slicers",
    "oleObjects": "embedded files",
    "controls": "form controls",
    "protectedRanges": "protected ranges",
    "customSheetViews": "custom views",
    "pivotCaches": "pivot tables",
    "externalReferences": "links to other workbooks",
    "fileSharing": "a recommendation to open it read-only",
}
