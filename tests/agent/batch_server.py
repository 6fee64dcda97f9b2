"""An endpoint that speaks OpenAI's responses protocol on the loopback, one by one and in batches.

It decides by the record that it is told, the same in both ways. A batch is worked on when it has been looked
for as often as `looks` says.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from agent.access import Access, Limits

Body = Mapping[str, Any]
IN, OUT = 900, 60  # tokens of every answer


@dataclass
class Batches:
    """The endpoint while it serves. `plan`: what it answers to a request; None: that request expires."""

    url: str
    plan: Callable[[Body], Any]
    looks: int = 1
    broken: int = 0  # so many looks are answered by a 500
    repeated: list[str] = field(default_factory=list[str])  # of each request: the how-manieth try of the SDK
    version: str = "test-model"
    single: list[Body] = field(default_factory=list[Body])
    batches: list[list[Body]] = field(default_factory=list[list[Body]])
    files: dict[str, str] = field(default_factory=dict[str, str])
    left: dict[str, int] = field(default_factory=dict[str, int])
    deleted: list[str] = field(default_factory=list[str])
    turn: threading.Lock = field(default_factory=threading.Lock)

    def access(self, **limits: Any) -> Access:
        return Access(
            base_url=self.url,
            api_key=SecretStr("test-key"),
            request_timeout=limits.pop("request_timeout", 5.0),
            limits=Limits(**limits),
        )

    def completed(self, body: Body, plan: Any) -> Body:
        call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "submit_plan"}
        call |= {"arguments": json.dumps(plan), "status": "completed"}
        usage = {"input_tokens": IN, "output_tokens": OUT, "total_tokens": IN + OUT}
        usage |= {
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        }
        return {
            "id": "resp_1",
            "object": "response",
            "created_at": 1_795_000_000,
            "model": self.version,
            "status": "completed",
            "output": [call],
            "usage": usage,
            "tools": [],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
        }

    def begin(self, file: str) -> Body:
        with self.turn:
            number = len(self.batches)
            lines = [json.loads(line) for line in self.files[file].splitlines()]
            self.batches.append([line["body"] for line in lines])
            self.left[f"batch_{number}"] = self.looks
            self.files[f"out_{number}"] = "\n".join(json.dumps(line) for line in map(self._line, lines))
        return self.batch(f"batch_{number}", file)

    def _line(self, asked: Body) -> Body:
        plan = self.plan(asked["body"])
        if plan is None:
            return {"custom_id": asked["custom_id"], "error": {"code": "batch_expired", "message": "late"}}
        answer = {"status_code": 200, "body": self.completed(asked["body"], plan)}
        return {"custom_id": asked["custom_id"], "response": answer}

    def look(self, id_: str) -> Body:
        with self.turn:
            self.left[id_] -= 1
        return self.batch(id_, "file-in")

    def batch(self, id_: str, file: str) -> Body:
        done = self.left[id_] < 0
        return {
            "id": id_,
            "object": "batch",
            "endpoint": "/v1/responses",
            "input_file_id": file,
            "completion_window": "24h",
            "created_at": 1_795_000_000,
            "status": "completed" if done else "in_progress",
            "output_file_id": f"out_{id_.removeprefix('batch_')}" if done else None,
        }


@contextmanager
def batches(plan: Callable[[Body], Any]) -> Iterator[Batches]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Asked)
    server.daemon_threads = True
    here = Batches(f"http://127.0.0.1:{server.server_address[1]}/v1", plan)
    server.here = here  # type: ignore[attr-defined]
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

    @property
    def here(self) -> Batches:
        return self.server.here  # type: ignore[attr-defined, no-any-return]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v1/files":
            name = f"file-{len(self.here.files)}"
            self.here.files[name] = _uploaded(body)
            file = {"id": name, "object": "file", "bytes": len(body), "created_at": 1, "purpose": "batch"}
            self._answer({**file, "filename": "batch.jsonl", "status": "processed"})
        elif self.path == "/v1/batches":
            self._answer(self.here.begin(json.loads(body)["input_file_id"]))
        else:
            asked = json.loads(body)
            self.here.single.append(asked)
            self._answer(self.here.completed(asked, self.here.plan(asked)))

    def do_GET(self) -> None:
        here = self.here
        here.repeated.append(str(self.headers["x-stainless-retry-count"]))
        if here.broken:
            here.broken -= 1
            return self._send(b"{}", 500)
        if self.path.startswith("/v1/batches/"):
            return self._answer(here.look(self.path.rpartition("/")[2]))
        return self._send(here.files[self.path.split("/")[3]].encode())

    def do_DELETE(self) -> None:
        name = self.path.rpartition("/")[2]
        self.here.deleted.append(name)
        self._answer({"id": name, "object": "file", "deleted": True})

    def _answer(self, content: Body) -> None:
        self._send(json.dumps(content).encode())

    def _send(self, text: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        return None


def _uploaded(body: bytes) -> str:
    """The lines of the file in a form."""
    return "\n".join(re.findall(r'^\{"custom_id".*$', body.decode(), re.MULTILINE)).replace("\r", "")
