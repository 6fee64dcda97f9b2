"""Workbooks as people make them, and what is in them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import Font, PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from pydantic import JsonValue

from connectors.excel import Excel, ExcelCredentials, ExcelOptions
from connectors.operation import Item, Outcome, Write
from connectors.tabular import Column, Table

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "visits": Column(type="int"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
    },
)


def excel(path: Path, options: ExcelOptions | None = None, table: Table = PATIENTS) -> Excel:
    return Excel(ExcelCredentials(file=path), [table], options)


def upsert(write: Write, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[str]:
    """The codes or states of the rows' outcomes, in their order."""
    items = [Item(f"k{at:05}", patient, values) for at, (patient, values) in enumerate(rows)]
    outcomes: list[Outcome] = sorted(write.send(items), key=lambda outcome: outcome.key)
    return [outcome.code or outcome.state for outcome in outcomes]


def write_in(path: Path, options: ExcelOptions | None = None, table: Table = PATIENTS) -> Write:
    return excel(path, options, table).writes()[table.write]


def peoples(path: Path) -> None:
    """A workbook with everything that people put there and openpyxl keeps."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "patients"
    sheet.append(["patient_id", "name", "their note", "visits", "double"])
    sheet.append(["1", "Ana", "call on Monday", 2, "=D2*2"])
    sheet.append([None, "a heading of theirs"])
    sheet.append(["2", "Bo", "_x005F_x0041_ as typed", 1, "=SUM(D2:D4)"])
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FF0000")
    sheet["B2"].fill = PatternFill("solid", fgColor="FFFF00")
    sheet["B2"].number_format = "@"
    sheet["D2"].number_format = '0" visits"'
    sheet["C2"].comment = Comment("ask her about this", "Reception")
    sheet["C4"].hyperlink = "https://example.com/"
    sheet.column_dimensions["C"].width = 43.5
    sheet.column_dimensions["E"].hidden = True
    sheet.row_dimensions[3].height = 33
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = "A1:E4"
    sheet.print_title_rows = "1:1"
    sheet.merge_cells("G1:H2")
    validation = DataValidation(type="list", formula1='"yes,no"')
    validation.add("C2:C9")
    sheet.add_data_validation(validation)
    red = PatternFill(bgColor="FF0000")
    sheet.conditional_formatting.add("D2:D9", CellIsRule(operator="greaterThan", formula=["3"], fill=red))
    other = book.create_sheet("Budget")
    other["A1"], other["A2"], other["A3"] = 12.5, "=A1*2", "=patients!D2"
    other.sheet_state = "hidden"
    other.sheet_properties.tabColor = "00FF00"
    book.defined_names["visits_of_ana"] = DefinedName("visits_of_ana", attr_text="patients!$D$2")
    book.save(path)


def shown(path: Path) -> dict[str, object]:
    """Everything of a workbook that people see, by where it is."""
    book = load_workbook(path, rich_text=True)
    found: dict[str, object] = {"names": {name: each.attr_text for name, each in book.defined_names.items()}}
    for sheet in book.worksheets:
        found |= {
            f"{sheet.title} widths": {
                at: (one.width, one.hidden) for at, one in sheet.column_dimensions.items()
            },
            f"{sheet.title} heights": {
                at: one.height for at, one in sheet.row_dimensions.items() if one.height
            },
            f"{sheet.title} view": (
                sheet.freeze_panes,
                sheet.sheet_state,
                sheet.auto_filter.ref,
                sheet.print_title_rows,
            ),
            f"{sheet.title} colour": sheet.sheet_properties.tabColor and sheet.sheet_properties.tabColor.rgb,
            f"{sheet.title} merged": sorted(str(each) for each in sheet.merged_cells.ranges),
            f"{sheet.title} validations": [
                (str(each.sqref), each.formula1) for each in sheet.data_validations.dataValidation
            ],
            f"{sheet.title} rules": [str(each.sqref) for each in sheet.conditional_formatting],
        }
        for row in sheet.iter_rows():
            for cell in row:
                comment, link = cell.comment, cell.hyperlink
                seen = (
                    cell.value,
                    cell.number_format,
                    cell.font.b,
                    cell.fill.fgColor.rgb,
                    comment and (comment.text, comment.author),
                    link and link.target,
                )
                if seen != (None, "General", False, "00000000", None, None):
                    found[f"{sheet.title} {cell.coordinate}"] = seen
    return found


def repacked(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The same workbook with parts added or replaced."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, part in changes.items():
            new.writestr(name, part)
    return target.getvalue()


def part(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as file:
        return file.read(name)
