"""One load: rows go to the bucket, from there into the stage, and are merged, all of them or none.

Redshift enforces no key and a COPY may not be repeated, so the ledger `_loads` says which load of a table
was the last: it is entered there in its own transaction, and first, so that of two at once one waits for the
other. A load that a later one has overtaken is not entered and merges nothing, however late it gets through.
"""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Literal

from connectors.bucket import Bucket
from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.redshift import texts
from connectors.redshift.failures import Failure, StatementFailed
from connectors.redshift.stage import written
from connectors.redshift.texts import Names
from connectors.redshift.warehouse import TRIES, Warehouse
from connectors.tabular import Record, Table

if TYPE_CHECKING:
    from connectors.redshift.session import Session

MAYBE = Failure("lost", "connection_lost")
OVERTAKEN = Failure("transient", "contention")


@dataclass(frozen=True, slots=True)
class _Load:
    """One load on its way."""

    id: str
    number: int
    rows: int
    copy: str
    merge: str


class Loader:
    """Loads rows of one table. Used by one thread at a time."""

    def __init__(
        self,
        warehouse: Warehouse,
        bucket: Bucket,
        names: Names,
        table: Table,
        role: str,
        region: str,
        folder: str,
    ) -> None:
        self._warehouse, self._bucket = warehouse, bucket
        self._names, self._table = names, table
        self._role, self._region, self._folder = role, region, folder
        self._staged = 0  # the session that has our stage
        self._newest: int | None = None  # the number of the newest load that is known
        self._doubted = 0  # the greatest number of a load of ours that may still be merged

    def load(self, records: Sequence[Record]) -> Failure | None:
        """Merge the rows in one transaction. None if it was committed.

        A failure that is "lost" may have been committed; every other one was not.
        """
        table = self._table
        given = [name for name in table.plain if any(name in record.values for record in records)]
        partly = [name for name in given if not all(name in record.values for record in records)]
        content, null = written(records, table, given)
        id_ = uuid.uuid4().hex
        key = f"{self._folder}{table.name}/{id_}.csv.gz"
        columns = (*table.key, *given)
        place = f"s3://{self._bucket.name}/{key}"
        copy = texts.copy(self._names, columns, place, self._role, self._region, null)
        merge = texts.merge(self._names, table, given, partly)
        failure = self._put(key, content)
        if failure is not None:
            return failure
        try:
            return self._loaded(id_, len(records), copy, merge)
        finally:
            self._remove(key)

    def _put(self, key: str, content: bytes) -> Failure | None:
        try:
            self._bucket.put(key, content, "application/gzip")
        except Unauthorized as error:
            return Failure("unauthorized", error.code)
        except Rejected as error:
            return Failure("table", error.code)
        except (Transient, Denied) as error:
            return Failure("transient", error.code)
        except Unknown as error:  # wherever the rows are, nothing was merged
            self._remove(key)
            return Failure("transient", error.code)
        return None

    def _remove(self, key: str) -> None:
        with suppress(ConnectorError):  # the bucket's lifecycle rule takes what is left
            self._bucket.remove(key)

    def _loaded(self, id_: str, rows: int, copy: str, merge: str) -> Failure | None:
        failure = OVERTAKEN
        for _ in range(TRIES):
            number = self._next()
            if isinstance(number, Failure):
                failure = number
                continue
            load = _Load(id_, number, rows, copy, merge)
            merged = self._warehouse.act(partial(self._merged, load))
            if merged == "merged":
                return None
            if merged == "unsure":
                self._doubted = number  # a later load has a greater one: then this one can merge nothing more
                return None if self._is_entered(id_) else MAYBE
            if merged == "overtaken":
                merged = OVERTAKEN
            failure = merged
            if failure.kind not in ("lost", "transient"):
                return failure
            self._newest = None  # perhaps another load was the reason
        return Failure("transient", failure.code) if failure.kind == "lost" else failure

    def _merged(self, load: _Load, session: "Session") -> Literal["merged", "overtaken", "unsure"]:
        """One transaction, four statements. Raises StatementFailed if it was surely not committed."""
        names = self._names
        if self._staged != self._warehouse.session:
            session.run(texts.make_stage(names, self._table))
            self._staged = self._warehouse.session
        session.run("BEGIN")
        moment = datetime.now(UTC).isoformat()
        line = (load.number, load.id, load.rows, moment, names.target, load.number)
        if session.run(texts.enter(names), line) < 1:
            session.run("ROLLBACK")
            return "overtaken"
        session.run(texts.clear(names))
        session.run(load.copy)
        session.run(load.merge)
        try:
            session.run("COMMIT")
        except StatementFailed as failed:
            if failed.failure.code == OVERTAKEN.code:
                raise  # every other failure of a COMMIT leaves it in doubt
        else:
            self._newest = load.number
            return "merged"
        self._warehouse.close()
        return "unsure"

    def _next(self) -> int | Failure:
        if self._newest is None:
            newest = self._warehouse.act(self._look)
            if isinstance(newest, Failure):
                return newest
            self._newest = newest
        return max(self._newest, self._doubted) + 1

    def _look(self, session: "Session") -> int:
        """The number of the newest load. Makes the table's line where it has none."""
        names = self._names
        newest = session.rows(texts.newest(names), (names.target,))[0][0]
        if newest is None:
            moment = datetime.now(UTC).isoformat()
            session.run(texts.open_line(names), (names.target, moment, names.target))
        return int(newest or 0)

    def _is_entered(self, id_: str) -> bool:
        values = (self._names.target, id_)
        found = self._warehouse.act(lambda session: session.rows(texts.entered(self._names), values))
        return not isinstance(found, Failure) and bool(found)
