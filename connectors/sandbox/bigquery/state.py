"""What the stand-in holds: one project's datasets, tables, jobs, its limits, and who may do what."""

import itertools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from connectors.sandbox.bigquery.cells import Cell, Field, fields_of, given
from connectors.sandbox.bigquery.refusal import Refusal, denied, duplicate, invalid, not_found
from connectors.sandbox.bigquery.rows import Rows
from connectors.sandbox.bigquery.statements import Known

LOADS = 1500  # of a table and day: https://cloud.google.com/bigquery/quotas, 2026-11
UPDATES, WINDOW = 5, 10.0  # of a table's metadata in so many seconds
PARTITIONED = frozenset({"DATE", "TIMESTAMP"})
CLUSTERED = frozenset({"STRING", "INTEGER", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "DATE", "TIMESTAMP"})


@dataclass
class Table:
    """One table: its resource as the REST interface shows it, and its columns."""

    resource: dict[str, Any]
    fields: tuple[Field, ...]
    place: str  # its name in SQLite
    updates: deque[float] = field(default_factory=lambda: deque[float](maxlen=UPDATES))

    @property
    def expired(self) -> bool:
        until = self.resource.get("expirationTime")
        return until is not None and int(until) < time.time() * 1000


@dataclass
class State:
    """All methods may be called from several threads at once.

    denied: permissions that the account has not. looks: how often a job is still running when it is looked
    at. lasting: the seconds that a changing statement takes, whoever still waits for it. contended: so many
    changing statements will collide with another one's. slow: so many lookups are not answered at once.
    running: the statements that are not at their end, each with its time and what ends it.
    """

    project: str
    dataset: str
    location: str = "EU"
    looks: int = 1
    lasting: float = 0.0
    contended: int = 0
    slow: int = 0
    running: list[tuple[float, Callable[[], None]]] = field(
        default_factory=list[tuple[float, Callable[[], None]]]
    )
    denied: set[str] = field(default_factory=set[str])
    tables: dict[str, Table] = field(default_factory=dict[str, Table])
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    loads: Counter[str] = field(default_factory=Counter[str])
    rows: Rows = field(default_factory=Rows)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def needing(self, *permissions: str) -> Generator[None]:
        """Alone, and with these permissions. Raises Refusal."""
        with self.now():
            for permission in permissions:
                if permission in self.denied:
                    raise denied(permission)
            yield

    @contextmanager
    def now(self) -> Generator[None]:
        """Alone, when every statement has ended that is due."""
        with self.lock:
            for due, end in sorted(self.running, key=lambda one: one[0]):
                if due <= time.monotonic():
                    self.running.remove((due, end))
                    end()
            yield

    def table(self, name: str, dataset: str = "") -> Table:
        """Raises Refusal."""
        found = self.tables.get(name)
        if (dataset or self.dataset) != self.dataset:
            raise not_found(f"Dataset {self.project}:{dataset}")
        if found is None or found.expired:
            raise not_found(f"Table {self.project}:{self.dataset}.{name}")
        return found

    def known(self, full: str) -> Known:
        """A table as a statement names it."""
        project, _, rest = full.rpartition(".")[0].rpartition(".")
        if project != self.project:
            raise not_found(f"Project {project}")
        table = self.table(full.rpartition(".")[2], rest)
        return Known(table.place, table.fields)

    def make(self, resource: dict[str, Any]) -> dict[str, Any]:
        """tables.insert"""
        name = str(resource["tableReference"]["tableId"])
        if name in self.tables and not self.tables[name].expired:
            raise duplicate(f"Table {self.project}:{self.dataset}.{name}")
        fields = fields_of(resource.get("schema", {}).get("fields", ()))
        _check_layout(resource, fields)
        place = f"{name}#{next(self._numbers)}"
        self.rows.make(place, fields)
        now = str(int(time.time() * 1000))
        made = {**resource, "type": "TABLE", "creationTime": now, "location": self.location}
        self.tables[name] = Table(made, fields, place)
        return self.marked(self.tables[name])

    def alter(self, name: str, change: dict[str, Any], match: str | None) -> dict[str, Any]:
        """tables.patch: columns and fields are added; nothing is dropped, renamed or retyped."""
        table = self.table(name)
        if match is not None and match != table.resource["etag"]:
            raise Refusal(412, "conditionNotMet", "Precondition Failed")
        now = time.monotonic()
        if len(table.updates) == UPDATES and now - table.updates[0] < WINDOW:
            raise Refusal(403, "rateLimitExceeded", "Exceeded rate limits: too many table update operations")
        table.updates.append(now)
        if "schema" in change:
            self._extend(table, fields_of(change["schema"]["fields"]))
        table.resource |= change
        return self.marked(table)

    def drop(self, name: str) -> None:
        table = self.table(name)
        del self.tables[name]
        self.rows.drop(table.place)

    def shown(self, table: Table) -> dict[str, Any]:
        return {**table.resource, "numRows": str(self.rows.count(table.place))}

    def by_hand(self, name: str, fields: Sequence[dict[str, Any]], **more: Any) -> None:
        """A person makes a table."""
        with self.lock:
            reference = {"projectId": self.project, "datasetId": self.dataset, "tableId": name}
            self.make({"tableReference": reference, "schema": {"fields": list(fields)}, **more})

    def renamed(self, name: str, old: str, new: str) -> None:
        """A person renames a column."""
        with self.lock:
            table = self.table(name)
            self.rows.rename(table.place, old, new)
            described = [
                {**each, "name": new if each["name"] == old else each["name"]}
                for each in table.resource["schema"]["fields"]
            ]
            table.resource["schema"], table.fields = {"fields": described}, fields_of(described)
            self.marked(table)

    def held(self, name: str) -> list[dict[str, Any]]:
        """What a table holds, in the values of the REST interface, by column."""
        with self.now():
            if name not in self.tables:
                return []
            table = self.tables[name]
            return [
                {
                    field.name: given(field, cell, whole=True)
                    for field, cell in zip(table.fields, row, strict=True)
                }
                for row in self.rows.all(table.place)
            ]

    def count_load(self, name: str) -> None:
        """Raises Refusal where a table has had its loads of the day."""
        if self.loads[name] >= LOADS:
            raise Refusal(403, "quotaExceeded", "Quota exceeded: imports or query appends per table")
        self.loads[name] += 1

    def load(self, table: Table, rows: Sequence[Sequence[Cell]], *, keep: bool) -> None:
        self.rows.replace(table.place, rows, keep=keep)
        self.marked(table)

    def _extend(self, table: Table, fields: Sequence[Field]) -> None:
        there = {each.name.lower(): each for each in table.fields}
        for each in fields:
            before = there.pop(each.name.lower(), None)
            if before is None:
                if each.mode == "REQUIRED":
                    raise invalid(f"Provided schema adds the required column {each.name}")
                self.rows.add(table.place, each)
            elif not _grown(before, each):
                raise invalid(f"Field {each.name} has changed its type or mode")
        if there:
            raise invalid(f"Provided schema lacks {min(there)}")
        self._widen(table, fields)
        table.fields = tuple(fields)

    def _widen(self, table: Table, fields: Sequence[Field]) -> None:
        """Records that are there get a null for each new field."""
        before = {each.name.lower(): len(each.fields) for each in table.fields}
        for each in fields:
            more = len(each.fields) - before.get(each.name.lower(), len(each.fields))
            if more:
                self.rows.pad(table.place, each.name, more)

    def marked(self, table: Table) -> dict[str, Any]:
        """It was changed, or its rows were."""
        now = str(int(time.time() * 1000))
        table.resource |= {"etag": f"etag-{next(self._numbers)}", "lastModifiedTime": now}
        return table.resource


