"""The moment from which the next request to a system may leave, for all processes of this machine.

Runs are processes of their own, and a vendor counts them together. A file keeps nothing but the moment; its
name is a hash of the place. Where no file can be kept, a process is alone with its own.
"""

import fcntl
import hashlib
import os
import struct
import tempfile
import threading
import time
from functools import cache
from pathlib import Path
from typing import Final, Self

from connectors.address import LOOPBACK

LONGEST: Final = 86_400.0  # seconds; a moment that is farther away is no moment of ours
TRIES: Final = 50  # at a file that another process holds, which takes microseconds
BETWEEN: Final = 0.01  # seconds
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")  # the clock begins anew with each


class Turns:
    """As a context manager: nobody else reads or moves `next` meanwhile. Safe to use from several threads."""

    def __init__(self, place: str | None = None) -> None:
        """place: what the processes share. Without one, this object alone is shared."""
        self._place = place
        self._file: int | None = None
        self._lock = threading.Lock()
        self.next = 0.0  # of time.monotonic, which is one clock for a machine's processes

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._file = None if self._place is None else _opened(self._place)
        if self._file is not None:
            self.next = max(self.next, _moment(os.pread(self._file, 8, 0)))
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            os.pwrite(self._file, struct.pack("<d", self.next), 0)
            os.close(self._file)  # which ends its lock
        self._lock.release()


@cache
def turns_of(place: str) -> Turns:
    """The one object of this process for the place, which names its host.

    A stand-in's are its process's alone: its port is another one's tomorrow.
    """
    return Turns(None if any(host in place for host in LOOPBACK) else place)


def _moment(kept: bytes) -> float:
    moment: float = struct.unpack("<d", kept)[0] if len(kept) == 8 else 0.0
    return moment if 0.0 <= moment <= time.monotonic() + LONGEST else 0.0


def _opened(place: str) -> int | None:
    """The place's file, locked; None if there can be none, or somebody keeps it."""
    boot = BOOT.read_text() if BOOT.exists() else ""
    folder = Path(tempfile.gettempdir()) / f"ferry-{os.getuid()}"
    name = hashlib.sha256(f"{boot}{place}".encode()).hexdigest()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid != os.getuid():
            return None
        file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        return None
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(BETWEEN)
        else:
            return file
    os.close(file)
    return None
