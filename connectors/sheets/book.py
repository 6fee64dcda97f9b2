"""The spreadsheet: its sheets, what they hold, and who can open it."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final

from gspread.urls import DRIVE_FILES_API_V3_URL, SPREADSHEET_URL
from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.sheets import answers
from connectors.sheets.acts import Act
from connectors.sheets.answers import Put, Spreadsheet
from connectors.sheets.credentials import DRIVE, GOOGLE, SheetsCredentials
from connectors.sheets.google import Google
from connectors.sheets.grid import Grid, read_grid

BELIEVED: Final = 300.0  # seconds that a look at who can open the spreadsheet is believed
PAGES: Final = 20  # of 100 people each
SHEET: Final = (
    "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),"
    "data(startRow,startColumn,rowData(values(userEnteredValue)),"
    "rowMetadata(developerMetadata(metadataId,metadataKey,metadataValue))))"
)


class Book:
    """One spreadsheet. Safe to use from several threads; one at a time may change it."""

    def __init__(self, credentials: SheetsCredentials) -> None:
        self.id = credentials.spreadsheet
        self.lock = threading.Lock()
        self._google = Google(credentials)
        self._path = SPREADSHEET_URL.removeprefix(GOOGLE) % credentials.spreadsheet
        self._file = f"{DRIVE_FILES_API_V3_URL.removeprefix(DRIVE)}/{credentials.spreadsheet}"
        self._sheets: Mapping[str, int] = {}  # title -> id, as they were last seen
        self._private_until = 0.0

    def sheet(self, title: str, *, anew: bool = False) -> int | None:
        """The id of the sheet with that title; None if there is none."""
        wanted = title.lower()  # Google has no two titles that differ in case alone
        if anew or wanted not in self._sheets:
            fields = "spreadsheetId,sheets(properties(sheetId,title))"
            found = self._google.read(
                "read", "get", self._path, answers.SPREADSHEET, params={"fields": fields}
            )
            properties = [sheet.get("properties", {}) for sheet in found.get("sheets", ())]
            self._sheets = {each.get("title", "").lower(): each.get("sheetId", 0) for each in properties}
        return self._sheets.get(wanted)

    def grid(self, sheet: int) -> Grid:
        """The whole sheet as it is now."""
        filters: JsonValue = [{"gridRange": {"sheetId": sheet}}]
        found = self._google.read(
            "read",
            "post",
            f"{self._path}:getByDataFilter",
            answers.SPREADSHEET,
            params={"fields": SHEET},
            json={"dataFilters": filters},
        )
        seen = _only(found, sheet)
        if seen is None:
            raise Transient("garbled", "sheets: the answer does not show the sheet")
        return seen

    def grid_of(self, title: str) -> Grid | None:
        """The sheet with that title as it is now; None if there is none. Raises as a read does."""
        sheet = self.sheet(title)
        if sheet is None:
            return None
        try:
            return self.grid(sheet)
        except Rejected:  # it was deleted since
            sheet = self.sheet(title, anew=True)
        return None if sheet is None else self.grid(sheet)

    def change(self, acts: Sequence[Act]) -> None:
        """Apply all of it, or nothing. Raises as a write does."""
        self._google.write(
            f"{self._path}:batchUpdate",
            answers.CHANGED,
            params={"fields": "spreadsheetId"},
            json={"requests": list(acts)},
        )

    def change_and_see(self, acts: Sequence[Act], grid: Grid) -> Grid:
        """The same, and the sheet as it is right after."""
        title = grid.title.replace("'", "''")
        body: dict[str, JsonValue] = {
            "requests": list(acts),
            "includeSpreadsheetInResponse": True,
            "responseRanges": [f"'{title}'"],
            "responseIncludeGridData": True,
        }
        changed = self._google.write(
            f"{self._path}:batchUpdate",
            answers.CHANGED,
            params={"fields": f"updatedSpreadsheet({SHEET})"},
            json=body,
        )
        seen = _only(changed.get("updatedSpreadsheet", {}), grid.sheet)
        if seen is None:
            raise Unknown("garbled", "sheets: the answer does not show the sheet")
        return seen

    def put(self, body: Mapping[str, JsonValue]) -> list[Put]:
        """Values into rows. Raises as a write does."""
        fields = (
            "spreadsheetId,responses(dataFilter(developerMetadataLookup(metadataId)),updatedData(values))"
        )
        answer = self._google.write(
            f"{self._path}/values:batchUpdateByDataFilter",
            answers.PUTS,
            params={"fields": fields},
            json=dict(body),
        )
        return answer.get("responses", [])

    def private(self) -> None:
        """Raises Unauthorized if anyone with the link can open it, or if that cannot be seen."""
        if time.monotonic() < self._private_until:
            return
        token, pages = "", 0
        while pages == 0 or token:
            found = self._permissions(token)
            if any(each.get("type") == "anyone" for each in found.get("permissions", ())):
                todo = "share it with named people only"
                raise Unauthorized("shared_by_link", f"sheets: anyone with the link can open it; {todo}")
            token, pages = found.get("nextPageToken", ""), pages + 1
            if pages == PAGES and token:
                raise Unauthorized("shared_too_widely", "sheets: shared with thousands; share it with fewer")
        self._private_until = time.monotonic() + BELIEVED

    def may_edit(self) -> bool:
        """Has the service account the right to write?"""
        params: dict[str, JsonValue] = {"fields": "capabilities(canEdit)", "supportsAllDrives": "true"}
        found = self._google.read("drive", "get", self._file, answers.FILE, params=params)
        return found.get("capabilities", {}).get("canEdit", False)

    def close(self) -> None:
        self._google.close()

    def _permissions(self, token: str) -> answers.Permissions:
        params: dict[str, JsonValue] = {
            "fields": "nextPageToken,permissions(type,view)",
            "pageSize": 100,
            "supportsAllDrives": "true",
            "includePermissionsForView": "published",
        }
        if token:
            params["pageToken"] = token
        try:
            return self._google.read(
                "drive", "get", f"{self._file}/permissions", answers.PERMISSIONS, params=params
            )
        except Unauthorized as refused:
            todo = "make the service account an editor, and switch on the Drive API"
            text = f"sheets: it cannot be seen with whom the spreadsheet is shared; {todo}"
            raise Unauthorized("sharing_unknown", text) from refused


def _only(found: Spreadsheet, sheet: int) -> Grid | None:
    for each in found.get("sheets", ()):
        if each.get("properties", {}).get("sheetId", 0) == sheet:
            return read_grid(each)
    return None
