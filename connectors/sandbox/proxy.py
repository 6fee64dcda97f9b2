"""A proxy on loopback before any stand-in that speaks HTTP: it passes on, counts, and faults on demand.

with Proxy(stand_in.url) as proxy:
    proxy.faults(Fault(trouble="reset_applied", request=2, path="/batch/"))
    connector = Brevo(BrevoCredentials(url=proxy.url, …))
"""

import http.client
import json
import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self, cast
from urllib.parse import urlsplit

from connectors.sandbox.faults import Fault, RandomFaults, Script, Seen, applies, manner_of

PATIENCE: Final = 60.0  # seconds for the system behind
QUOTED: Final = "Ana Quoted, born 1979-02-03, ana.quoted@example.com"
"""What every faulty answer says. An error that shows a word of it quotes its answer."""

PAGE: Final = f"<html><body><h1>Please sign in</h1><p>{QUOTED}</p></body></html>".encode()
HOPS: Final = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "expect"}
)

REDIRECT: Final = 307
ELSEWHERE: Final = "/elsewhere"
"""Where a redirect leads: who follows it is seen here again."""

Refusal = Callable[[int], Mapping[str, object]]
"""The JSON body with which the system refuses, by status: in the vendor's own shape."""

Amend = Callable[[str, bytes], bytes]
"""What becomes of a proper answer's body; the first argument is its request's path."""

Hear = Callable[[str, str, bytes], None]
"""Is told of a request: method, path with the query, body."""


def _refusal(status: int) -> Mapping[str, object]:
    return {"status": status, "message": QUOTED}


@dataclass
class _Given:
    """What the system behind has answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)


class Proxy:
    """One proxy before one address. Use it as a context manager."""

    def __init__(self, url: str, *, refusal: Refusal = _refusal) -> None:
        parts = urlsplit(url)
        self.refusal = refusal
        self.behind = (parts.hostname or "", parts.port or 80)
        self.script = Script()
        self.amended: Amend | None = None
        self.heard: Hear | None = None
        self._seen: list[Seen] = []
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{parts.path}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def faults(self, *scripted: Fault, at_random: RandomFaults | None = None) -> None:
        """Replace all faults by these; nothing given clears them. Counting begins anew."""
        self.script.set(scripted, at_random)
        self.forget()

    def before(self, request: int, act: Callable[[], None], *, path: str = "") -> None:
        """Call `act` once, just before the `request`-th request from now on (the first is 1) is passed on."""
        self.script.before(request, act, path)

    def amend(self, change: Amend | None) -> None:
        """Pass every answer that meets no fault through this; None: as it is."""
        self.amended = change

    def hear(self, told: Hear | None) -> None:
        """Tell this of every request that came whole, whatever becomes of it; None: nobody."""
        self.heard = told

    @property
    def seen(self) -> list[Seen]:
        """The requests that came since the faults were set, in the order of their answers."""
        with self._lock:
            return list(self._seen)

    @property
    def number(self) -> int:
        """How many came."""
        with self._lock:
            return len(self._seen)

    def count(self, method: str = "", path: str = "") -> int:
        """How many of them had this method and this part of the path."""
        return sum(method in ("", one.method) and path in one.path for one in self.seen)

    def forget(self) -> None:
        """Forget the requests that came."""
        with self._lock:
            self._seen.clear()

    def note(self, seen: Seen) -> None:
        with self._lock:
            self._seen.append(seen)

    def close(self) -> None:
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._stop, self.stopped = socket.socketpair()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def stop(self) -> None:
        self._stop.close()  # whoever hangs is woken
        self.shutdown()
        self.server_close()
        self.stopped.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection of a client, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the standard library's name
        """Nothing: a request may name a patient."""

    def handle_expect_100(self) -> bool:
        """At once: whoever asked sends no body until it came, or a second is over."""
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def do_GET(self) -> None:
        proxy, body = cast(_Server, self.server).proxy, self._body()
        if body is None:  # its sender went away: no server carries out a part of a request
            self.close_connection = True
            return
        if proxy.heard:
            proxy.heard(self.command, self.path, body)
        fault = proxy.script.due(self.command, self.path)
        if fault is None:
            given = self._passed(body)
            proxy.note(Seen(self.command, self.path, status=given.status))
            amend = proxy.amended if given.status < 300 else None
            body = amend(self.path, given.body) if amend else given.body
            self._give(given.status, given.headers, body)
            return
        given = self._passed(body) if applies(fault.trouble) else _Given(0, [], b"")
        proxy.note(Seen(self.command, self.path, fault.trouble, given.status or None))
        self._go_wrong(fault, given)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _go_wrong(self, fault: Fault, given: _Given) -> None:
        manner, status = manner_of(fault.trouble)
        if manner == "status":
            more = [("Retry-After", fault.retry_after)] if fault.retry_after else []
            if status == REDIRECT:
                more.append(("Location", f"http://{self.headers.get('Host')}{ELSEWHERE}"))
            body = json.dumps(cast(_Server, self.server).proxy.refusal(status)).encode()
            self._give(status, [("Content-Type", "application/json"), *more], body)
        elif manner == "html":
            self._give(200, [("Content-Type", "text/html")], PAGE)
        elif manner == "half":
            self._give(given.status, given.headers, given.body[: len(given.body) // 2])
        elif manner == "truncated":
            self._give(given.status, given.headers, given.body, cut=True)
        else:
            if manner == "hang":
                self._wait(fault.seconds)
            self._reset()

    def _body(self) -> bytes | None:
        """The whole body; None if the client went away before its end."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            whole = self.rfile.read(length)
            return whole if len(whole) == length else None
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def _passed(self, body: bytes) -> _Given:
        """The answer of the system behind. It is told the name by which the client called us."""
        connection = http.client.HTTPConnection(*cast(_Server, self.server).proxy.behind, timeout=PATIENCE)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOPS:
                    connection.putheader(name, value)
            if body or self.command not in ("GET", "HEAD"):
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return _Given(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def _give(self, status: int, headers: list[tuple[str, str]], body: bytes, *, cut: bool = False) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOPS:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), str(len(body)))
        bodiless = self.command == "HEAD" or status in (204, 304) or status < 200
        if status != 204:
            self.send_header("Content-Length", length if bodiless else str(len(body)))
        self.end_headers()
        if not bodiless:
            self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        self.close_connection = self.close_connection or cut

    def _wait(self, seconds: float) -> None:
        """Until the client has given up, the proxy is closed, or the time is over."""
        select.select([self.connection, cast(_Server, self.server).stopped], [], [], seconds)

    def _reset(self) -> None:
        """RST in the place of an answer: no linger, and every reference to the socket closed."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
