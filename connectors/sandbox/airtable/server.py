"""The stand-in's HTTP server, on loopback only."""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit

from pydantic import JsonValue, TypeAdapter, ValidationError

from connectors.sandbox.airtable.base import Base
from connectors.sandbox.airtable.rules import Gauge, Refusal, Rules, mangled

TOKEN = "patFerryStandIn.0123456789abcdef"  # noqa: S105  # of a stand-in
USER = "usr00000000Ferry0"
BODY = TypeAdapter(dict[str, Any])
Reply = Mapping[str, JsonValue]


class AirtableStandIn:
    """A running stand-in. Use it as a context manager."""

    def __init__(self, rules: Rules | None = None, *, port: int = 0, base: Base | None = None) -> None:
        self.rules = rules or Rules()
        self.base = base or Base()
        self.gauge = Gauge()
        self.journal: list[tuple[str, str, Mapping[str, Any]]] = []  # method, path and body of what was sent
        self._server = _Server(port, self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Serve until it is closed."""
        self._server.serve_forever(0.05)

    def writes(self) -> int:
        """How many requests to write records arrived."""
        return sum(method == "PATCH" for method, _, _ in self.journal)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, stand_in: AirtableStandIn) -> None:
        self.stand_in = stand_in
        super().__init__(("127.0.0.1", port), _Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class _Conversation(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing: a request may name a patient."""

    def do_GET(self) -> None:
        stand_in = cast(_Server, self.server).stand_in
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        try:
            body = BODY.validate_json(content) if content else _query(url.query)
            stand_in.gauge.count(stand_in.rules)
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                raise Refusal(401, "AUTHENTICATION_REQUIRED", "Authentication required")
            parts = [unquote(part) for part in url.path.strip("/").split("/")]
            with stand_in.base.lock:
                stand_in.journal.append((self.command, url.path, body))
                self._answer(200, answer(stand_in, self.command, parts, body))
        except Refusal as refusal:
            self._answer(refusal.status, refusal.body)
        except (ValidationError, KeyError, TypeError, AttributeError):
            self._answer(422, {"error": {"type": "INVALID_REQUEST_UNKNOWN", "message": "Invalid request"}})

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _answer(self, status: int, reply: Reply) -> None:
        content = json.dumps(reply).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _query(text: str) -> dict[str, Any]:
    asked: dict[str, Any] = {name: values[0] for name, values in parse_qs(text).items()}
    by_id = asked.get("returnFieldsByFieldId") in ("1", "true")
    return {**asked, "fields": parse_qs(text).get("fields[]", []), "returnFieldsByFieldId": by_id}


def answer(stand_in: AirtableStandIn, method: str, parts: list[str], body: Mapping[str, Any]) -> Reply:
    """What the base answers. Raises Refusal."""
    if parts[:1] != ["v0"]:
        raise Refusal(404, "NOT_FOUND")
    if parts[1:2] == ["meta"]:
        return _meta(stand_in, method, parts[2:], body)
    base = stand_in.base
    _own(stand_in, parts[1])
    if (method, parts[3:]) in (("POST", ["listRecords"]), ("GET", [])):
        _scope(stand_in, "data.records:read")
        return base.find(parts[2], body)
    if method == "PATCH" and len(parts) == 3:
        _scope(stand_in, "data.records:write")
        if stand_in.rules.permission in ("read", "comment", "none"):
            raise Refusal(403, "INVALID_PERMISSIONS")
        return _told(stand_in.rules, base.upsert(parts[2], mangled(stand_in.rules, body)))
    raise Refusal(404, "NOT_FOUND")


def _told(rules: Rules, reply: dict[str, JsonValue]) -> Reply:
    records = cast(list[JsonValue], reply["records"])
    if rules.reordered:
        records.reverse()
    return {**reply, "records": records[:-1] if rules.forgetful else records}


def _meta(stand_in: AirtableStandIn, method: str, parts: list[str], body: Mapping[str, Any]) -> Reply:
    rules, base = stand_in.rules, stand_in.base
    if (method, parts) == ("GET", ["whoami"]):
        return {"id": USER, **({"scopes": list(rules.scopes)} if rules.shown else {})}
    _scope(stand_in, "schema.bases:read" if method == "GET" else "schema.bases:write")
    if (method, parts) == ("GET", ["bases"]):
        level = rules.permission
        own: list[JsonValue] = [{"id": base.id, "name": "Practice", "permissionLevel": level}]
        return {"bases": own if level else []}
    _own(stand_in, parts[1])
    if method == "POST" and rules.permission != "create":
        raise Refusal(403, "INVALID_PERMISSIONS")
    if (method, parts[2:]) == ("GET", ["tables"]):
        return {"tables": [table.described() for table in base.tables]}
    if (method, parts[2:]) == ("POST", ["tables"]):
        return base.add_table(body["name"], body["fields"], body.get("description", "")).described()
    if method == "POST" and parts[2:3] == ["tables"] and parts[4:] == ["fields"]:
        return base.add_field(parts[3], body)
    raise Refusal(404, "NOT_FOUND")


def _own(stand_in: AirtableStandIn, base: str) -> None:
    if base != stand_in.base.id or stand_in.rules.permission is None:
        raise Refusal(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND")


def _scope(stand_in: AirtableStandIn, scope: str) -> None:
    if scope not in stand_in.rules.scopes:
        raise Refusal(403, "INVALID_PERMISSIONS", f"The token lacks {scope}")
