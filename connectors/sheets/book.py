"""The spreadsheet: its sheets, what they hold, and who can open it."""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from gspread.urls import DRIVE_FILES_API_V3_URL, SPREADSHEET_URL
from pydantic import JsonValue, TypeAdapter

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.sheets import answers
from connectors.sheets.acts import Act, sheet_id
from connectors.sheets.answers import Put, Spreadsheet
from connectors.sheets.credentials import DRIVE, GOOGLE, SheetsCredentials
from connectors.sheets.google import Google
from connectors.sheets.grid import Grid, read_grid

BELIEVED: Final = 300.0  # seconds that a look at who can open the spreadsheet is believed
PAGES: Final = 20  # of what Drive tells about who can open the spreadsheet
SHEET: Final = (
    "sheets(properties(sheetId,title,gridProperties(rowCount,columnCount)),"
    "data(startRow,startColumn,rowData(values(userEnteredValue)),"
    "rowMetadata(developerMetadata(metadataId,metadataKey,metadataValue))))"
)
Listing = TypeVar("Listing", answers.Permissions, answers.Revisions)


class Book:
    """One spreadsheet. Safe to use from several threads; one at a time may change it."""

    def __init__(self, credentials: SheetsCredentials, *, read_only: bool = False) -> None:
        self.id = credentials.spreadsheet
        self.lock = threading.Lock()
        self._read_only = read_only
        self._google = Google(credentials, read_only=read_only)
        self._path = SPREADSHEET_URL.removeprefix(GOOGLE) % credentials.spreadsheet
        self._file = f"{DRIVE_FILES_API_V3_URL.removeprefix(DRIVE)}/{credentials.spreadsheet}"
        self._sheets: Mapping[str, int] = {}  # title -> id, as they were last seen
        self._titles: Mapping[int, str] = {}  # id -> title, likewise
        self._private_until = 0.0

    def sheet(self, title: str, *, anew: bool = False) -> int | None:
        """The id of the sheet with that title, or that was made under it; None if there is none."""
        wanted = title.lower()  # Google has no two titles that differ in case alone
        if anew or wanted not in self._sheets:
            fields = "spreadsheetId,sheets(properties(sheetId,title))"
            found = self._google.read(
                "read", "get", self._path, answers.SPREADSHEET, params={"fields": fields}
            )
            properties = [sheet.get("properties", {}) for sheet in found.get("sheets", ())]
            self._titles = {each.get("sheetId", 0): each.get("title", "") for each in properties}
            sheets = {title.lower(): each for each, title in self._titles.items()}
            if (ours := sheet_id(title)) in sheets.values():
                sheets.setdefault(wanted, ours)  # people renamed it
            self._sheets = sheets
        return self._sheets.get(wanted)

    def grid(self, sheet: int) -> Grid:
        """The whole sheet as it is now."""
        seen = _only(self._read(sheet), sheet)
        if seen is None:
            raise Transient("garbled", "sheets: the answer does not show the sheet")
        return seen

    def _read(self, sheet: int) -> Spreadsheet:
        """By its id; by its title where only GET may leave, which knows no other name."""
        if self._read_only:
            params = {"fields": SHEET, "ranges": _spelled(self._titles[sheet])}
            return self._google.read("read", "get", self._path, answers.SPREADSHEET, params=params)
        filters: JsonValue = [{"gridRange": {"sheetId": sheet}}]
        return self._google.read(
            "read",
            "post",
            f"{self._path}:getByDataFilter",
            answers.SPREADSHEET,
            params={"fields": SHEET},
            json={"dataFilters": filters},
        )

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

    def change_and_see(self, acts: Sequence[Act], grid: Grid, rows: range | None = None) -> Grid:
        """The same, and the sheet as it is right after; of `rows`, only these and the header."""
        title = _spelled(grid.title)
        ranges = [title] if rows is None else [f"{title}!1:1", f"{title}!{rows.start + 1}:{rows.stop}"]
        body: dict[str, JsonValue] = {
            "requests": list(acts),
            "includeSpreadsheetInResponse": True,
            "responseRanges": list[JsonValue](ranges),
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

    def elsewhere(self, tags: Collection[int], sheet: int) -> set[int]:
        """Those of the tags that something else than a row of the sheet has."""
        if not tags:
            return set()
        filters: JsonValue = [{"developerMetadataLookup": {"metadataId": tag}} for tag in sorted(tags)]
        found = self._google.read(
            "read",
            "post",
            f"{self._path}/developerMetadata:search",
            answers.MATCHED,
            params={"fields": "matchedDeveloperMetadata(developerMetadata(metadataId,location))"},
            json={"dataFilters": filters},
        )
        there = [each.get("developerMetadata", {}) for each in found.get("matchedDeveloperMetadata", ())]
        return {each.get("metadataId", 0) for each in there if not _is_in(each, sheet)}

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
        """Raises Unauthorized if anyone can open it, by its link or on the web, or if that cannot be seen.

        A whole organisation may: that is for the practice to decide. An account that may only read cannot see
        it, and puts nothing there.
        """
        if time.monotonic() < self._private_until:
            return
        if not self._read_only or self.may_edit():
            self._see_that_it_is_private()
        self._private_until = time.monotonic() + BELIEVED

    def _see_that_it_is_private(self) -> None:
        for people in self._shared("permissions", "type,view", answers.PERMISSIONS):
            if any(each.get("type") == "anyone" for each in people.get("permissions", ())):
                todo = "share it with named people only"
                raise Unauthorized("shared_by_link", f"sheets: anyone with the link can open it; {todo}")
        # UNVERIFIED: that an editor may list revisions in every shared drive; if not, nothing is written
        for past in self._shared("revisions", "published", answers.REVISIONS):
            if any(each.get("published", False) for each in past.get("revisions", ())):
                todo = "stop that under File > Share > Publish to web"
                raise Unauthorized("published", f"sheets: the spreadsheet is published on the web; {todo}")

    def may_edit(self) -> bool:
        """Has the service account the right to write?"""
        params: dict[str, JsonValue] = {"fields": "capabilities(canEdit)", "supportsAllDrives": "true"}
        found = self._google.read("drive", "get", self._file, answers.FILE, params=params)
        return found.get("capabilities", {}).get("canEdit", False)

    @property
    def requests(self) -> int:
        """How many requests have left, those for a token among them."""
        return self._google.sent.number

    def close(self) -> None:
        self._google.close()

    def _shared(self, what: str, fields: str, shape: TypeAdapter[Listing]) -> Iterator[Listing]:
        """The pages of what Drive tells about who can open the file."""
        params: dict[str, JsonValue] = {"fields": f"nextPageToken,{what}({fields})", "pageSize": 1000}
        if what == "permissions":
            params |= {
                "pageSize": 100,
                "supportsAllDrives": "true",
                "includePermissionsForView": "published",
            }
        for _ in range(PAGES):
            try:
                page = self._google.read("drive", "get", f"{self._file}/{what}", shape, params=params)
            except Unauthorized as refused:
                todo = "make the service account an editor, and switch on the Drive API"
                text = f"sheets: it cannot be seen with whom the spreadsheet is shared; {todo}"
                raise Unauthorized("sharing_unknown", text) from refused
            yield page
            params["pageToken"] = page.get("nextPageToken", "")
            if not params["pageToken"]:
                return
        text = "sheets: the list of who can open the spreadsheet has no end; share another one with fewer"
        raise Unauthorized("sharing_unknown", text)


def _spelled(title: str) -> str:
    """A whole sheet in A1 notation."""
    return "'{}'".format(title.replace("'", "''"))


def _is_in(tag: answers.Metadata, sheet: int) -> bool:
    place = tag.get("location", {}).get("dimensionRange")
    return place is not None and place.get("sheetId", 0) == sheet


def _only(found: Spreadsheet, sheet: int) -> Grid | None:
    for each in found.get("sheets", ()):
        if each.get("properties", {}).get("sheetId", 0) == sheet:
            return read_grid(each)
    return None
