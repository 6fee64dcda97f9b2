"""One table's file: read, merged and replaced whole. A reader sees the old file or the new one."""

import errno
import fcntl
import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from connectors.delimited import BOM, Cells, Format, bad, cell_of, compose, parse, text_of, value_of
from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Arguments, Item, Outcome
from connectors.tabular import Drift, Key, Record, Rows, Table
from connectors.values import as_json

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
PRIVATE = 0o600

Place = tuple[str | None, ...]
"""A row's key as text."""


@dataclass(slots=True)
class Sheet:
    """A file's content: its header, and its rows by key in the file's order."""

    header: list[str]
    rows: dict[Place, Cells] = field(default_factory=dict[Place, Cells])


class File:
    """<folder>/<table>.csv."""

    def __init__(self, folder: Path, table: Table, form: Format, *, read_only: bool = False) -> None:
        self.table = table
        self.rows = Rows(table)
        self._form = form
        self._read_only = read_only
        self._path = folder / f"{table.name}.csv"
        self._new = folder / f".{table.name}.csv.new"
        self._lock = folder / f".{table.name}.csv.lock"
        self._threads = threading.Lock()

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Upsert the items' rows: all of them are in the file afterwards, or none. Raises as a Write does."""
        records, outcomes = self.rows.records(items, lambda key, values: None)
        if not records:
            return outcomes
        with self._alone():
            try:
                sheet = self._read()
            except Rejected as error:
                return _all_refused(items, error)
            self._merge(sheet, records)
            self._replace(compose([sheet.header, *sheet.rows.values()], self._form))
        return outcomes + [Outcome(item, "done") for record in records for item in record.items]

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """What cannot be stored in the file as it is now. Makes and locks nothing."""
        records, outcomes = self.rows.records(items, lambda key, values: None)
        try:
            if records:
                self._read()
        except Rejected as error:
            return _all_refused(items, error)
        return outcomes

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """What the items' rows hold now, in the columns that each item sets."""
        sheet = self._read()
        keys = self.rows.keys(items)
        held: dict[str, Arguments | None] = {}
        for item in items:
            key = keys[item.key]
            cells = None if key is None else sheet.rows.get(_place(key))
            held[item.key] = None if cells is None else self._values(sheet, cells, item.arguments)
        return held

    def drift(self) -> list[Drift]:
        """How the header differs from what was declared. A file that is not there does not differ."""
        header = self._header()
        if not header:
            return []
        name = self.table.name
        return [
            *(Drift(name, each, "missing_key") for each in self.table.key if each not in header),
            *(Drift(name, each, "missing_column") for each in self.table.plain if each not in header),
            *(Drift(name, each, "extra_column") for each in header if each not in self.table.columns),
        ]

    def _values(self, sheet: Sheet, cells: Cells, arguments: Arguments) -> Arguments:
        at = {name: position for position, name in enumerate(sheet.header)}
        columns = self.table.columns
        return {
            name: value_of(cells[at[name]], columns[name].type, self._form) if name in at else None
            for name in arguments
        }

    def _merge(self, sheet: Sheet, records: Sequence[Record]) -> None:
        missing = [name for name in self.table.columns if name not in sheet.header]
        if missing:
            sheet.header += missing
            for row in sheet.rows.values():
                row.extend([self._form.null] * len(missing))
        at = {name: position for position, name in enumerate(sheet.header)}
        for record in records:
            cells = sheet.rows.setdefault(_place(record.key), [self._form.null] * len(sheet.header))
            named = zip(self.table.key, record.key, strict=True)
            for name, value in (*named, *record.values.items()):
                cells[at[name]] = cell_of(value, self.table.columns[name].type, self._form)

    def _header(self) -> list[str]:
        for _, cells in self._cells():
            return self._named(cells)
        return []

    def _named(self, cells: Cells) -> list[str]:
        header = [text_of(cell, self._form) or "" for cell in cells]
        if "" in header or len(set(header)) < len(header):
            raise bad(f"{self._path.name}: the header has an empty or a doubled name")
        return header

    def _cells(self) -> Iterator[tuple[int, Cells]]:
        if self._path.is_symlink():
            raise bad(f"{self._path.name}: a symbolic link")
        try:
            text = self._path.read_bytes().decode()
        except FileNotFoundError:
            return iter(())
        except UnicodeDecodeError:
            text = None
        except OSError as error:
            raise failure_of(error) from error
        if text is None:  # outside of the `except`: that error would carry the bytes
            raise bad(f"{self._path.name}: not UTF-8")
        return parse(text.removeprefix(BOM), self._form)

    def _read(self) -> Sheet:
        lines = self._cells()
        first = next(lines, None)
        sheet = Sheet(list(self.table.columns) if first is None else self._named(first[1]))
        if any(name not in sheet.header for name in self.table.key):
            raise Rejected("schema_drift", f"csv: {self._path.name}: the header lacks a key column")
        key = [sheet.header.index(name) for name in self.table.key]
        for number, cells in lines:
            if len(cells) != len(sheet.header):
                found = f"{len(cells)} cells, expected {len(sheet.header)}"
                raise bad(f"{self._path.name}: row {number}: {found}")
            place = tuple(text_of(cells[position], self._form) for position in key)
            if place in sheet.rows:
                raise bad(f"{self._path.name}: row {number}: its key was there before")
            sheet.rows[place] = cells
        return sheet

    @contextmanager
    def _alone(self) -> Generator[None]:
        """No other thread or process of ours writes this file meanwhile. The one way to whatever writes."""
        if self._read_only:
            raise Denied("read_only", "csv: this connection only reads; nothing was changed")
        with self._threads:
            try:
                lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, PRIVATE)
            except OSError as error:
                raise failure_of(error) from error
            try:
                _take(lock)
                yield
            finally:
                os.close(lock)

    def _replace(self, text: str) -> None:
        try:
            self._write_aside(text.encode())
            self._new.replace(self._path)
        except OSError as error:
            raise failure_of(error) from error
        try:
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unknown("not_synced", "csv: the file was replaced, but may not be on disk yet") from error

    def _write_aside(self, content: bytes) -> None:
        self._new.unlink(missing_ok=True)  # left by a process that was killed
        new = os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        with os.fdopen(new, "wb") as file:
            if self._path.exists():
                os.fchmod(new, self._path.stat().st_mode & 0o777)
            file.write(content)
            file.flush()
            os.fsync(new)


def failure_of(error: OSError) -> ConnectorError:
    """What it means that a file could not be read or written: nothing was changed."""
    if error.errno in FULL:
        return Transient("disk_full", "csv: the disk is full; nothing was changed")
    if error.errno == errno.EIO:
        return Transient("disk_failed", "csv: the disk failed; nothing was changed")
    return Unauthorized("no_folder", "csv: the folder is not there or may not be written")


def _all_refused(items: Sequence[Item], error: Rejected) -> list[Outcome]:
    return [Outcome(item.key, "rejected", error.code) for item in items]


def _take(lock: int) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Transient("locked", "csv: another process is writing the file; try again") from error


def _place(key: Key) -> Place:
    return tuple(str(as_json(part)) for part in key)