def _grown(before: Field, after: Field) -> bool:
    relaxed = (before.mode, after.mode) == ("REQUIRED", "NULLABLE")
    if before.kind != after.kind or (before.mode != after.mode and not relaxed):
        return False
    inner = after.fields[: len(before.fields)]
    return len(after.fields) >= len(before.fields) and all(
        one.name.lower() == other.name.lower() and _grown(one, other)
        for one, other in zip(before.fields, inner, strict=True)
    )


def _check_layout(resource: dict[str, Any], fields: Sequence[Field]) -> None:
    kinds = {each.name: each.kind for each in fields if not each.repeated}
    by_time = cast(dict[str, str], resource.get("timePartitioning") or {})
    if by_time:
        kind, unit = kinds.get(by_time.get("field", ""), ""), by_time.get("type")
        if kind not in PARTITIONED or unit not in ("HOUR", "DAY", "MONTH", "YEAR"):
            raise invalid("The field specified for partitioning cannot be used")
        if kind == "DATE" and unit == "HOUR":
            raise invalid("A DATE cannot be partitioned by HOUR")
    clustered = cast(dict[str, list[str]], resource.get("clustering") or {}).get("fields", [])
    if len(clustered) > 4 or any(kinds.get(name) not in CLUSTERED for name in clustered):
        raise invalid("The fields specified for clustering cannot be used")
