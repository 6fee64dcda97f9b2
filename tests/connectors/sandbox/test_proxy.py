"""The proxies before stand-ins: what passes is unchanged, and each fault is what its name says."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, get_args

import httpx
import pytest

from connectors.sandbox.faults import Fault, RandomFaults, Trouble, applies
from connectors.sandbox.proxy import QUOTED, Proxy
from connectors.sandbox.wire import WIRE, Wire

HANG = 5.0  # seconds; the client waits for a part of one
TROUBLES: tuple[Trouble, ...] = get_args(Trouble)


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was sent."""

    protocol_version = "HTTP/1.1"
    heard: ClassVar[list[tuple[str, str, bytes, str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.heard.append((self.command, self.path, body, self.headers["Host"]))
        self.send_response(404 if "missing" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_HEAD = do_POST  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error."""


@pytest.fixture
def behind() -> Iterator[int]:
    Echo.heard.clear()
    server = Quiet(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(behind: int) -> Iterator[Proxy]:
    with Proxy(f"http://127.0.0.1:{behind}") as running:
        yield running


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=proxy.url, timeout=0.5, trust_env=False) as made:
        yield made


def test_what_passes_is_unchanged(proxy: Proxy, client: httpx.Client) -> None:
    chunked = client.post("/a?b=c", content=iter([b"one", b"two"]))
    head, missing = client.head("/h"), client.put("/missing", content=b"x")

    assert chunked.content == b"onetwo"
    assert chunked.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert (head.status_code, missing.status_code, missing.content) == (200, 404, b"x")
    host = proxy.url.removeprefix("http://")  # by which a stand-in makes its links
    assert [one[:3] for one in Echo.heard] == [
        ("POST", "/a?b=c", b"onetwo"), ("HEAD", "/h", b""), ("PUT", "/missing", b"x"),
    ]  # fmt: skip
    assert {one[3] for one in Echo.heard} == {host}
    assert [(one.method, one.path, one.status) for one in proxy.seen] == [
        ("POST", "/a?b=c", 200), ("HEAD", "/h", 200), ("PUT", "/missing", 404),
    ]  # fmt: skip
    assert (proxy.count(), proxy.count("PUT"), proxy.count(path="/a")) == (3, 1, 1)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_fault_meets_its_request_and_no_other(proxy: Proxy, client: httpx.Client, trouble: Trouble) -> None:
    proxy.faults(Fault(trouble=trouble, request=2, path="/q", retry_after="7", seconds=HANG))

    assert client.post("/q", content=b"first").text == "first"
    assert client.post("/other", content=b"x").text == "x"
    seen = _met(client)
    assert client.post("/q", content=b"third").text == "third"

    assert [one.trouble for one in proxy.seen] == [None, None, trouble, None]
    assert (b"second" in [body for _, _, body, _ in Echo.heard]) == applies(trouble)
    if trouble[:3].isdecimal():
        assert seen == f"{trouble[:3]} 7"
    else:
        manner = trouble.removesuffix("_applied")
        expected = {"hang": "ReadTimeout", "reset": "ReadError", "truncated": "RemoteProtocolError"}
        assert seen == expected.get(manner, "200 None")


def _met(client: httpx.Client) -> str:
    try:
        answer = client.post("/q", content=b"second")
    except httpx.TransportError as error:
        return type(error).__name__
    assert answer.text != "second"
    assert answer.status_code < 400 or QUOTED in answer.text
    return f"{answer.status_code} {answer.headers.get('retry-after')}"


def test_a_fault_may_stay_and_random_ones_are_the_same_for_a_seed(proxy: Proxy, client: httpx.Client) -> None:
    proxy.faults(Fault(trouble="503", request=2, times=None, method="POST"))
    assert [client.post("/").status_code for _ in range(4)] == [200, 503, 503, 503]
    assert client.get("/").status_code == 200

    drawn: list[list[int]] = []
    for _ in range(2):
        proxy.faults(at_random=RandomFaults(rate=0.5, seed=3, troubles=("429", "500")))
        drawn.append([client.post("/").status_code for _ in range(20)])
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {200, 429, 500}
    proxy.faults()
    assert {client.post("/").status_code for _ in range(20)} == {200}


def test_something_may_happen_just_before_a_request(proxy: Proxy, client: httpx.Client) -> None:
    heard: list[int] = []
    proxy.before(2, lambda: heard.append(len(Echo.heard)), path="/q")
    for path in ("/q", "/other", "/q", "/q"):
        client.post(path)

    assert heard == [2]


def test_closing_wakes_who_hangs(behind: int) -> None:
    with (
        Proxy(f"http://127.0.0.1:{behind}") as proxy,
        httpx.Client(base_url=proxy.url, timeout=HANG) as client,
    ):
        proxy.faults(Fault(trouble="hang", seconds=60))
        threading.Timer(0.1, proxy.close).start()
        with pytest.raises(httpx.TransportError) as ended:
            client.get("/")

        assert not isinstance(ended.value, httpx.TimeoutException)


@pytest.mark.parametrize("head", ["Content-Length: 9", "Transfer-Encoding: chunked"])
def test_a_request_whose_sender_went_away_is_not_passed_on(behind: int, head: str) -> None:
    with Proxy(f"http://127.0.0.1:{behind}") as proxy:
        host, _, port = proxy.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"POST /cut HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n5\r\nab".encode())
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""

        assert (Echo.heard, proxy.seen) == ([], [])


@pytest.mark.parametrize("trouble", WIRE)
def test_a_wire_is_cut_where_a_word_goes_by(behind: int, trouble: Trouble) -> None:
    with Wire(("127.0.0.1", behind), word="/q") as wire:
        wire.faults(Fault(trouble=trouble, request=2, seconds=HANG))
        with httpx.Client(base_url=f"http://127.0.0.1:{wire.port}", timeout=0.5) as client:
            assert client.post("/a", content=b"").status_code == 200
            assert client.post("/q", content=b"").status_code == 200
            with pytest.raises(httpx.ReadTimeout if "hang" in trouble else httpx.ReadError):
                client.post("/q", content=b"")
            assert client.post("/q", content=b"").status_code == 200

        assert (wire.number, wire.troubles) == (3, 1)
        assert len(Echo.heard) == (4 if applies(trouble) else 3)


def test_who_asks_before_sending_a_body_is_answered_at_once(proxy: Proxy) -> None:
    place = (proxy.url.removeprefix("http://").split(":")[0], int(proxy.url.rpartition(":")[2]))
    with socket.create_connection(place, timeout=30) as client:
        client.sendall(b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")

        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"abc")
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")
    assert [body for _, _, body, _ in Echo.heard] == [b"abc"]
