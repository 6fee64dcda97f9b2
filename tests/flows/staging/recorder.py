"""What this process does to the world outside: whom it connects to, what it starts and writes.

An audit hook sees what Python does. PostgreSQL's library opens its sockets in C: each of its connections is
asked for its peer once it is there.
"""

import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

CONNECTS = ("socket.connect", "socket.sendto", "socket.sendmsg")
LOOKS_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
STARTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty")
CHANGES = (
    "os.rename",
    "os.remove",
    "os.mkdir",
    "os.rmdir",
    "os.truncate",
    "os.link",
    "os.symlink",
    "os.utime",
)
TO_WRITE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Act = tuple[str, str]
"""What was done (connects, looks up, starts, writes), and whom or what it met: an address, a name, a path."""


class Recorder:
    """One for a process: a hook cannot be taken away again. It records between `begin` and `acts`."""

    def __init__(self) -> None:
        self._folder = ""
        self._acts: list[Act] | None = None
        self._lock = threading.Lock()
        sys.addaudithook(self._met)
        event.listen(sa.Engine, "connect", self._in_c)

    def begin(self, folder: Path) -> None:
        """Forget what was; what is changed in this folder from now on counts as a write."""
        with self._lock:
            self._folder, self._acts = f"{folder}/", []

    def acts(self) -> list[Act]:
        """Everything that was done since, each once, in order."""
        with self._lock:
            found, self._acts = self._acts or [], None
        return list(dict.fromkeys(found))

    def _met(self, name: str, arguments: tuple[Any, ...]) -> None:  # as Python gives them
        if self._acts is None:
            return
        if name in CONNECTS:
            self._note("connects", _place(arguments[-1]))
        elif name in LOOKS_UP:
            self._note("looks up", str(arguments[0]))
        elif name in STARTS:
            self._note("starts", str(arguments[0]))
        elif name in CHANGES or (
            name == "open" and isinstance(arguments[2], int) and arguments[2] & TO_WRITE
        ):
            self._writes([one for one in arguments[:2] if isinstance(one, str | bytes | os.PathLike)])

    def _writes(self, paths: list[Any]) -> None:
        for path in map(os.path.abspath, map(os.fsdecode, paths)):
            if path.startswith(self._folder):
                self._note("writes", path)

    def _in_c(self, connection: Any, _record: object) -> None:  # of whichever driver
        library = getattr(connection, "pgconn", None)  # psycopg's alone
        if library is not None:
            with socket.socket(fileno=os.dup(library.socket)) as there:
                self._note("connects", _place(there.getpeername()))

    def _note(self, kind: str, what: str) -> None:
        with self._lock:
            if self._acts is not None:
                self._acts.append((kind, what))


def _place(address: object) -> str:
    """`127.0.0.1:5432`; of a socket in the file system its path."""
    return f"{address[0]}:{address[1]}" if isinstance(address, tuple) else os.fsdecode(str(address))
