"""One table's dataset: immutable parts with whole rows, and where the newest row of each key is.

Nothing is ever changed or removed. A row that is set anew is put whole into a later part.
"""

import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import cast

from pydantic import JsonValue

from connectors.bucket import Bucket
from connectors.errors import Rejected, Transient, Unknown
from connectors.s3.layout import CONTENT_TYPES, VERSION, Columns, Row, S3Options, decoded, encoded
from connectors.s3.manifest import Log, Manifest, Meta, Part
from connectors.tabular import Drift, Key, Table
from connectors.values import ColumnType

SMALL = 10_000  # newest rows: a part with fewer is written together with other such parts, some time
LARGE = 20_000  # rows of a part that is made of several
HEAVY = 8_000_000  # bytes: a part that has more stays as it is, whatever it holds
MANY = 16  # small parts; then they are written together


class Dataset:
    """A dataset below <prefix>/<table>/. Used by one thread at a time."""

    def __init__(self, bucket: Bucket, table: Table, options: S3Options) -> None:
        self.table = table
        self.manifest = Manifest()
        self._bucket = bucket
        self._options = options
        self._root = f"{options.root}{table.name}/"
        self._log = Log("s3", bucket, self._root)
        self._places: dict[Key, str] = {}  # the part of each key's newest row
        self._held: dict[Key, tuple[str, Row]] = {}  # rows that were asked for or written last

    def refresh(self) -> None:
        """Take notice of what others committed. Raises as a bucket's reads do, and Rejected."""
        newest = self._log.after(self.manifest.number)
        if newest is None:
            return
        known = self.manifest.entries
        grown = newest.entries[: len(known)] == known
        places = dict(self._places) if grown else {}
        if not self.drift(newest, "missing_key"):
            for part in newest.entries[len(known) if grown else 0 :]:
                places.update((self.key_of(row), part.url) for row in self._read(part, newest.columns))
        self.manifest, self._places = newest, places

    def rows(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """The newest row of each of these keys that has one."""
        wanted: dict[str, set[Key]] = {}
        found: dict[Key, tuple[str, Row]] = {}
        for key in keys:
            place = self._places.get(key)
            if place is None:
                continue
            if self._held.get(key, ("",))[0] == place:
                found[key] = self._held[key]
            else:
                wanted.setdefault(place, set()).add(key)
        for part in self.manifest.entries:
            if part.url in wanted:
                for row in self._read(part, self.manifest.columns):
                    if (key := self.key_of(row)) in wanted[part.url]:
                        found[key] = (part.url, row)
        self._held = found
        return {key: row for key, (_, row) in found.items()}

    def add(self, rows: Mapping[Key, Row]) -> bool:
        """Commit these whole rows; False if another writer was faster. Raises Transient, Unknown, …"""
        number = self.manifest.number + 1
        stamped = [{**row, VERSION: number} for row in rows.values()]
        part = self._put(stamped, number, self._options.folder(datetime.now(UTC)))
        if not self._commit([*self.manifest.entries, part]):
            return False
        for key, row in zip(rows, stamped, strict=True):
            self._places[key] = part.url
            self._held[key] = (part.url, row)
        return True

    def tidy(self) -> None:
        """Write many small parts together, without what newer rows replaced, so that reading stays quick.

        The parts themselves stay: whoever reads an older manifest goes on.
        """
        newest = Counter(self._places.values())
        small = [
            part
            for part in self.manifest.entries
            if newest[part.url] < SMALL and part.meta.content_length < HEAVY
        ]
        if len(small) < MANY:
            return
        number = self.manifest.number + 1
        rows = (
            row
            for part in small
            for row in self._read(part, self.manifest.columns)
            if self._places[self.key_of(row)] == part.url
        )
        made: list[Part] = []
        places: dict[Key, str] = {}
        while some := list(islice(rows, LARGE)):
            made.append(self._put(some, number, "together/"))
            places.update((self.key_of(row), made[-1].url) for row in some)
        if self._commit([*(part for part in self.manifest.entries if part not in small), *made]):
            self._places.update(places)
            self._held = {}

    def drift(self, manifest: Manifest | None = None, code: str = "") -> list[Drift]:
        """How the dataset differs from what was declared; only what has that code, if one is given."""
        found = self.manifest if manifest is None else manifest
        return [] if not found.number else [one for one in self._drift(found) if code in ("", one.code)]

    def key_of(self, row: Row) -> Key:
        return tuple(cast(str | int, row[name]) for name in self.table.key)

    @property
    def columns(self) -> dict[str, ColumnType]:
        """The columns of the next part: those that are there, and those that are declared."""
        declared: dict[str, ColumnType] = {name: column.type for name, column in self.table.columns.items()}
        return {**declared, **self.manifest.columns, VERSION: "int"}

    def _drift(self, found: Manifest) -> Iterator[Drift]:
        name = self.table.name
        if found.key != self.table.key:
            yield Drift(name, "", "missing_key")
        for column, declared in self.table.columns.items():
            if column not in found.columns:
                yield Drift(name, column, "missing_column")
            elif found.columns[column] != declared.type:
                yield Drift(name, column, "missing_key" if column in self.table.key else "wrong_type")
        for column in found.columns:
            if column not in self.table.columns and column != VERSION:
                yield Drift(name, column, "extra_column")

    def _put(self, rows: Sequence[Row], number: int, folder: str) -> Part:
        columns = self.columns
        content = encoded(rows, columns, self._options)
        name = f"part-{number:012d}-{secrets.token_hex(8)}{self._options.ending}"  # no hash of what is in it
        key = f"{self._root}{folder}{name}"
        try:
            alone = self._bucket.put(key, content, CONTENT_TYPES[self._options.format])
        except Unknown as error:  # without a manifest that names it, it does not count
            raise Transient(
                error.code, "s3: a part may be there, but it does not count; try again"
            ) from error
        if not alone:
            raise Rejected("foreign_object", "s3: another object has a part's key; move the dataset away")
        url = f"s3://{self._bucket.name}/{key}"
        return Part(url=url, meta=Meta(content_length=len(content)), rows=len(rows))

    def _commit(self, entries: Sequence[Part]) -> bool:
        columns = self.columns
        made = Manifest(
            number=self.manifest.number + 1, key=self.table.key, columns=columns, entries=tuple(entries)
        )
        if not self._log.commit(made):
            return False
        self.manifest = made
        return True

    def _read(self, part: Part, columns: Columns) -> list[Row]:
        place = f"s3://{self._bucket.name}/{self._root}"
        if not part.url.startswith(place):
            raise Rejected("bad_manifest", "s3: the manifest names a part of another dataset; restore it")
        key = part.url.removeprefix(f"s3://{self._bucket.name}/")
        content = self._bucket.get(key)
        if content is None:
            raise Rejected("lost_part", "s3: a part that the manifest names is not there; restore it")
        rows = decoded(content, columns, key)
        if len(rows) != part.rows:
            raise Rejected("lost_part", "s3: a part is not as the manifest says; restore it")
        return rows


def spelled(value: JsonValue) -> str:
    """A value by which 1, 1.0 and true are told apart."""
    return json.dumps(value, sort_keys=True)
