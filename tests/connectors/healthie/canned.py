"""A server on this machine that answers what it was told: for answers that no stand-in gives by itself."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import SecretStr
from typing_extensions import override

from connectors.healthie import HealthieCredentials
from connectors.http import Patience

BRISK = Patience(attempts=3, first_wait=0.01, back_off=0.01, longest_wait=1.0, answer=0.5, connect=1.0)


@dataclass(frozen=True)
class Canned:
    body: object = None  # JSON, or bytes as they are
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    trickle: float = 0.0  # seconds between single bytes


class CannedServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answers: list[Canned]) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.answers = answers  # the last one for all that follow
        self.arrived: list[Mapping[str, str]] = []
        self.bodies: list[dict[str, object]] = []

    @property
    def credentials(self) -> HealthieCredentials:
        url = f"http://127.0.0.1:{self.server_address[1]}/graphql"
        return HealthieCredentials(url=url, api_key=SecretStr("gh_sbox_key"), patience=BRISK)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CannedServer

    def do_POST(self) -> None:
        at = len(self.server.arrived)
        self.server.arrived.append(dict(self.headers.items()))
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = self.server.answers[min(at, len(self.server.answers) - 1)]
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self._write(body, answer.trickle)
        except OSError:
            self.close_connection = True

    def _write(self, body: bytes, trickle: float) -> None:
        if not trickle:
            self.wfile.write(body)
            return
        for byte in body:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(trickle)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def answering(*answers: Canned) -> Iterator[CannedServer]:
    """A server that gives these answers, one after the other, and then the last one."""
    server = CannedServer(list(answers))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()
