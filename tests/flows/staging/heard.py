"""What came to the systems of a test: all of it, sorted into reads and the rest."""

import threading
from collections.abc import Callable, Iterator

from connectors.sandbox.proxy import Hear, Proxy
from connectors.sandbox.wire import Wire
from tests.flows.staging.reads import COMMANDS, HTTP, commands, is_quiet, mysql_statements, statements

Stream = tuple[str, int]
"""A system, and a connection to it."""


class Heard:
    """Listens at the proxies before the systems. Counting begins anew with `forget`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: list[str] = []
        self._sent: dict[Stream, bytearray] = {}
        self._parts: dict[str, Callable[[bytes], Iterator[str]]] = {}
        self._known: dict[Stream, int] = {}  # how many parts of it were looked at before
        self.requests = 0

    def listen(self, system: str, proxy: Proxy | Wire, url: str = "") -> None:
        """`url`: of a database, which says how it is spoken to."""
        if isinstance(proxy, Proxy):
            proxy.hear(self._requested(system))
            return
        mysql = url.startswith(("mysql", "mariadb"))
        sql = mysql_statements if mysql else statements
        self._parts[system] = commands if system == "mongodb" else sql
        proxy.hear(lambda connection, sent: self._came((system, connection), sent))

    def forget(self) -> None:
        """What came until now counts no more."""
        with self._lock:
            self._written.clear()
            self._known = {stream: len(self._all(stream)) for stream in self._sent}
            self.requests = 0

    def writes(self) -> list[str]:
        """What came since and is no read: where to, and what."""
        with self._lock:
            return [*self._written, *self._not_read()]

    def _requested(self, system: str) -> Hear:
        def told(method: str, path: str, body: bytes) -> None:
            with self._lock:
                self.requests += 1
                if not HTTP[system]((method, path, body)):
                    self._written.append(f"{system}: {method} {path.partition('?')[0]}")

        return told

    def _came(self, stream: Stream, sent: bytes) -> None:
        with self._lock:
            self.requests += 1
            self._sent.setdefault(stream, bytearray()).extend(sent)

    def _all(self, stream: Stream) -> list[str]:
        return list(self._parts[stream[0]](bytes(self._sent[stream])))

    def _not_read(self) -> Iterator[str]:
        for stream in self._sent:
            for part in self._all(stream)[self._known.get(stream, 0) :]:
                if not (part in COMMANDS if stream[0] == "mongodb" else is_quiet(part)):
                    yield f"{stream[0]}: {' '.join(part.split())[:80]}"
