"""A proxy on loopback before any server that does not speak HTTP: it passes bytes on, and cuts on demand.

with Wire(("127.0.0.1", 5439)) as wire:
    wire.faults(Fault(trouble="reset_applied", path="COMMIT"))
    connector = Redshift(RedshiftCredentials(host="127.0.0.1", port=wire.port, …))

What the client sends at once counts as a request, if it holds `word`; a fault's `path` is a part of it.
Only hangs and resets can happen here.
"""

import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final, Self

from connectors.sandbox.faults import Fault, RandomFaults, Script, applies, manner_of

WIRE: Final = ("reset", "reset_applied", "hang", "hang_applied")
"""The troubles that a wire can have."""

Place = tuple[str, int] | str
"""A host and port, or the path of a socket."""

Hear = Callable[[int, bytes], None]
"""Is told of what a client sent: the connection's number, and the bytes as they came."""


class Wire:
    """One proxy before one address. Use it as a context manager."""

    def __init__(self, behind: Place, *, word: str = "") -> None:
        self._behind, self._word = behind, word
        self._script = Script()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stop, self._stopped = socket.socketpair()
        self._pairs: list[_Pair] = []
        self._heard: Hear | None = None
        self.port = int(self._listener.getsockname()[1])
        self.number = 0  # of the requests since the faults were set
        self.troubles = 0  # of these, that met a fault
        threading.Thread(target=self._accept, daemon=True).start()

    def faults(self, *scripted: Fault, at_random: RandomFaults | None = None) -> None:
        """Replace all faults by these; nothing given clears them. Counting begins anew."""
        self._script.set(scripted, at_random)
        self.number = self.troubles = 0

    def before(self, request: int, act: Callable[[], None], *, path: str = "") -> None:
        """Call `act` once, just before the `request`-th request from now on (the first is 1) is passed on."""
        self._script.before(request, act, path)

    def hear(self, told: Hear | None) -> None:
        """Tell this of everything that clients send, whatever becomes of it; None: nobody."""
        self._heard = told

    def came(self, connection: int, sent: bytes) -> None:
        """Tell whoever wants to hear it."""
        if self._heard:
            self._heard(connection, sent)

    def due(self, sent: bytes) -> Fault | None:
        """The fault that this meets, if it is a request at all."""
        text = sent.decode("latin-1")
        if self._word not in text:
            return None
        self.number += 1
        fault = self._script.due("", text)
        self.troubles += fault is not None
        return fault

    def wait(self, seconds: float, client: socket.socket) -> None:
        """Until the client has given up, the proxy is closed, or the time is over."""
        select.select([client, self._stopped], [], [], seconds)

    def close(self) -> None:
        self._stop.close()  # whoever hangs is woken
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in self._pairs:
            pair.cut()
        self._stopped.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                upstream = self._connected()
            except OSError:
                client.close()
                continue
            pair = _Pair(self, client, upstream)
            self._pairs = [one for one in self._pairs if not one.ended] + [pair]
            pair.start()

    def _connected(self) -> socket.socket:
        if not isinstance(self._behind, str):
            return socket.create_connection(self._behind)
        upstream = socket.socket(socket.AF_UNIX)
        upstream.connect(self._behind)
        return upstream


class _Pair:
    """One client's connection and ours to the server."""

    def __init__(self, wire: Wire, client: socket.socket, upstream: socket.socket) -> None:
        self._wire, self._client, self._upstream = wire, client, upstream
        self._mute: Fault | None = None  # the server's next answer is lost
        self._lock = threading.Lock()
        self.ended = False

    def start(self) -> None:
        for act in (self._to_server, self._to_client):
            threading.Thread(target=act, daemon=True).start()

    def cut(self) -> None:
        """Both sides see the connection reset."""
        with self._lock:
            if self.ended:
                return
            self.ended = True
        for each in (self._client, self._upstream):
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RD)  # wakes the thread that reads it
            except OSError:
                pass  # it has ended already
            each.close()

    def _to_server(self) -> None:
        try:
            while sent := self._client.recv(65536):
                self._wire.came(id(self), sent)
                fault = self._wire.due(sent)
                if fault is not None and not applies(fault.trouble):
                    self._end(fault)
                    return
                self._mute = fault
                self._upstream.sendall(sent)
            self._upstream.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    def _to_client(self) -> None:
        try:
            while answer := self._upstream.recv(65536):
                if self._mute is not None:
                    self._end(self._mute)
                    return
                self._client.sendall(answer)
            self._client.shutdown(socket.SHUT_WR)
        except OSError:
            self.cut()

    def _end(self, fault: Fault) -> None:
        if manner_of(fault.trouble)[0] == "hang":
            self._wire.wait(fault.seconds, self._client)
        self.cut()
