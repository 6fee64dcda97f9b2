"""Jobs: a load or a query, run once under its id, and what is told of it."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from pydantic import JsonValue
from sqlglot import exp

from connectors.sandbox.bigquery import statements
from connectors.sandbox.bigquery.cells import Cell, Field, fields_of, given, micros, record
from connectors.sandbox.bigquery.refusal import Refusal, duplicate, invalid, invalid_query, not_found
from connectors.sandbox.bigquery.rows import COLLIDED, array
from connectors.sandbox.bigquery.state import State

LONG = {"INT64": "INTEGER", "BOOL": "BOOLEAN"}
OPTIONAL = "JOB_CREATION_OPTIONAL"
PAGE = 1000  # rows of one answer
_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}", re.ASCII)
LINE = 100 * 1024 * 1024  # bytes of one row that is loaded
Act = Callable[[], dict[str, Any]]  # gives a job's statistics
Result = tuple[list[Field], list[tuple[Cell, ...]]]


class Jobs:
    """One project's jobs."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._results: dict[str, Result] = {}
        self._left: dict[str, int] = {}

    def insert(self, resource: dict[str, Any], rows: bytes | None) -> dict[str, Any]:
        """jobs.insert. Raises Refusal where no job comes about."""
        state = self._state
        with state.needing("bigquery.jobs.create"):
            configuration: dict[str, Any] = resource["configuration"]
            if configuration.get("dryRun"):
                self._look_at(configuration["query"])
                return {**resource, "status": {"state": "DONE"}, "statistics": {"query": {}}}
            id_ = str(resource["jobReference"]["jobId"])
            if not _ID.fullmatch(id_):
                raise invalid("Invalid job ID")
            if id_ in state.jobs:
                raise duplicate(f"Job {state.project}:{id_}")
            _check_place(resource["jobReference"], state)
            if rows is not None:
                state.count_load(str(configuration["load"]["destinationTable"]["tableId"]))
            state.jobs[id_] = self._run(id_, resource, rows)
            self._left[id_] = state.looks
            return self._shown(id_)

    def get(self, id_: str, location: str) -> dict[str, Any]:
        """jobs.get"""
        state = self._state
        with state.now():
            if id_ not in state.jobs or location != state.location:
                raise not_found(f"Job {state.project}:{id_}")
            shown = self._shown(id_)
            self._left[id_] -= 1
            return shown

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        """jobs.query: the rows of the first page."""
        state = self._state
        with state.needing("bigquery.jobs.create", "bigquery.tables.getData"):
            id_ = f"query_{request['requestId']}"
            if state.slow > 0:
                state.slow -= 1
                return self._slowly(id_, request)
            found = self._select(request)
            whole = request.get("formatOptions", {}).get("useInt64Timestamp") is True
            if request.get("jobCreationMode") == OPTIONAL and len(found[1]) <= PAGE:
                answer = self._page(id_, found, 0, None, whole=whole)
                del answer["jobReference"]
                return {**answer, "queryId": id_}
            self._results[id_], self._left[id_] = found, 0
            state.jobs[id_] = self._lookup(id_, request)
            return self._page(id_, found, 0, None, whole=whole)

    def results(self, id_: str, start: int, most: int | None, *, whole: bool) -> dict[str, Any]:
        """jobs.getQueryResults: one page."""
        told = self._state.jobs.get(id_)
        if told is None:
            raise not_found(f"Job {self._state.project}:{id_}")
        if self._left[id_] > 0:
            return {"jobReference": told["jobReference"], "jobComplete": False}
        if failed := told["status"].get("errorResult"):
            raise Refusal(400, failed["reason"], failed["message"])
        return self._page(id_, self._results[id_], start, most, whole=whole)

    def _slowly(self, id_: str, request: dict[str, Any]) -> dict[str, Any]:
        """A lookup that is answered later, or fails then."""
        told = self._state.jobs[id_] = self._lookup(id_, request)
        self._left[id_] = self._state.looks
        try:
            self._results[id_] = self._select(request)
        except Refusal as refusal:
            told["status"] = _failed(refusal)
        return {"jobReference": told["jobReference"], "jobComplete": False}

    def _lookup(self, id_: str, request: dict[str, Any]) -> dict[str, Any]:
        reference = {"projectId": self._state.project, "jobId": id_, "location": self._state.location}
        return {
            "jobReference": reference,
            "configuration": {"jobType": "QUERY", "query": {"query": request["query"]}},
            "status": {"state": "DONE"},
            "statistics": {"query": {"statementType": "SELECT"}},
        }

    def _page(self, id_: str, found: Result, start: int, most: int | None, *, whole: bool) -> dict[str, Any]:
        state, (fields, rows) = self._state, found
        page = rows[start : start + (PAGE if most is None else min(most, PAGE))]
        answer: dict[str, Any] = {
            "kind": "bigquery#queryResponse",
            "schema": {"fields": [_described(field) for field in fields]},
            "jobReference": {"projectId": state.project, "jobId": id_, "location": state.location},
            "totalRows": str(len(rows)),
            "jobComplete": True,
            "rows": [_row(fields, row, whole=whole) for row in page],
        }
        if start + len(page) < len(rows):
            answer["pageToken"] = str(start + len(page))
        return answer

    def _shown(self, id_: str) -> dict[str, Any]:
        told = self._state.jobs[id_]
        if self._left[id_] > 0:
            return {**told, "status": {"state": "RUNNING"}, "statistics": {}}
        return told

    def _run(self, id_: str, resource: dict[str, Any], rows: bytes | None) -> dict[str, Any]:
        """A load is run at once, and only said to last. A job that fails keeps its id."""
        state, configuration = self._state, cast(dict[str, Any], resource["configuration"])
        kind = "query" if rows is None else "load"
        told: dict[str, Any] = {
            "kind": "bigquery#job",
            "id": f"{state.project}:{state.location}.{id_}",
            "jobReference": {**resource["jobReference"], "location": state.location},
            "configuration": {**configuration, "jobType": kind.upper()},
            "status": {"state": "RUNNING"},
            "statistics": {"creationTime": str(int(time.time() * 1000))},
        }
        try:
            act = self._begun(configuration["query"]) if rows is None else self._loading(configuration, rows)
        except Refusal as refusal:
            return {**told, "status": _failed(refusal)}
        if rows is None and state.lasting:
            state.running.append((time.monotonic() + state.lasting, partial(_end, told, kind, act)))
        else:
            _end(told, kind, act)
        return told

    def _loading(self, configuration: dict[str, Any], rows: bytes) -> Act:
        return partial(self._load, configuration["load"], rows)

    def _load(self, load: dict[str, Any], content: bytes) -> dict[str, Any]:
        state = self._state
        if load.get("sourceFormat") != "NEWLINE_DELIMITED_JSON":
            raise invalid("the stand-in loads JSON lines only")
        with state.needing("bigquery.tables.updateData"):
            table = state.table(
                str(load["destinationTable"]["tableId"]), load["destinationTable"]["datasetId"]
            )
            declared = fields_of(load.get("schema", {}).get("fields", ()))
            if declared and [each.spoken for each in declared] != [each.spoken for each in table.fields]:
                raise invalid("Provided Schema does not match Table")
            rows = [record(table.fields, _object(line)) for line in content.split(b"\n") if line]
            keep = load.get("writeDisposition") == "WRITE_APPEND"
            before = state.rows.count(table.place) if keep else 0
            state.load(table, [cast(Sequence[Cell], row) for row in rows], keep=keep)
            return {"outputRows": str(state.rows.count(table.place) - before)}

    def _look_at(self, query: dict[str, Any]) -> None:
        node = statements.parse(str(query["query"]))
        if isinstance(node, exp.Create):
            with self._state.needing("bigquery.tables.create"):
                return
        elif not isinstance(node, (exp.Select, exp.Merge)):
            raise statements.unsupported(node)

    def _begun(self, query: dict[str, Any]) -> Act:
        state = self._state
        node = statements.parse(str(query["query"]))
        if not isinstance(node, exp.Merge):
            raise statements.unsupported(node)
        if state.contended > 0:
            state.contended -= 1
            raise invalid_query(COLLIDED)
        with state.needing("bigquery.tables.getData", "bigquery.tables.updateData"):
            end = state.rows.begin(node, state.known, *_parameters(query))
            target = state.table(statements.table_name(node.this).rpartition(".")[2])

        def ended() -> dict[str, Any]:
            inserted, updated = end()
            state.marked(target)
            counts = {
                "insertedRowCount": str(inserted),
                "updatedRowCount": str(updated),
                "deletedRowCount": "0",
            }
            affected = str(inserted + updated)
            return {"statementType": "MERGE", "numDmlAffectedRows": affected, "dmlStats": counts}

        return ended

    def _select(self, request: dict[str, Any]) -> Result:
        node = statements.parse(str(request["query"]))
        if not isinstance(node, exp.Select):
            raise statements.unsupported(node)
        return self._state.rows.select(node, self._state.known, *_parameters(request))


