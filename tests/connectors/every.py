"""What the common suite needs of a connector: a `Case` in tests/connectors/<system>/case.py.

A case opens a world: an empty system (a stand-in or a real engine), connectors that reach it through a
proxy that can fault, and sample items. `CASES` of each case.py is found by itself.
"""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

from pydantic import BaseModel, JsonValue

from connectors.base import Connector
from connectors.operation import Arguments, Item, Write
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.wire import Wire
from connectors.tabular import Column, Table
from connectors.values import ColumnType, as_json

MARK = "Zephyrine"
"""Is in every sample's text: where it shows in an error or a request's line, patient data does."""

Held = Mapping[str, JsonValue]
"""One record as the system holds it: `patient`, and the arguments by name as JSON values."""

Make = Callable[[int, int], tuple[str, Arguments]]

Answers = Callable[[str, JsonValue], list[JsonValue] | dict[str, JsonValue] | None]


@dataclass(frozen=True)
class Sample:
    """One write, and items of it.

    make(record, version): the patient and the arguments of that record (0 to 199) in that version (0 to
        9,999). Other records are other patients'; other versions differ in some argument.
    text: the argument that takes any text, "" if there is none. `make` puts MARK into it.
    """

    write: str
    make: Make
    text: str = ""

    def item(self, record: int, version: int = 0) -> Item:
        patient, arguments = self.make(record, version)
        return Item(f"{self.write}:{record}:{version}", patient, arguments)


@dataclass(frozen=True)
class World:
    """One running system.

    connect: a new connector, with short waits (answers within a second, horizons of at most one) and
        nothing remembered; through `proxy` where there is one.
    records: what the system holds, read past the connector, for a write of that name. Of a write that
        creates, each act is a record of its own.
    values: the connection's values that `connect` uses, as flows/systems.py takes them.
    options: the target's options, likewise.
    table: the declared table, of a row target.
    alter: somebody takes the column of the sample's `text` away, in the system itself.
    writes: how many writes the system was sent so far, counted at the stand-in in the unit of `Case.most`.
    reads: the same for what the connector reads to write.
    """

    connect: Callable[[], Connector]
    samples: Sequence[Sample]
    records: Callable[[str], Sequence[Held]]
    values: Mapping[str, JsonValue]
    options: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    table: Table | None = None
    proxy: Proxy | Wire | None = None
    alter: Callable[[], None] | None = None
    writes: Callable[[], int] | None = None
    reads: Callable[[], int] | None = None


@dataclass(frozen=True)
class Most:
    """What 1,000 changed entries may cost, on a table that is there: shown by benchmarks/targets.py."""

    writes: int
    unit: str  # "requests", "jobs", "objects", …
    reads: int | None = None


@dataclass(frozen=True)
class Case:
    """One connector as the suite takes it.

    wire: its world's proxy is a Wire: only hangs and resets can happen.
    sdk: modules that knowing the connector must not load: they are for its first request.
    exempt: what the suite does not ask of it, with the reason: {"test_nasty_values": "…"}, or one value
        or trouble of a test: {"test_nasty_values['']": "…", "test_faults[hang]": "…"}.
    most: see there.
    answers: given the path of a request and what was answered: where in it each item of a batch that was
        written has its own answer; None in an answer that has none.
    """

    name: str  # of the case: "sql", or "sql-postgresql" where a system has several
    connector: type[Connector]
    credentials: type[BaseModel]
    opened: Callable[[Path], AbstractContextManager[World]]
    wire: bool = False
    sdk: tuple[str, ...] = ()
    exempt: Mapping[str, str] = field(default_factory=dict[str, str])
    most: Most | None = None
    answers: Answers | None = None

    @property
    def system(self) -> str:
        return self.connector.name

    def excused(self, test: str, part: object = None) -> str | None:
        """Why this test, or this part of it, is not asked."""
        return self.exempt.get(test) or self.exempt.get(f"{test}[{part}]" if part is not None else test)


TABLE = Table(
    name="people",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "full_name": Column(type="str"),
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
        "active": Column(type="bool"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
    },
)
"""A table that every row target can have. One with another is free to."""


def person(record: int, version: int) -> tuple[str, Arguments]:
    """A row of TABLE."""
    return f"p{record}", {
        "full_name": f"{MARK} {version}",
        "visits": version,
        "balance": f"{record}.25",
        "active": record % 2 == 0,
        "born_on": f"1980-02-{record % 28 + 1:02d}",
        "seen_at": f"2026-03-01T12:{record % 60:02d}:00Z",
    }


PEOPLE = Sample("upsert_people", person, text="full_name")


def write_of(connector: Connector, sample: Sample) -> Write:
    return connector.writes()[sample.write]


def held(table: Table, cells: Mapping[str, object]) -> Held:
    """A row as `World.records` gives it, of cells that a driver or a file gave: text or Python's own."""
    known = {name: cell for name, cell in cells.items() if name in table.columns}
    values = {name: _json(table.columns[name].type, cell) for name, cell in known.items()}
    return {**values, "patient": values[table.patient]}


def _json(kind: ColumnType, cell: object) -> JsonValue:
    """The same cell as the JSON value that an argument of that type has."""
    if cell is None or kind == "str":
        return cast(JsonValue, cell)
    if kind == "decimal":
        return as_json(Decimal(str(cell)))
    if kind == "date":
        return as_json(cell if type(cell) is date else date.fromisoformat(str(cell)[:10]))
    if kind == "datetime":
        moment = cell if isinstance(cell, datetime) else datetime.fromisoformat(str(cell))
        return as_json(moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC))
    if kind == "bool":
        return cell in (True, 1, "true", "t", "TRUE", "1")
    found: JsonValue = json.loads(cell) if isinstance(cell, str) else cast(JsonValue, cell)
    return found


def cases() -> list[Case]:
    """Every connector's, in the order of their names."""
    found: list[Case] = []
    for path in sorted(Path(__file__).parent.glob("**/case.py")):
        parts = path.relative_to(Path(__file__).parent).with_suffix("").parts
        found += importlib.import_module(".".join(("tests", "connectors", *parts))).CASES
    return found
