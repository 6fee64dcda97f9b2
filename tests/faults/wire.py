"""A tap on the wire: passes everything on to a server of this machine, and keeps what its clients sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

PIECE = 65_536  # bytes
QUIET = 120.0  # seconds until a silent connection is given up


class Tap:
    """A port that leads to another one. `heads()` are the request lines and headers that passed."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._sent: list[bytearray] = []
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def sent(self) -> bytes:
        """Everything that clients sent, bodies too."""
        return b"\n".join(bytes(one) for one in self._sent)

    def heads(self) -> list[bytes]:
        """Request lines and headers, one of each request."""
        return [head for one in self._sent for head in _heads(bytes(one))]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _cut(self._listening)  # wakes the thread that waits there
        with self._lock:
            for one in self._open:
                _cut(one)
        self._thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return  # closed
            server = socket.create_connection(("127.0.0.1", self._to))
            kept = bytearray()
            with self._lock:
                self._sent.append(kept)
                self._open += [client, server]
            for source, sink, record in ((client, server, kept), (server, client, None)):
                threading.Thread(target=_pump, args=(source, sink, record), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, record: bytearray | None) -> None:
    source.settimeout(QUIET)
    try:
        while piece := source.recv(PIECE):
            if record is not None:
                record += piece
            sink.sendall(piece)
    except OSError:
        pass  # a connection that was cut on purpose
    _cut(source)
    _cut(sink)


def _cut(one: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _heads(stream: bytes) -> Iterator[bytes]:
    while stream:
        head, _, rest = stream.partition(b"\r\n\r\n")
        yield head
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        assert b"transfer-encoding" not in head.lower()
        stream = rest[int(lengths[0].split(b":")[1]) if lengths else 0 :]
