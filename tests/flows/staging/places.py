"""Targets in which people work, too, as the tests of a stage take them: what is there, and what people do."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from pydantic import JsonValue

from connectors.base import Connector
from connectors.sandbox.airtable import TOKEN, AirtableStandIn
from connectors.sandbox.faults import Seen
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.sheets import SheetsServer
from connectors.sandbox.sheets.state import METADATA, Tag
from connectors.tabular import Column, Table
from flows.systems import SYSTEMS
from tests.connectors.excel.sheets import repacked
from tests.connectors.sheets.conftest import specs

TABLE = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "status": Column(type="str"),
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
        "active": Column(type="bool"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
        "notes": Column(type="json"),
    },
)
Act = Callable[[], None]


@dataclass(frozen=True)
class Place:
    """One system that is there.

    values: the connection's. folder: where its files are; nothing else is in it. content: all that it holds.
    acts: what people do there, once TABLE has the rows p0 to p3. proxy: what all requests go through.
    """

    system: str
    values: Mapping[str, JsonValue]
    folder: Path
    content: Callable[[], object]
    acts: Mapping[str, Act]
    rename: Callable[[str, str], None]  # a person types another name into a patient's row
    proxy: Proxy | None = None
    table: Table = TABLE
    options: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])

    def real(self, *, read_only: bool = False) -> Connector:
        make = SYSTEMS[self.system].target
        assert make is not None
        return make(self.values, [self.table], self.options, read_only=read_only)

    def image(self) -> Connector:
        return self.real(read_only=True)

    def files(self) -> dict[str, tuple[bytes, int]]:
        """Each file, and when it was changed; the folder itself, too."""
        found = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in self.folder.iterdir()}
        return {**found, "": (b"", self.folder.stat().st_mtime_ns)}

    def writes(self) -> list[Seen]:
        """The requests that were no reads."""
        seen = self.proxy.seen if self.proxy else []
        asks = ("/token", "/listRecords")
        return [one for one in seen if one.method != "GET" and not one.path.partition("?")[0].endswith(asks)]


@contextmanager
def untouched(*places: Place) -> Iterator[None]:
    """Nothing of these is changed meanwhile, no file is made or touched, and only reads leave."""
    before = [(place.content(), place.files()) for place in places]
    for place in places:
        if place.proxy:
            place.proxy.forget()
    yield
    assert [place.writes() for place in places] == [[] for _ in places]
    assert [(place.content(), place.files()) for place in places] == before


@contextmanager
def csv(folder: Path) -> Iterator[Place]:
    path = folder / "patients.csv"

    def edit(before: str, after: str) -> None:
        path.write_bytes(path.read_bytes().decode().replace(before, after, 1).encode())

    def rename(patient: str, name: str) -> None:
        text = path.read_bytes().decode()
        path.write_bytes(re.sub(rf"(?m)^{patient},[^,]*", f"{patient},{name}", text).encode())

    def row(number: int) -> str:
        return path.read_bytes().decode().split("\r\n")[number]

    yield Place(
        "csv",
        {"folder": str(folder)},
        folder,
        lambda: path.exists() and path.read_bytes(),
        {
            "a key twice": lambda: edit(row(1), f"{row(1)}\r\n{row(1)}"),
            "no key column": lambda: edit("patient_id", "somebody"),
            "a header twice": lambda: edit("status", "name"),
            "a column taken away": lambda: edit("status", "theirs"),
            "no text": lambda: (path.write_bytes(b"\xff\xfe"), None)[1],
            "a cell too few": lambda: edit(row(2), "p1"),
        },
        rename,
    )


@contextmanager
def excel(folder: Path) -> Iterator[Place]:
    path = folder / "practice.xlsx"

    def on_sheet(act: Callable[[Worksheet], object]) -> Act:
        def edit() -> None:
            book = load_workbook(path)
            act(book["patients"])
            book.save(path)

        return edit

    def put(cell: str, value: object) -> Act:
        def typed(sheet: Worksheet) -> None:
            sheet[cell] = value  # type: ignore[assignment]  # its stubs know fewer values

        return on_sheet(typed)

    def rename(patient: str, name: str) -> None:
        def typed(sheet: Worksheet) -> None:
            for row in sheet.iter_rows(min_row=2):
                if row[0].value == patient:
                    row[1].value = name

        on_sheet(typed)()

    yield Place(
        "excel",
        {"file": str(path)},
        folder,
        lambda: path.exists() and path.read_bytes(),
        {
            "a key twice": put("A3", "p0"),
            "no key column": put("A1", "somebody"),
            "a header twice": put("C1", "name"),
            "a column taken away": put("C1", "theirs"),
            "a formula": put("D2", "=1+1"),
            "a formula in the key": put("A4", '="p"&2'),
            "merged cells": on_sheet(lambda sheet: sheet.merge_cells("B2:C2")),
            "merged cells below": on_sheet(lambda sheet: sheet.merge_cells("A6:C6")),
            "a chart": lambda: (
                path.write_bytes(repacked(path.read_bytes(), {"xl/charts/chart1.xml": b"<x/>"})),
                None,
            )[1],
        },
        rename,
    )


@contextmanager
def sheets(folder: Path) -> Iterator[Place]:
    with SheetsServer(specs=specs()) as server, Proxy(server.url) as proxy:
        people = server.people

        def put(row: int, name: str, value: JsonValue) -> Act:
            return lambda: people.type("patients", row, people.column("patients", name), value)

        def nearly_full() -> None:
            sheet = server.book.titled("patients")
            sheet.rows[0].tags.append(Tag(1, "x", "y" * (METADATA - sheet.metadata() - 2)))

        def rename(patient: str, name: str) -> None:
            rows = people.look("patients")
            at = next(at for at, row in enumerate(rows) if row and row[0] == patient)
            put(at, "name", name)()

        yield Place(
            "sheets",
            {**server.values, "url": proxy.url},
            folder,
            lambda: [(one.title, people.look(one.title), one.metadata()) for one in server.book.sheets],
            {
                "a key twice": put(2, "patient_id", "p0"),
                "no key column": put(0, "patient_id", "somebody"),
                "a header twice": put(0, "status", "name"),
                "a column taken away": lambda: people.delete_column("patients", "status"),
                "a formula": put(1, "visits", "=1+1"),
                "room for one row": nearly_full,
                "another name": lambda: people.rename_sheet("patients", "Ana's patients"),
            },
            rename,
            proxy,
        )
        assert server.troubles == []


@contextmanager
def airtable(folder: Path) -> Iterator[Place]:
    with AirtableStandIn() as stand_in, Proxy(stand_in.url) as proxy:
        base = stand_in.base

        def retype(name: str, kind: str, options: Mapping[str, JsonValue]) -> Act:
            return lambda: base.table("patients").field_of(name).update(type=kind, options=dict(options))

        def other_letters() -> None:
            base.remove_field("patients", "status")
            base.add_field("patients", {"name": "Status", "type": "number"})

        def rename(patient: str, name: str) -> None:
            table = base.table("patients")
            key, named = (table.field_of(each)["id"] for each in ("patient_id", "name"))
            next(row for row in table.records.values() if row[key] == patient)[named] = name

        yield Place(
            "airtable",
            {"url": proxy.url, "token": TOKEN, "base": base.id},
            folder,
            lambda: [(one.described(), base.rows(one.id)) for one in base.tables],
            {
                "a key twice": lambda: (base.add_record("patients", {"patient_id": "p1"}), None)[1],
                "no key column": lambda: base.remove_field("patients", "patient_id"),
                "a column taken away": lambda: base.remove_field("patients", "status"),
                "a column in other letters": other_letters,
                "a choice": retype("status", "singleSelect", {"choices": [{"id": "sel1", "name": "new"}]}),
                "a formula": retype("visits", "formula", {}),
                "a checkbox": retype("active", "checkbox", {}),
                "whole numbers": retype("balance", "number", {"precision": 0}),
            },
            rename,
            proxy,
        )


PLACES: Mapping[str, Callable[[Path], AbstractContextManager[Place]]] = {
    "csv": csv,
    "excel": excel,
    "sheets": sheets,
    "airtable": airtable,
}


def person(patient: str, name: str = "Ana", **values: JsonValue) -> tuple[str, dict[str, JsonValue]]:
    return patient, {"name": name, "status": "new", "visits": 1, "balance": "1.5", "active": True, **values}


PEOPLE: Sequence[tuple[str, Mapping[str, JsonValue]]] = [person(f"p{at}") for at in range(4)]
