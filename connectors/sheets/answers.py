"""What Google answers, as far as it is read. A field that is absent holds its default, as in all its JSON."""

from typing import Any

from pydantic import TypeAdapter
from typing_extensions import TypedDict


class Token(TypedDict):
    access_token: str
    expires_in: float


class Extended(TypedDict, total=False):
    stringValue: str
    numberValue: float
    boolValue: bool
    formulaValue: str


class CellData(TypedDict, total=False):
    userEnteredValue: Extended


class RowData(TypedDict, total=False):
    values: list[CellData]


class Range(TypedDict, total=False):
    sheetId: int


class Location(TypedDict, total=False):
    dimensionRange: Range


class Metadata(TypedDict, total=False):
    metadataId: int
    location: Location
    metadataKey: str
    metadataValue: str


class MatchedMetadata(TypedDict, total=False):
    developerMetadata: Metadata


class Matched(TypedDict, total=False):
    matchedDeveloperMetadata: list[MatchedMetadata]


class Dimension(TypedDict, total=False):
    developerMetadata: list[Metadata]


class GridData(TypedDict, total=False):
    startRow: int
    startColumn: int
    rowData: list[RowData]
    rowMetadata: list[Dimension]


class GridProperties(TypedDict, total=False):
    rowCount: int
    columnCount: int


class Properties(TypedDict, total=False):
    sheetId: int
    title: str
    gridProperties: GridProperties


class SheetData(TypedDict, total=False):
    properties: Properties
    data: list[GridData]


class Spreadsheet(TypedDict, total=False):
    spreadsheetId: str
    sheets: list[SheetData]


class Changed(TypedDict, total=False):
    spreadsheetId: str
    updatedSpreadsheet: Spreadsheet


class Lookup(TypedDict, total=False):
    metadataId: int


class Filter(TypedDict, total=False):
    developerMetadataLookup: Lookup


class ValueRange(TypedDict, total=False):
    values: list[list[str | bool | float | None]]


class Put(TypedDict, total=False):
    dataFilter: Filter
    updatedData: ValueRange


class Puts(TypedDict, total=False):
    spreadsheetId: str
    responses: list[Put]


class Permission(TypedDict, total=False):
    type: str
    view: str


class Permissions(TypedDict, total=False):
    permissions: list[Permission]
    nextPageToken: str


class Revision(TypedDict, total=False):
    published: bool


class Revisions(TypedDict, total=False):
    revisions: list[Revision]
    nextPageToken: str


class Capabilities(TypedDict, total=False):
    canEdit: bool


class DriveFile(TypedDict, total=False):
    capabilities: Capabilities


class ErrorBody(TypedDict, total=False):
    status: str
    errors: list[dict[str, Any]]
    details: list[dict[str, Any]]


class Failed(TypedDict, total=False):
    error: ErrorBody


TOKEN = TypeAdapter(Token)
SPREADSHEET = TypeAdapter(Spreadsheet)
CHANGED = TypeAdapter(Changed)
MATCHED = TypeAdapter(Matched)
PUTS = TypeAdapter(Puts)
PERMISSIONS = TypeAdapter(Permissions)
REVISIONS = TypeAdapter(Revisions)
FILE = TypeAdapter(DriveFile)
FAILED = TypeAdapter(Failed)