def _end(told: dict[str, Any], kind: str, act: Act) -> None:
    try:
        told["statistics"][kind] = act()
        told["status"] = {"state": "DONE"}
    except Refusal as refusal:
        told["status"] = _failed(refusal)


def _failed(refusal: Refusal) -> dict[str, Any]:
    return {"state": "DONE", "errorResult": refusal.result(), "errors": [refusal.result()]}


def _check_place(reference: Mapping[str, Any], state: State) -> None:
    if reference.get("location", state.location) != state.location:
        raise not_found(f"Dataset {state.project}:{state.dataset} was not found in that location")


def _object(line: bytes) -> dict[str, JsonValue]:
    if len(line) > LINE:
        raise invalid("Row size is larger than: 104857600")
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise invalid("Error while reading data: JSON parsing error in row")
    return cast(dict[str, JsonValue], found)


def _parameters(query: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Cell]]:
    """The parameters' types, and their values as SQLite takes them."""
    kinds: dict[str, str] = {}
    values: dict[str, Cell] = {}
    for each in query.get("queryParameters", ()):
        name, kind, value = str(each["name"]), each["parameterType"], each["parameterValue"]
        if kind["type"] == "ARRAY":
            inner = _kind(kind["arrayType"])
            kinds[name] = f"ARRAY<{inner}>"
            values[name] = array([_value(inner, one["value"]) for one in value.get("arrayValues", ())])
        else:
            kinds[name] = _kind(kind)
            values[name] = _value(kinds[name], value["value"])
    return kinds, values


def _kind(described: Mapping[str, Any]) -> str:
    named = str(described["type"])
    return LONG.get(named, named)


def _value(kind: str, text: str) -> Cell:
    if kind == "INTEGER":
        return int(text)
    return micros(text) if kind == "TIMESTAMP" else text


def _row(fields: Sequence[Field], row: Sequence[Cell], *, whole: bool) -> dict[str, Any]:
    return {"f": [{"v": given(field, cell, whole=whole)} for field, cell in zip(fields, row, strict=True)]}


def _described(field: Field) -> dict[str, Any]:
    inner = {"fields": [_described(each) for each in field.fields]} if field.fields else {}
    return {"name": field.name, "type": field.kind, "mode": field.mode, **inner}
