"""Every request that leaves is one that Google's own description of the interface knows."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.bigquery.server import Recorded
from connectors.tabular import Column
from tests.connectors.bigquery.place import Place, held, send, table

ROOT = Path(__file__).parents[3]
UNDESCRIBED = {"projection": "Google's own library sends it with every jobs.get"}
KINDS = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    specs = Path(os.environ.get("FERRY_SPECS", ROOT.parent / "shared"))
    path = specs / "specs" / "bigquery" / "bigquery.v2.json"
    if not path.exists():
        pytest.skip("needs the shared specs: set FERRY_SPECS")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def troubles(asked: Recorded, described: dict[str, Any]) -> list[str]:
    """What the description does not know of a request."""
    for resource in described["resources"].values():
        for method in resource["methods"].values():
            if method["httpMethod"] == asked.method and _is_at(asked.path, method, described):
                schema = method.get("request", {}).get("$ref")
                known = {**described["parameters"], **method.get("parameters", {})}
                unknown = [
                    f"parameter {name}" for name in asked.query if name not in known | UNDESCRIBED.keys()
                ]
                body = (
                    []
                    if asked.body is None
                    else list(_wrong(asked.body, {"$ref": schema}, described, "body"))
                )
                return unknown + body
    return [f"no such method: {asked.method} {asked.path}"]


def _is_at(path: str, method: dict[str, Any], described: dict[str, Any]) -> bool:
    upload = method.get("mediaUpload", {}).get("protocols", {}).get("simple", {}).get("path")
    named = [f"/{described['servicePath']}{method.get('flatPath', method['path'])}", *filter(None, [upload])]
    return any(re.fullmatch(re.sub(r"\{\+?\w+\}", "[^/:]+", one), path) for one in named)


def _wrong(value: Any, shape: dict[str, Any], described: dict[str, Any], place: str) -> Iterator[str]:
    if "$ref" in shape:
        shape = described["schemas"][shape["$ref"]]
    kind = KINDS.get(shape.get("type", ""), object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield f"{place}: {type(value).__name__} is no {shape['type']}"
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _wrong(each, shape["items"], described, f"{place}[{at}]")
    elif isinstance(value, dict):
        more = shape.get("additionalProperties")
        for name, each in value.items():
            inner = shape.get("properties", {}).get(name, more)
            if inner is None:
                yield f"{place}.{name} is unknown"
            elif inner.get("readOnly"):
                yield f"{place}.{name} is Google's to set"
            else:
                yield from _wrong(each, inner, described, f"{place}.{name}")
    elif "enum" in shape and value not in shape["enum"]:
        yield f"{place}: {value} is none of {shape['enum']}"


def test_every_request_is_described(place: Place, described: dict[str, Any]) -> None:
    columns = {
        f"a_{kind}": Column(type=kind)
        for kind in ("str", "int", "decimal", "bool", "date", "datetime", "json")
    }
    layout = {"partition_by": "a_date", "records": {"a_json": {"id": "str", "at": "datetime"}}}
    place.state.by_hand("patients", [{"name": "patient_id", "type": "STRING"}])
    for connector in (place.connect(table(**columns), patients=layout), place.connect(table(**columns))):
        connector.check()
        send(connector, ("1", {"a_str": "x", "a_date": "2026-01-02", "a_int": 1}))
        held(connector, "1", "a_str", "a_date")
        connector.close()
        place.state.drop("patients")

    methods = {
        (asked.method, re.sub(r"(ferry_\w+|practice-1)", "…", asked.path)) for asked in place.server.recorded
    }
    assert len(methods) >= 9
    for asked in place.server.recorded:
        assert troubles(asked, described) == [], f"{asked.method} {asked.path}"


def test_what_the_description_does_not_know_is_found(described: dict[str, Any]) -> None:
    path = "/bigquery/v2/projects/p/jobs"
    load = {"configuration": {"load": {"writeDisposition": "WRITE_TRUNCATE", "maxBadRecords": 0}}}
    assert troubles(Recorded("POST", path, {"prettyPrint": "false"}, load), described) == []

    assert troubles(Recorded("POST", f"{path}/x", {}, None), described)
    assert troubles(Recorded("POST", path, {"pretty": "1"}, load), described) == ["parameter pretty"]
    for wrong in (
        {"configuration": {"load": {"maxBadRecord": 0}}},
        {"configuration": {"load": {"maxBadRecords": "0"}}},
        {"configuration": {"labels": {"a": 1}}},
        {"statistics": {}},
    ):
        assert troubles(Recorded("POST", path, {}, wrong), described), wrong
