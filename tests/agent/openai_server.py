"""A model endpoint that speaks OpenAI's chat protocol on the loopback, and answers as it is told.

It keeps the body of every request it saw. A reply is a function of the request, so a test writes the
model it needs, a hostile one too.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import SecretStr

from agent.access import Access, Limits

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Reply:
    """What the endpoint answers. `wait`: seconds of silence before it; `drip`: between fifths of it."""

    status: int = 200
    payload: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0.0
    drip: float = 0.0


Model = Callable[[Body], Reply]
Watch = Callable[[Body], Sequence[str]]
"""What is wrong with a request, in words."""


def message(
    content: str | None, calls: list[tuple[str, str]], finish: str, refusal: str | None = None
) -> Reply:
    """An answer of the model: words, tool calls (name, arguments as text), or a refusal."""
    said: dict[str, Any] = {"role": "assistant", "content": content, "refusal": refusal}
    if calls:
        said["tool_calls"] = [
            {"id": f"call_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for at, (name, arguments) in enumerate(calls)
        ]
    completion = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_795_000_000,
        "model": "test-model",
        "choices": [{"index": 0, "message": said, "finish_reason": finish}],
        "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
    }
    return Reply(payload=json.dumps(completion).encode())


def calls(*named: tuple[str, Any]) -> Reply:
    """An answer that calls tools: arguments are given as JSON values, or as raw text."""
    texts = [(name, given if isinstance(given, str) else json.dumps(given)) for name, given in named]
    return message(None, texts, "tool_calls")


def submits(plan: Any) -> Reply:
    return calls(("submit_plan", plan))


def says(words: str) -> Reply:
    return message(words, [], "stop")


def in_turn(*replies: Reply) -> Model:
    """The replies one after the other, whatever is asked; the last one for ever."""
    left = list(replies)
    lock = threading.Lock()

    def model(body: Body) -> Reply:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return model


@dataclass
class Endpoint:
    """The endpoint while it serves. Assign `model` to change its mind. `wrong`: what `watch` said so far."""

    url: str
    model: Model
    watch: Watch = lambda body: ()
    wrong: list[str] = field(default_factory=list[str])
    bodies: list[bytes] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def access(self, **limits: Any) -> Access:
        return Access(
            base_url=self.url,
            api_key=SecretStr("test-key"),
            request_timeout=limits.pop("request_timeout", 5.0),
            limits=Limits(**limits),
        )

    def requests(self) -> list[Body]:
        return [json.loads(body) for body in self.bodies]


@contextmanager
def serving(model: Model, watch: Watch = lambda body: ()) -> Iterator[Endpoint]:
    """An endpoint on a free port of the loopback. A request that `watch` finds wrong gets a 400."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Asked)
    server.daemon_threads = True
    endpoint = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/v1", model, watch)
    server.endpoint = endpoint  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        endpoint.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Asked(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        endpoint: Endpoint = self.server.endpoint  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        endpoint.bodies.append(body)
        endpoint.headers.append(dict(self.headers))
        asked = json.loads(body)
        wrong = endpoint.watch(asked)
        endpoint.wrong.extend(wrong)
        reply = Reply(400, json.dumps({"error": {"message": "; ".join(wrong)}}).encode())
        if not wrong:
            reply = endpoint.model(asked)
        if reply.wait:
            endpoint.stopping.wait(reply.wait)
        try:
            self._answer(reply, endpoint)
        except OSError:
            self.close_connection = True  # the caller went away

    def _answer(self, reply: Reply, endpoint: Endpoint) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.payload)))
        self.end_headers()
        step = len(reply.payload) // 5 + 1 if reply.drip else len(reply.payload)
        for start in range(0, len(reply.payload), step):
            self.wfile.write(reply.payload[start : start + step])
            if reply.drip:
                endpoint.stopping.wait(reply.drip)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        return None
