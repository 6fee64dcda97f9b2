"""The HTTP server of the stand-in: loopback only, one thread per connection."""

import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal, Self, cast
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from connectors.sandbox.sheets import acts, reads
from connectors.sandbox.sheets.discovery import Discovery
from connectors.sandbox.sheets.office import EDIT, Office, key_file
from connectors.sandbox.sheets.people import People
from connectors.sandbox.sheets.state import Refusal, Spreadsheet, invalid

BOOK: Final = "1Ferry-stand-in-spreadsheet"
SHEETS: Final = re.compile(r"/v4/spreadsheets/([^/:]+)(/values|/developerMetadata)?(:[A-Za-z]+)?")
DRIVE: Final = re.compile(r"/drive/v3/files/([^/]+)(/permissions|/revisions)?")

Body = Mapping[str, Any]
Kind = Literal["read", "write", "drive"]


class SheetsServer:
    """A running stand-in with one spreadsheet. Use it as a context manager.

    specs: a folder with Google's discovery documents; with it, what they do not describe is refused, too.
    strict: a write whose filter meets no row is an error; else it is passed over. forbidden: a request that
    has this in its body is refused. mangled: a text, and what is stored in its place.
    """

    def __init__(self, port: int = 0, *, specs: Path | None = None, strict: bool = False) -> None:
        self.office = Office()
        self.book = Spreadsheet(BOOK)
        self.lock = threading.RLock()
        self.people = People(self.book, self.lock)
        self.strict = strict
        self.forbidden = ""
        self.mangled: tuple[str, str] = ("", "")
        self.troubles: list[str] = []  # what was wrong with requests, by Google's description
        self.counted: dict[Kind, int] = {"read": 0, "write": 0, "drive": 0}  # requests that were admitted
        self._discovery = None if specs is None else Discovery(specs)
        self._server = _Server(self, port)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def values(self) -> dict[str, JsonValue]:
        """A connection's values."""
        return {"spreadsheet": BOOK, "service_account": key_file(), "url": self.url}

    def answer(self, method: str, target: str, authorization: str, body: bytes) -> tuple[int, JsonValue]:
        """Status and body for one request."""
        parts = urlsplit(target)
        if parts.path == "/token" and method == "POST":
            return self.office.token(body)
        query = parse_qsl(parts.query)
        if self._discovery is not None and (
            found := self._discovery.troubles(method, parts.path, query, body)
        ):
            self.troubles += found
            return 400, _error(invalid(f"Invalid JSON payload received. {found[0]}"))
        try:
            answer = self._routed(method, parts.path, dict(query), authorization, body)
        except Refusal as refusal:
            return refusal.status, _error(refusal)
        return 200, reads.masked(answer, reads.parse_mask(dict(query).get("fields", "")))

    def _routed(
        self, method: str, path: str, query: Mapping[str, str], authorization: str, body: bytes
    ) -> JsonValue:
        if (drive := DRIVE.fullmatch(path)) and method == "GET":
            self._admit(authorization, "drive")
            return self._of_file(drive[1], drive[2] or "")
        sheets = SHEETS.fullmatch(path)
        if not sheets:
            raise Refusal(404, "NOT_FOUND", f"no such path: {path}")
        what = f"{method} {sheets[2] or ''}{sheets[3] or ''}"
        self._admit(authorization, "write" if "pdate" in what else "read", reads=method == "GET")
        if sheets[1] != self.book.id:
            raise Refusal(404, "NOT_FOUND", "Requested entity was not found.")
        if self.forbidden and self.forbidden in body.decode():
            raise invalid(f"Invalid value: {self.forbidden}")
        sent: Body = json.loads(body or b"{}")
        with self.lock:
            return self._act(what, sent, query)

    def _admit(self, authorization: str, kind: Kind, *, reads: bool = True) -> None:
        self.office.admit(authorization, kind, reads=reads)
        with self.lock:
            self.counted[kind] += 1

    def _act(self, what: str, sent: Body, query: Mapping[str, str]) -> JsonValue:
        with_data = "data" in query.get("fields", "")
        if what == "GET " and "ranges" in query:
            return reads.ranges(self.book, [query["ranges"]])
        if what == "GET ":
            return reads.shown(self.book, self.book.sheets, data=with_data)
        if what == "POST :getByDataFilter":
            ids = [each["gridRange"].get("sheetId", 0) for each in sent["dataFilters"]]
            return reads.shown(self.book, [self.book.sheet(each) for each in ids], data=with_data)
        if what == "POST /developerMetadata:search":
            return reads.tags(self.book, sent)
        if what == "POST :batchUpdate":
            return self._batch(sent)
        if what == "POST /values:batchUpdateByDataFilter":
            draft = self.book.copy()
            answer = reads.put(draft, sent, strict=self.strict, mangled=self.mangled)
            self.book.sheets[:] = draft.sheets
            return answer
        raise Refusal(404, "NOT_FOUND", "not known to this stand-in")

    def _batch(self, sent: Body) -> JsonValue:
        draft = self.book.copy()
        replies = acts.apply(draft, sent.get("requests", []), self.mangled)
        answer: dict[str, JsonValue] = {"spreadsheetId": draft.id, "replies": replies}
        if sent.get("includeSpreadsheetInResponse"):
            answer["updatedSpreadsheet"] = reads.ranges(draft, sent["responseRanges"])
        self.book.sheets[:] = draft.sheets
        return answer

    def _of_file(self, id_: str, what: str) -> JsonValue:
        if not what:
            capabilities: JsonValue = {"canEdit": self.office.role in EDIT}
            return {"id": id_, "name": "Ana's patients", "capabilities": capabilities}
        if self.office.role not in EDIT:
            raise Refusal(403, "PERMISSION_DENIED", "insufficient permissions", "insufficientFilePermissions")
        if what == "/revisions":
            return {"kind": "drive#revisionList", "revisions": [{"id": "1"}, {"id": "2", **self.office.web}]}
        return {"kind": "drive#permissionList", "permissions": list[JsonValue](self.office.people)}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _error(refusal: Refusal) -> JsonValue:
    error: dict[str, JsonValue] = {"code": refusal.status, "message": str(refusal), "status": refusal.word}
    if refusal.reason:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": refusal.reason}]
    return {"error": error}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, stand_in: SheetsServer, port: int) -> None:
        self.stand_in = stand_in
        super().__init__(("127.0.0.1", port), _Exchange)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing: a request may name a patient."""

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        stand_in = cast(_Server, self.server).stand_in
        status, answer = stand_in.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
        content = json.dumps(answer, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815
