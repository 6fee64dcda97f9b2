"""The workbook's file: nobody else writes it meanwhile, and readers see the old one or the new one."""

import errno
import fcntl
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.excel.kept import bad, look, sound

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
SHARED: Final = (errno.EBUSY, errno.ETXTBSY)  # as a network share says that somebody has it open
PRIVATE: Final = 0o600
LARGEST: Final = 64 * 1024 * 1024  # bytes

Seen = tuple[int, int, int]
"""What tells that a file is still the one that was read."""


class File:
    """One workbook's file."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._read_only = read_only
        self._path = path
        self._new = path.with_name(f".{path.name}.new")
        self._lock = path.with_name(f".{path.name}.lock")
        self._owners = (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#"))

    def check(self) -> None:
        """Is the folder there and ours to write, and the workbook, if it is there, one that can be kept?"""
        folder, file = self._path.parent, self._path
        needed = os.R_OK if self._read_only else os.R_OK | os.W_OK
        if not folder.is_dir() or not os.access(folder, needed | os.X_OK):
            raise Unauthorized("no_folder", "excel: the folder is not there or may not be written")
        if file.exists() and not os.access(file, needed):
            raise Unauthorized("no_file", "excel: the workbook may not be read or written")
        if file.exists() and not self._read_only:
            keeps_its_people(file.stat())
        try:
            if content := self.read():
                sound(content)
                look(content)
        except Rejected as error:
            raise Unauthorized(error.code, str(error)) from error

    def read(self) -> bytes | None:
        """The file's content; None if it is not there."""
        if self._path.is_symlink():
            raise bad("a symbolic link")
        try:
            content = self._path.read_bytes() if self._path.stat().st_size <= LARGEST else None
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failure_of(error) from error
        if content is None:
            raise bad("too large")
        return content

    def seen(self) -> Seen | None:
        """Which file is there now."""
        try:
            now = self._path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failure_of(error) from error
        return now.st_ino, now.st_size, now.st_mtime_ns

    @contextmanager
    def alone(self) -> Generator[None]:
        """No other writer of ours is at it meanwhile, and nobody has it open. Raises Transient."""
        self._see_that_it_may_be_written()
        try:
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise failure_of(error) from error
        try:
            _take(lock, "locked", "another run is writing the workbook; try again")
            self._see_that_it_is_closed()
            yield
        finally:
            os.close(lock)

    def _see_that_it_may_be_written(self) -> None:
        if self._read_only:
            raise Denied("read_only", "excel: this connection only reads; nothing was changed")

    def _see_that_it_is_closed(self) -> None:
        if any(owner.exists() or owner.is_symlink() for owner in self._owners):
            raise Transient("open_elsewhere", "excel: the workbook is open; close it, and it is written")
        try:
            file = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        except OSError as error:
            raise failure_of(error) from error
        try:
            _take(file, "open_elsewhere", "another program has locked the workbook; close it there")
        finally:
            os.close(file)

    def replace(self, content: bytes, was: Seen | None) -> None:
        """Put this content in the place of the file that was seen; Transient if there is another by now."""
        self._see_that_it_may_be_written()
        try:
            self._write_aside(content)
            self._see_that_it_is_closed()
            if self.seen() != was:
                raise Transient("changed_meanwhile", "excel: the workbook was saved meanwhile; try again")
            self._new.replace(self._path)
        except OSError as error:
            raise failure_of(error) from error
        finally:
            with suppress(OSError):
                self._new.unlink(missing_ok=True)  # it holds what the workbook holds
        self._sync()

    def _sync(self) -> None:
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unknown("not_synced", "excel: the file was replaced, but may not be on disk yet") from error

    def _write_aside(self, content: bytes) -> None:
        self._new.unlink(missing_ok=True)  # left by a process that was killed
        new = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        with os.fdopen(new, "wb") as file:
            if self._path.exists():
                self._take_after(new)
            file.write(content)
            file.flush()
            os.fsync(new)

    def _take_after(self, new: int) -> None:
        """Whose it is, who may do what with it, and its extended attributes, access lists among them."""
        old = self._path.stat()
        keeps_its_people(old)
        for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
            with suppress(PermissionError):
                os.fchown(new, owner, group)
        shutil.copystat(self._path, self._new)


def keeps_its_people(workbook: os.stat_result) -> None:
    """Raises Unauthorized if it would be another user's after a write, and its people could not open it."""
    mode, others = workbook.st_mode, workbook.st_mode & 0o006 == 0o006
    owner = workbook.st_uid == os.geteuid() or mode & 0o060 == 0o060
    group = workbook.st_gid in (os.getegid(), *os.getgroups())
    if os.geteuid() != 0 and not others and not (owner and group):
        raise Unauthorized(
            "not_ours",
            "excel: the workbook is another user's, who could not open it any more; let a group that Ferry's "
            "user is in read and write it, too",
        )


def failure_of(error: OSError) -> ConnectorError:
    """What it means that a file could not be read or written: nothing was changed."""
    if error.errno in FULL:
        return Transient("disk_full", "excel: the disk is full; nothing was changed")
    if error.errno in SHARED:
        return Transient("open_elsewhere", "excel: the workbook is open; close it, and it is written")
    if error.errno == errno.EIO:
        return Transient("disk_failed", "excel: the disk failed; nothing was changed")
    return Unauthorized("no_folder", "excel: the folder is not there or may not be written")


def _take(file: int, code: str, message: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Transient(code, f"excel: {message}") from error
    except OSError as error:
        raise Unauthorized("no_locks", "excel: files cannot be locked there; use another folder") from error
