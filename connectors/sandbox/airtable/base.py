"""One base: tables, fields and records, with what Airtable refuses. A request is applied whole, or not."""

import copy
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import JsonValue

from connectors.sandbox.airtable.cells import MERGEABLE, FieldDict, made
from connectors.sandbox.airtable.formula import Formula
from connectors.sandbox.airtable.rules import Refusal

AT_ONCE = 10  # records of one write
PAGE = 100  # records of one listing
MADE = "2026-01-01T00:00:00.000Z"

Cells = dict[str, JsonValue]
ByKey = Mapping[tuple[JsonValue, ...], list[str]]


@dataclass
class Table:
    """One table. `records` by id, in the order in which they were made, hold cells by field id."""

    id: str
    name: str
    fields: list[FieldDict]
    records: dict[str, Cells] = field(default_factory=dict[str, Cells])
    description: str = ""

    def field_of(self, named: str) -> FieldDict:
        for each in self.fields:
            if named in (each["id"], each["name"]):
                return each
        raise Refusal(422, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{named}"')

    def described(self) -> dict[str, JsonValue]:
        return {
            "id": self.id,
            "name": self.name,
            **({"description": self.description} if self.description else {}),
            "primaryFieldId": self.fields[0]["id"],
            "fields": cast(JsonValue, self.fields),
            "views": [],
        }


class Base:
    """The base. People edit it by these methods, too."""

    def __init__(self, id_: str = "app00000000Ferry0") -> None:
        self.id = id_
        self.tables: list[Table] = []
        self.lock = threading.RLock()
        self._made = 0

    def table(self, named: str) -> Table:
        for table in self.tables:
            if named in (table.id, table.name):
                return table
        raise Refusal(
            403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "Invalid permissions, or the model was not found"
        )

    def add_table(self, name: str, fields: Sequence[Mapping[str, JsonValue]], description: str = "") -> Table:
        if any(table.name.lower() == name.lower() for table in self.tables):
            raise Refusal(422, "DUPLICATE_TABLE_NAME")
        table = Table(self._id("tbl"), name, [], description=description)
        for each in fields:
            self._add_field(table, each)
        if not table.fields:
            raise Refusal(422, "INVALID_REQUEST_MISSING_FIELDS")
        self.tables.append(table)
        return table

    def add_field(self, named: str, given: Mapping[str, JsonValue]) -> FieldDict:
        return self._add_field(self.table(named), given)

    def _add_field(self, table: Table, given: Mapping[str, JsonValue]) -> FieldDict:
        name = given.get("name")
        taken = [each["name"].lower() for each in table.fields]
        if not isinstance(name, str) or not name or name.lower() in taken:
            raise Refusal(422, "DUPLICATE_OR_EMPTY_FIELD_NAME")
        new: FieldDict = copy.deepcopy({"id": self._id("fld"), "type": "singleLineText", **given})
        for choice in new.get("options", {}).get("choices", []):
            choice.setdefault("id", self._id("sel"))
        table.fields.append(new)
        return new

    def rename_table(self, table: str, name: str) -> None:
        """A person renames a table."""
        self.table(table).name = name

    def rename(self, table: str, field_: str, name: str) -> None:
        """A person renames a field."""
        self.table(table).field_of(field_)["name"] = name

    def remove_field(self, table: str, field_: str) -> None:
        """A person deletes a field, with what it held."""
        there = self.table(table)
        gone = there.field_of(field_)
        there.fields.remove(gone)
        for cells in there.records.values():
            cells.pop(gone["id"], None)

    def add_record(self, table: str, cells: Mapping[str, JsonValue]) -> str:
        """A person types a record, by the fields' names."""
        there = self.table(table)
        id_ = self._id("rec")
        there.records[id_] = self._cells(there, cells, {}, typecast=False)
        return id_

    def rows(self, table: str) -> list[dict[str, JsonValue]]:
        """Every record as a person sees it: by the fields' names."""
        there = self.table(table)
        names = {each["id"]: each["name"] for each in there.fields}
        return [{names[id_]: cell for id_, cell in cells.items()} for cells in there.records.values()]

    def find(self, table: str, request: Mapping[str, Any]) -> dict[str, JsonValue]:
        """A page of a listing."""
        there = self.table(table)
        ids = {each[way]: each["id"] for way in ("name", "id") for each in there.fields}
        matches = Formula(request["filterByFormula"], ids).matches if "filterByFormula" in request else None
        found = [id_ for id_, cells in there.records.items() if matches is None or matches(cells)]
        at = 0
        if "offset" in request:
            after = str(request["offset"]).removeprefix("itr/")
            if after not in found:
                raise Refusal(422, "LIST_RECORDS_ITERATOR_NOT_AVAILABLE")
            at = found.index(after)
        shown = {there.field_of(each)["id"] for each in request.get("fields", [])} or None
        by_id = bool(request.get("returnFieldsByFieldId"))
        page: list[JsonValue] = [
            self._record(there, id_, by_id=by_id, shown=shown) for id_ in found[at : at + PAGE]
        ]
        rest = found[at + PAGE : at + PAGE + 1]
        return {"records": page, **({"offset": f"itr/{rest[0]}"} if rest else {})}

    def upsert(self, table: str, request: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Update or create records by the fields to merge on: all of them or none."""
        there = self.table(table)
        records, merged = request["records"], request["performUpsert"]["fieldsToMergeOn"]
        if not 0 < len(records) <= AT_ONCE:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "Up to 10 records are taken at once")
        keys = [there.field_of(each) for each in merged]
        if not 0 < len(keys) <= 3 or any(key["type"] not in MERGEABLE for key in keys):
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "These fields cannot be merged on")
        trial = Table(there.id, there.name, copy.deepcopy(there.fields), dict(there.records))
        old = _by_key(there, keys)
        written = [self._merge(trial, keys, old, record, bool(request.get("typecast"))) for record in records]
        known, there.records, there.fields = there.records, trial.records, trial.fields
        by_id = bool(request.get("returnFieldsByFieldId"))
        return {
            "records": [self._record(there, id_, by_id=by_id) for id_ in written],
            "updatedRecords": [id_ for id_ in written if id_ in known],
            "createdRecords": [id_ for id_ in written if id_ not in known],
        }

    def _merge(
        self, table: Table, keys: Sequence[FieldDict], old: ByKey, record: Mapping[str, Any], typecast: bool
    ) -> str:
        cells = self._cells(table, record["fields"], {}, typecast=typecast)
        wanted = tuple(cells.get(key["id"]) for key in keys)
        if None in wanted:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "A field to merge on is empty")
        found = old.get(wanted, [])
        if len(found) > 1:
            raise Refusal(422, "INVALID_REQUEST_UNKNOWN", "More than one record matches")
        id_ = found[0] if found else self._id("rec")
        before = table.records.get(id_, {})
        table.records[id_] = self._cells(table, record["fields"], before, typecast=typecast)
        return id_

    def _cells(self, table: Table, given: Mapping[str, JsonValue], before: Cells, *, typecast: bool) -> Cells:
        cells = dict(before)
        for named, value in given.items():
            its = table.field_of(named)
            cells[its["id"]] = made(its, value, typecast=typecast)
        return {id_: cell for id_, cell in cells.items() if cell is not None}

    def _record(
        self, table: Table, id_: str, *, by_id: bool, shown: set[str] | None = None
    ) -> dict[str, JsonValue]:
        named = {each["id"]: each["id"] if by_id else each["name"] for each in table.fields}
        cells = {
            named[key]: _whole(cell)
            for key, cell in table.records[id_].items()
            if shown is None or key in shown
        }
        return {"id": id_, "createdTime": MADE, "fields": cells}

    def _id(self, kind: str) -> str:
        self._made += 1
        return f"{kind}{self._made:014}"


def _by_key(table: Table, keys: Sequence[FieldDict]) -> ByKey:
    """The records' ids by what they hold in these fields."""
    found: dict[tuple[JsonValue, ...], list[str]] = {}
    for id_, cells in table.records.items():
        found.setdefault(tuple(cells.get(key["id"]) for key in keys), []).append(id_)
    return found


def _whole(cell: JsonValue) -> JsonValue:
    return int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 else cell
