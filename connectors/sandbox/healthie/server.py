"""The HTTP server: loopback only, one thread per connection, sockets that can be cut on purpose."""

import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.healthie.control import Control
from connectors.sandbox.healthie.practice import Practice
from connectors.sandbox.healthie.reply import Reply, as_json

BODY_MAX = 10_000_000  # bytes


class Server(ThreadingHTTPServer):
    """Serves one practice on 127.0.0.1. Port 0 takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, practice: Practice, port: int) -> None:
        super().__init__(("127.0.0.1", port), Exchange)
        self.practice = practice
        self.control = Control(practice)
        self.stopping = Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hung up is no news; anything else is shown with its traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(cast(socket.socket, request), client_address)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Exchange(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    @property
    def _own(self) -> Server:
        return cast(Server, self.server)

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            self.close_connection = True
            self._send(as_json(413, {"error": "too large"}))
            return
        self._serve(self.rfile.read(length))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing: the journal is the log."""

    def _serve(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/graphql" and self.command == "POST":
            headers = {name.casefold(): value for name, value in self.headers.items()}
            reply = self._own.practice.answer(headers, body)
        elif parts.path.startswith("/control/"):
            name = parts.path.removeprefix("/control/")
            reply = self._own.control.answer(self.command, name, dict(parse_qsl(parts.query)), body)
        else:
            reply = as_json(404, {"error": "not found"})
        self._deliver(reply)

    def _deliver(self, reply: Reply) -> None:
        if reply.manner == "hang":
            self._own.stopping.wait(reply.seconds)
            self.close_connection = True
        elif reply.manner == "reset":
            # With a linger of zero, closing sends RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        body = reply.body
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.manner == "cut":
            self.close_connection = True
            body = body[: len(body) // 2]
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
