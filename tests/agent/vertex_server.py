"""Google Cloud on the loopback: tokens for a service account, Gemini, and Claude.

It answers every model request with one call of a tool, and keeps path, headers and body of each.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.access import Access, Limits

PROJECT, LOCATION, TOKEN = "a-project", "us-east5", "token-of-the-test"
IN, CACHED, OUT = 1200, 1024, 20  # tokens of every answer


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]


@dataclass
class Vertex:
    """The server while it serves. `arguments`: of the call it answers with; `version`: who it says it is."""

    url: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    version: str = ""
    status: int = 200
    requests: list[Request] = field(default_factory=list[Request])

    def access(self, **limits: Any) -> Access:
        return Access(
            base_url=self.url,
            project=PROJECT,
            location=LOCATION,
            request_timeout=limits.pop("request_timeout", 5.0),
            limits=Limits(**limits),
        )

    def answer(self, path: str) -> Mapping[str, Any]:
        if path.endswith(":generateContent"):
            call = {"functionCall": {"name": "submit_plan", "args": self.arguments}}
            usage = {"promptTokenCount": IN, "cachedContentTokenCount": CACHED, "candidatesTokenCount": OUT}
            candidate = {"content": {"role": "model", "parts": [call]}, "finishReason": "STOP"}
            return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": self.version}
        call = {"type": "tool_use", "id": "toolu_1", "name": "submit_plan", "input": self.arguments}
        usage = {"input_tokens": IN - CACHED, "cache_read_input_tokens": CACHED, "output_tokens": OUT}
        usage["cache_creation_input_tokens"] = 0
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": self.version,
            "content": [call],
            "stop_reason": "tool_use",
            "usage": usage,
        }


def service_account(folder: Path, url: str) -> Path:
    """A service account's key file, for GOOGLE_APPLICATION_CREDENTIALS; its tokens come from here."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "account.json"
    content = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": f"ferry@{PROJECT}.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"{url}/token",
    }
    path.write_text(json.dumps(content))
    return path


@contextmanager
def vertex() -> Iterator[Vertex]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Asked)
    server.daemon_threads = True
    here = Vertex(f"http://127.0.0.1:{server.server_address[1]}")
    server.vertex = here  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        here: Vertex = self.server.vertex  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/token":
            return self._answer(200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})
        here.requests.append(Request(self.path, dict(self.headers), json.loads(body)))
        if here.status != 200:
            error = {"code": here.status, "message": "no", "status": "RESOURCE_EXHAUSTED"}
            return self._answer(here.status, {"error": error})
        return self._answer(200, here.answer(self.path))

    def _answer(self, status: int, content: Mapping[str, Any]) -> None:
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        return None
