"""A stand-in for Redshift: a real PostgreSQL, spoken to through a relay that answers as Redshift does.

It enforces no more than Redshift: what Redshift would refuse is refused, a COPY reads a real object, and a
transaction sees its snapshot, as is Redshift's default. Widths in bytes, Parquet, sort keys and IAM are not
covered.
"""

import socket
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Self

from connectors.sandbox.redshift.dialect import Fetch
from connectors.sandbox.redshift.relay import Relay

ROLE: Final = "arn:aws:iam::123456789012:role/ferry-copy"
WRITING: Final = ("INSERT", "UPDATE", "DELETE", "COPY", "MERGE")


@dataclass(frozen=True)
class Behind:
    """The PostgreSQL behind: its socket, and a folder that it may read files from."""

    path: str
    folder: Path
    user: str = "postgres"


@dataclass
class Allowed:
    """Who is let in, and the role by which objects are read. Taken away, it is refused from then on."""

    user: str = "ferry"
    password: str = field(default="warehouse-password", repr=False)
    role: str = ROLE


class StandIn:
    """One warehouse. Use it as a context manager.

    isolation: of the connections from now on. `repeatable read` is what Redshift calls snapshot.
    """

    def __init__(self, behind: Behind, fetch: Fetch, allowed: Allowed | None = None) -> None:
        self.behind = behind
        self.isolation: Literal["repeatable read", "serializable"] = "repeatable read"
        self.fetch = fetch
        self.allowed = allowed or Allowed()
        self.statements: list[str] = []
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def writes(self) -> list[str]:
        """The statements that changed something for good, or loaded what does."""
        return [one for one in self.statements if one.split()[0] in WRITING]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Every connection ends, as when a cluster is resized."""
        for each in self._open:
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
        self._open.clear()

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
            upstream = socket.socket(socket.AF_UNIX)
            self._open += [client, upstream]
            threading.Thread(target=Relay(self, client, upstream).serve, daemon=True).start()
