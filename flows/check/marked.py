"""YAML that knows its lines, so that every mistake can be shown where it is."""

from collections.abc import Hashable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from flows.check.findings import Findings
from flows.check.plain import Unclear

Kind = TypeVar("Kind", bound=BaseModel)
Place = tuple[str | int, ...]
"""Where in a file: ("targets", "warehouse", "tables", 0)."""

NODES = 200_000  # of one file, aliases counted as often as they are used


@dataclass
class Marked:
    """A file's content, and the line of each key and element."""

    path: Path
    data: object = None
    lines: dict[Place, int] = field(default_factory=dict[Place, int])

    def line(self, place: Sequence[str | int]) -> int:
        """The line of a place, or of the nearest one around it that is there."""
        here = tuple(place)
        while here and here not in self.lines:
            here = here[:-1]
        return self.lines.get(here, 1)

    def has(self, *place: str | int) -> bool:
        return place in self.lines


def read(path: Path, findings: Findings, kind: type[yaml.CSafeLoader] = yaml.CSafeLoader) -> Marked | None:
    """A YAML file with its lines. What keeps it from being read, and keys that appear twice, are findings."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        findings.add(path, 1, "is not there", "put the file there, or make it with: ferry new")
        return None
    except (OSError, UnicodeDecodeError):
        findings.add(path, 1, "cannot be read as UTF-8 text", "put a readable file there")
        return None
    marked = Marked(path)
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(node, marked, findings)
            marked.data = _construct(loader, node)
    except yaml.YAMLError as error:
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        words = ("is not YAML", "look at the indentation and quotes there")
        if isinstance(error, Unclear):
            words = ("holds what may be a text or something else", "put it in quotes")
        findings.add(path, mark.line + 1 if mark else 1, *words)
        return None
    except (_TooLarge, ValueError):  # ValueError: a date or a number that is none
        findings.add(path, 1, "is too large, or holds a date that is none", "make it smaller and correct it")
        return None
    finally:
        loader.dispose()
    return marked


class _TooLarge(Exception):
    """Aliases of aliases, or a file of another kind."""


def _construct(loader: Any, node: yaml.Node) -> object:  # the C loader's methods have no types
    return loader.construct_document(node)


def _walk(root: yaml.Node, marked: Marked, findings: Findings) -> None:
    waiting: list[tuple[Place, yaml.Node]] = [((), root)]
    marked.lines[()] = root.start_mark.line + 1
    while waiting:
        place, node = waiting.pop()
        for name, line, inner in _below(place, node, marked.path, findings):
            marked.lines.setdefault((*place, name), line)
            waiting.append(((*place, name), inner))
        if len(marked.lines) > NODES or len(place) > 50:
            raise _TooLarge


def _below(
    place: Place, node: yaml.Node, path: Path, findings: Findings
) -> Iterator[tuple[str | int, int, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        for at, inner in enumerate(node.value):
            yield at, inner.start_mark.line + 1, inner
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, inner in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if key.value in seen:
                findings.add(
                    path,
                    line,
                    f"{dotted((*place, key.value))} is already at line {seen[key.value]}",
                    "keep one of them",
                )
            seen.setdefault(key.value, line)
            yield key.value, line, inner


def model(
    marked: Marked, kind: type[Kind], findings: Findings, data: object = None, at: Place = ()
) -> Kind | None:
    """A file's content, or a part of it, as a model. Every mistake in it is a finding.

    Keys that are unknown, and nothing else wrong, still give a model: the rest can be looked at.
    """
    given = marked.data if data is None else data
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False, include_context=False)
    for one in errors:
        place = (*at, *(part for part in one["loc"] if part != "[key]"))
        what, todo = _words(one["type"], one["msg"], place, kind)
        findings.add(marked.path, marked.line(place), what, todo)
    if any(one["type"] != "extra_forbidden" for one in errors):
        return None
    return kind.model_validate(_without(given, [one["loc"] for one in errors]))


def _without(given: object, places: Sequence[Place]) -> object:
    rest = deepcopy(given)
    for place in places:
        inner: Any = rest  # pydantic found the place, so it is there
        for part in place[:-1]:
            inner = inner[part]
        del inner[place[-1]]
    return rest


def _words(type_: str, message: str, place: Place, kind: type[BaseModel]) -> tuple[str, str]:
    name = dotted(place)
    if type_ == "extra_forbidden":
        near = get_close_matches(str(place[-1]), sorted(set(keys(kind))), 1)
        return f"{name} is not a key that Ferry knows", f"write {near[0]}" if near else "remove it"
    if type_ == "missing":
        return f"{name} is missing", "write it there"
    if type_ in ("model_type", "dict_type"):
        return f"{name or 'the file'} is no mapping of keys to values", "write it as key: value"
    message = message.removeprefix("Value error, ")
    return f"{name}: {message[:1].lower()}{message[1:]}", "correct it"


def keys(kind: type[BaseModel]) -> Iterator[str]:
    """Every key that a model and the models below it know."""
    defined = kind.model_json_schema()
    for schema in (defined, *defined.get("$defs", {}).values()):
        yield from schema.get("properties", {})


def dotted(place: Sequence[Hashable]) -> str:
    """A place as people write it: targets.warehouse.tables[0]."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
