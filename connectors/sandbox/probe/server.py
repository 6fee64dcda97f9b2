"""The probe's HTTP server, on loopback only. It really resets, hangs and truncates."""

import json
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, cast

from pydantic import JsonValue, TypeAdapter, ValidationError

from connectors.sandbox.probe.faults import FaultName, Faults
from connectors.sandbox.probe.state import Sent, State

BATCH = TypeAdapter(list[Sent])
NAMES = TypeAdapter(list[str])
OPERATIONS = ("keyed_charge", "upsert_contact", "create_order", "send_event")
UNAUTHORIZED = (401, {"error": "unauthorized"})
TOKEN = "probe-token"  # noqa: S105  # of a stand-in


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and keeps the state of one system."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        self.state = State()
        super().__init__(("127.0.0.1", port), Conversation)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class Conversation(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    refusals: ClassVar[dict[str, int]] = {"401": 401, "429": 429, "500_before": 500}

    @property
    def state(self) -> State:
        return cast(Server, self.server).state

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing: a request may name a patient."""

    def do_GET(self) -> None:
        state = self.state
        if self.path == "/control/effects":
            with state.lock:
                self._answer(200, [effect.model_dump() for effect in state.effects])
        elif self.path == "/control/requests":
            self._answer(200, state.requests)
        elif self.path == "/control/reads":
            self._answer(200, state.reads)
        elif self.path == "/account":
            self._answer(*((200, {"account": "probe"}) if self._allowed() else UNAUTHORIZED))
        else:
            self._answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        try:
            self._route(body)
        except ValidationError:
            self._answer(400, {"error": "bad_request"})

    def _route(self, body: bytes) -> None:
        verb, _, operation = self.path.removeprefix("/").partition("/")
        state = self.state
        if self.path == "/control/faults":
            state.set_faults(Faults.model_validate_json(body))
            self._answer(200, {})
        elif not self._allowed():
            self._answer(*UNAUTHORIZED)
        elif operation not in OPERATIONS:
            self._answer(404, {"error": "no such page"})
        elif verb == "write":
            self._write(operation, BATCH.validate_json(body))
        elif verb == "find":
            self._answer(200, dict(state.find(operation, NAMES.validate_json(body))))
        elif verb == "read":
            self._answer(200, dict(state.read_contacts(NAMES.validate_json(body))))
        else:
            self._answer(404, {"error": "no such page"})

    def _allowed(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _write(self, operation: str, items: list[Sent]) -> None:
        state = self.state
        fault = state.next_fault()
        if fault in ("401", "429", "500_before"):
            self._answer(self.refusals[fault], {"error": "on demand"})
            return
        if fault == "reset_before":
            self._reset()
            return
        results = state.apply(operation, items, fault)
        self._after(fault, [result.model_dump() for result in results])

    def _after(self, fault: FaultName | None, answer: list[dict[str, JsonValue]]) -> None:
        if fault == "reset_after":
            self._reset()
        elif fault == "502_after":
            self._answer(502, {"error": "on demand"})
        elif fault == "html":
            self._give(200, b"<html><body>Please sign in</body></html>", "text/html")
        elif fault == "truncated":
            self._give(200, json.dumps(answer).encode(), "application/json", cut=True)
        else:
            if fault == "hang_after":
                time.sleep(self.state.faults.hang)
            self._answer(200, answer)

    def _answer(self, status: int, answer: object) -> None:
        self._give(status, json.dumps(answer).encode(), "application/json")

    def _give(self, status: int, content: bytes, kind: str, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        wait = self.state.faults.retry_after
        if status == 429 and wait is not None:
            self.send_header("Retry-After", str(wait))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut

    def _reset(self) -> None:
        """RST in the place of an answer: no linger, and every reference to the socket closed."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
