"""The HTTP server: loopback only, one thread per connection."""

import json
import socket
import sys
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from pydantic import JsonValue

from connectors.sandbox.hubspot.asked import Request
from connectors.sandbox.hubspot.control import control
from connectors.sandbox.hubspot.portal import TOKEN, Portal
from connectors.sandbox.hubspot.reply import Json, Reply
from connectors.sandbox.hubspot.routes import answer

UNAUTHORIZED = Reply(
    401,
    {
        "status": "error",
        "message": "Authentication credentials not found.",
        "category": "INVALID_AUTHENTICATION",
    },
)


class Server(ThreadingHTTPServer):
    """Serves one portal on 127.0.0.1. Port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, portal: Portal, port: int = 0) -> None:
        self.portal = portal
        super().__init__(("127.0.0.1", port), Exchange)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news; anything else is shown with its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(cast(socket.socket, request), client_address)


class Exchange(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    @property
    def _portal(self) -> Portal:
        return cast(Server, self.server).portal

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Nothing: the journal is the log."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path.startswith("/control/"):
            given: Json = json.loads(body) if body else {}
            with self._portal.lock:
                reply = control(self._portal, parts.path.removeprefix("/control/"), given)
        else:
            reply = self._answer(Request(self.command, parts.path, dict(parse_qsl(parts.query)), body))
        self._send(reply)

    def _answer(self, request: Request) -> Reply:
        portal = self._portal
        with portal.lock:
            # each of a portal's apps has a token of its own
            allowed = self.headers.get("Authorization", "").startswith(f"Bearer {TOKEN}")
            reply = answer(portal, request) if allowed else UNAUTHORIZED
            portal.note(request.method, request.path, reply.status, _parsed(request.body))
            return reply

    def _send(self, reply: Reply) -> None:
        content = b"" if reply.body is None and reply.status == 204 else json.dumps(reply.body).encode()
        self.send_response_only(reply.status)
        self.send_header("Date", format_datetime(self._portal.moment.replace(microsecond=0), usegmt=True))
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()


def _parsed(body: bytes) -> JsonValue:
    try:
        return cast(JsonValue, json.loads(body)) if body else None
    except ValueError:
        return None
