"""The handle language of a model's plan: where a value comes from, never the value itself.

    @email                      the value at that path of the entry
    @policies.0.num|strip|last4 the value at a path with positions, through declared transforms
    @city+state|join_comma      several values, joined
    =active                     a constant that the policy grants for this argument
    "Moved to a new address."   words of the model's own, where both operation and policy allow them

There is no escape, no expression and no nesting: a string is one of these four or it is refused.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pydantic import JsonValue

from agent.visible import as_line
from connectors.entry import Entry

HANDLE_AT_MOST = 300  # characters of a handle that names a path
WRITTEN_AT_MOST = 2_000  # characters of a written constant or of free text, before it is looked at
SHOWN_AT_MOST = 2_000  # characters of one value shown to a model
PRESENT, EMPTY, ABSENT = "<present>", "<empty>", "<missing>"  # what a model sees in place of a value
DEPTH_AT_MOST = 12
NODES_AT_MOST = 5_000
TEXT_AT_MOST = 1_000_000  # characters in all texts of one value
INTEGER_AT_MOST = 2**63 - 1

_NAME = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
_POSITION = r"(?:0|[1-9][0-9]{0,5})"
_name = re.compile(_NAME)
_position = re.compile(_POSITION)
_path = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_AT = rf"{_NAME}(?:\.(?:{_NAME}|{_POSITION}))*"
_reference = re.compile(rf"@({_AT}(?:\+{_AT}){{0,4}})((?:\|[a-z][a-z0-9_]{{0,31}}){{0,4}})")


class Missing(Enum):
    """What is not there at all: neither null nor empty."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING

Exact = tuple[type, str | int | None]
"""A JSON value as a key; see `exact`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """`@path|transform`: a value of the entry by its concrete path, or several that are joined: `@a+b|…`."""

    paths: tuple[str, ...]
    transforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constant:
    """`=written`: the granted constant that is written so."""

    written: str


@dataclass(frozen=True, slots=True)
class Words:
    """`"text"`: a model's own words, without the quotes."""

    text: str


def parse(handle: JsonValue) -> Reference | Constant | Words | None:
    """What a handle says, or None if it is none. Linear in at most `WRITTEN_AT_MOST` characters."""
    if not isinstance(handle, str) or not 2 <= len(handle) <= WRITTEN_AT_MOST:
        return None
    if handle[0] == "@":
        found = _reference.fullmatch(handle) if len(handle) <= HANDLE_AT_MOST else None
        if found is None:
            return None
        return Reference(tuple(found[1].split("+")), tuple(found[2].split("|")[1:]))
    if handle[0] == "=":
        return Constant(handle[1:])
    if handle[0] == '"' and handle[-1] == '"':
        return Words(handle[1:-1])
    return None


def written(constant: JsonValue) -> str:
    """How a constant is written after `=`: text as it is, anything else as JSON (`=true`, `=null`)."""
    if isinstance(constant, str):
        return constant
    return json.dumps(constant, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def exact(value: JsonValue) -> Exact:
    """Equal for exactly the same JSON value only: true is not 1, and 1 is not 1.0."""
    if isinstance(value, (str, int)) or value is None:
        return type(value), value
    return type(value), json.dumps(value, sort_keys=True)


def is_declared_path(path: str) -> bool:
    """Whether a path may be granted: names only, no positions."""
    return len(path) <= HANDLE_AT_MOST and _path.fullmatch(path) is not None


def resolve(entry: Entry, path: str) -> JsonValue | Missing:
    """The value at a concrete path. Positions count in lists only, so a key "0" is never one."""
    first, _, rest = path.partition(".")
    value: JsonValue | Missing = entry.get(first, MISSING)
    for part in rest.split(".") if rest else ():
        if isinstance(value, dict):
            value = MISSING if _position.fullmatch(part) else value.get(part, MISSING)
        elif isinstance(value, list) and _position.fullmatch(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


def occurrences(entry: Entry, path: str) -> list[tuple[str, JsonValue]]:
    """Every value under a declared path with its concrete path; a list itself, then its elements."""
    first, _, rest = path.partition(".")
    if first not in entry:
        return []
    found = list(_with_elements(first, entry[first]))
    for part in rest.split(".") if rest else ():
        found = [
            inner
            for at, value in found
            if isinstance(value, dict) and part in value
            for inner in _with_elements(f"{at}.{part}", value[part])
        ]
    return found


def _with_elements(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    stack = [(path, value)]
    while stack:
        at, inner = stack.pop()
        yield at, inner
        if isinstance(inner, list):
            stack.extend((f"{at}.{n}", element) for n, element in reversed(list(enumerate(inner))))


def handles(entry: Entry) -> list[tuple[str, JsonValue]]:
    """Every scalar, null and empty value that can be referred to, with its handle, in order.

    A key outside the grammar (a sentence, a lookalike, a dot) has no handle and is not listed.
    """
    found: list[tuple[str, JsonValue]] = []
    stack: list[tuple[str, JsonValue]] = [
        (f"@{name}", value) for name, value in reversed(list(entry.items())) if _name.fullmatch(name)
    ]
    while stack:
        at, value = stack.pop()
        if isinstance(value, dict) and value:
            inner = reversed(list(value.items()))
            stack.extend((f"{at}.{name}", below) for name, below in inner if _name.fullmatch(name))
        elif isinstance(value, list) and value:
            stack.extend((f"{at}.{n}", below) for n, below in reversed(list(enumerate(value))))
        else:
            found.append((at, value))
    return [(at, value) for at, value in found if len(at) <= HANDLE_AT_MOST]


def plain(value: JsonValue) -> str:
    """A value as one line of JSON that shows what does not print, and the beginning of a long text."""
    if isinstance(value, str) and len(value) > SHOWN_AT_MOST:
        return f"{plain(value[:SHOWN_AT_MOST])} <first {SHOWN_AT_MOST} of {len(value)} chars>"
    return as_line(value)


def masked(value: JsonValue) -> str:
    """In place of a value: whether it is null, empty or present, and nothing else of it."""
    if value is None:
        return "null"
    return EMPTY if value in ("", [], {}) else PRESENT


def well_formed(value: JsonValue) -> bool:
    """Whether a value can be carried: bounded in depth and size, no NaN, no half of a surrogate pair."""
    if isinstance(value, str):
        return len(value) <= TEXT_AT_MOST and _is_text(value)
    nodes, text = 0, 0
    stack: list[tuple[JsonValue, int]] = [(value, 0)]
    while stack:
        inner, depth = stack.pop()
        below: list[JsonValue] = []
        if isinstance(inner, dict):
            below = [*inner.keys(), *inner.values()]
        elif isinstance(inner, list):
            below = inner
        elif not _scalar_is_carried(inner):
            return False
        nodes, text = nodes + len(below), text + (len(inner) if isinstance(inner, str) else 0)
        if nodes > NODES_AT_MOST or text > TEXT_AT_MOST or (below and depth >= DEPTH_AT_MOST):
            return False
        stack.extend((element, depth + 1) for element in below)
    return True


def _scalar_is_carried(value: str | int | float | bool | None) -> bool:
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, float):
        return value - value == 0  # neither NaN nor infinite
    return not isinstance(value, int) or abs(value) <= INTEGER_AT_MOST


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)
