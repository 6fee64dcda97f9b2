"""Asks Google's discovery documents about each request: path, parameters, body and field mask."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from connectors.sandbox.sheets.reads import Mask, parse_mask

Document = Mapping[str, Any]
TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


class Discovery:
    """The documents in a folder: sheets.v4.json and drive.v3.json."""

    def __init__(self, folder: Path) -> None:
        self._documents = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]

    def troubles(self, method: str, path: str, query: Sequence[tuple[str, str]], body: bytes) -> list[str]:
        """What is wrong with a request, by Google's own description; nothing if it is right."""
        for document in self._documents:
            for known in _methods(document):
                if known["httpMethod"] == method and _matches(document, known, path):
                    return [*_query(document, known, query), *_body(document, known, body)]
        return [f"{method} {path}: no such method"]


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _matches(document: Document, method: Mapping[str, Any], path: str) -> bool:
    full = "/" + document["servicePath"] + method.get("flatPath", method["path"])
    parts = re.split(r"\{[^}]*\}", full)
    return re.fullmatch(r"[^/:]+".join(map(re.escape, parts)), unquote(path)) is not None


def _query(document: Document, method: Mapping[str, Any], query: Sequence[tuple[str, str]]) -> Iterator[str]:
    known = {**document["parameters"], **method.get("parameters", {})}
    for name, text in query:
        if name not in known:
            yield f"{name}: no such parameter"
        elif name == "fields":
            yield from _mask(document, method["response"], parse_mask(text))
        elif text not in known[name].get("enum", [text]):
            yield f"{name}: not one of its values"
        elif known[name]["type"] == "boolean" and text not in ("true", "false"):
            yield f"{name}: not a boolean"


def _mask(document: Document, schema: Mapping[str, Any], mask: Mask) -> Iterator[str]:
    schema = _followed(document, schema)
    for name, below in mask.items():
        if name not in schema.get("properties", {}):
            yield f"fields: no {name} in {schema.get('id')}"
        else:
            yield from _mask(document, schema["properties"][name], below)


def _followed(document: Document, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while schema.get("type") == "array" or "$ref" in schema:
        schema = schema["items"] if schema.get("type") == "array" else document["schemas"][schema["$ref"]]
    return schema


def _body(document: Document, method: Mapping[str, Any], body: bytes) -> Iterator[str]:
    if "request" not in method:
        if body:
            yield "a body where none is expected"
        return
    try:
        sent = json.loads(body)
    except ValueError:
        yield "the body is no JSON"
        return
    yield from _value(document, method["request"], sent, "body")


def _value(document: Document, schema: Mapping[str, Any], value: object, at: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    kind = schema.get("type", "any")
    if kind == "any":
        return
    if not isinstance(value, TYPES[kind]) or (kind in ("integer", "number") and isinstance(value, bool)):
        yield f"{at}: not {kind}"
    elif value not in schema.get("enum", [value]):
        yield f"{at}: not one of its values"
    elif kind == "array":
        for number, each in enumerate(cast(list[object], value)):
            yield from _value(document, schema["items"], each, f"{at}[{number}]")
    elif kind == "object":
        for name, each in cast(dict[str, object], value).items():
            if name in schema.get("properties", {}):
                yield from _value(document, schema["properties"][name], each, f"{at}.{name}")
            else:
                yield f"{at}.{name}: no such field"
