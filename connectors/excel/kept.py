"""Whether openpyxl keeps all of a workbook. What it would lose or may mangle is refused, not destroyed.

Only what is known to survive is let through. What is lost without harm: calculated values (Excel calculates
again when it opens the workbook), settings of a printer, the size of a comment's box, green triangles that
somebody has hidden.
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
        yield from _others(_ROWS.sub(b"", content), _SHEET)
        if re.search(rb"<(\w+:)?c\b[^>]*\s(cm|vm)=", content):
            yield "dynamic arrays or pictures in cells"
    elif name == "xl/workbook.xml":
        yield from _others(content, _WORKBOOK)
    elif name == "xl/sharedStrings.xml" and re.search(rb"<(\w+:)?rPh\b", content):
        yield "phonetic guides"


def _others(content: bytes, kept: frozenset[str]) -> Iterator[str]:
    for child in ET.fromstring(content):  # noqa: S314  # no document type: it was looked for
        word = child.tag.rpartition("}")[2]
        if word in kept or (word == "extLst" and not len(child)):
            continue
        yield _WORDS.get(
            word, f"settings of an unknown kind ({word})" if word.isalpha() else "unknown settings"
        )


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
