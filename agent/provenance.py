"""Provenance: every value of a plan has a source, or there is no plan."""

from functools import lru_cache

from pydantic import JsonValue

from agent.free_text import check_free_text
from agent.grants import GrantedArgument
from agent.passing import check_passed_on
from agent.plan import Source
from agent.references import (
    Constant,
    Exact,
    Missing,
    Reference,
    Words,
    exact,
    occurrences,
    parse,
    resolve,
    well_formed,
)
from agent.refusals import Code, RefusalError
from agent.transforms import TRANSFORMS, Failure, When, apply
from connectors.entry import Entry, without_positions

Sourced = tuple[JsonValue, Source]


class Values:
    """Where in one entry a value is found, as it is or transformed. Each path is read once."""

    def __init__(self, entry: Entry, when: When) -> None:
        self.entry = entry
        self.when = when
        self._found: dict[tuple[str, tuple[str, ...]], dict[Exact, str]] = {}

    def find(self, value: Exact, path: str, chain: tuple[str, ...] = ()) -> str | None:
        """The first concrete path below a declared one that gives the value through the transforms."""
        found = self._found.get((path, chain))
        if found is None:
            found = self._found[path, chain] = self._read(path, chain)
        return found.get(value)

    def _read(self, path: str, chain: tuple[str, ...]) -> dict[Exact, str]:
        found: dict[Exact, str] = {}
        for at, value in occurrences(self.entry, path):
            made = apply(chain, value, self.when)
            if not isinstance(made, Failure):
                found.setdefault(exact(made), at)
        return found

    def join(self, sources: tuple[str, ...], chain: tuple[str, ...]) -> tuple[Exact | None, tuple[str, ...]]:
        """What is made of every text below the declared paths, in their order, and the concrete paths."""
        parts = [
            (at, value)
            for path in sources
            for at, value in occurrences(self.entry, path)
            if isinstance(value, str) or value is None
        ]
        made = apply(chain, [value for _, value in parts], self.when) if parts else Failure.MISSING
        paths = tuple(at for at, value in parts if value) or tuple(at for at, _ in parts)
        return (None if isinstance(made, Failure) else exact(made)), paths


def by_reference(handle: JsonValue, granted: GrantedArgument, values: Values) -> Sourced:
    """The value that a handle stands for. Raises RefusalError if it stands for none that is granted."""
    parsed = parse(handle)
    if isinstance(parsed, Reference):
        return _referred(parsed, granted, values)
    if isinstance(parsed, Constant):
        if parsed.written not in granted.constants:
            raise RefusalError(Code.CONSTANT_NOT_GRANTED, granted.where)
        return granted.constants[parsed.written], Source(kind="constant")
    if isinstance(parsed, Words):
        if not granted.free_text:
            raise RefusalError(Code.FREE_TEXT_NOT_GRANTED, granted.where)
        return check_free_text(parsed.text, granted, values.entry), Source(kind="free_text")
    raise RefusalError(Code.BAD_HANDLE, granted.where)


def by_value(value: JsonValue, granted: GrantedArgument, values: Values) -> Sourced:
    """The value with the first source that explains it. Raises RefusalError if none does."""
    if not well_formed(value):
        raise RefusalError(Code.VALUE_MALFORMED, granted.where)
    wanted = exact(value)
    source = _found(wanted, granted, values)
    if source is None and wanted in granted.constant_values:
        source = Source(kind="constant")
    if source is None and granted.computed is not None:
        check_passed_on(value, granted, values.entry)
    source = source or granted.computed
    if source is None:
        raise RefusalError(Code.VALUE_WITHOUT_SOURCE, granted.where)
    return value, source


def _referred(reference: Reference, granted: GrantedArgument, values: Values) -> Sourced:
    if any(without_positions(path) not in granted.sources for path in reference.paths):
        raise RefusalError(Code.PATH_NOT_GRANTED, granted.where)
    if not granted.transforms.issuperset(reference.transforms):
        raise RefusalError(Code.TRANSFORM_NOT_GRANTED, granted.where)
    several = len(reference.paths) > 1
    if several and not (reference.transforms and TRANSFORMS[reference.transforms[0]].joins):
        raise RefusalError(Code.JOIN_NEEDED, granted.where)
    read = [resolve(values.entry, path) for path in reference.paths]
    parts = [value for value in read if not isinstance(value, Missing)]
    if not parts:
        raise RefusalError(Code.MISSING_VALUE, granted.where)
    found: JsonValue = list(parts) if several else parts[0]
    if not well_formed(found):
        raise RefusalError(Code.VALUE_MALFORMED, granted.where)
    if not reference.transforms:
        return found, _source(reference.paths)
    made = apply(reference.transforms, found, values.when)
    if isinstance(made, Failure):
        raise RefusalError(Code.TRANSFORM_FAILED, granted.where)
    return made, _source(reference.paths, reference.transforms)


def _found(wanted: Exact, granted: GrantedArgument, values: Values) -> Source | None:
    for path in granted.sources:
        at = values.find(wanted, path)
        if at is not None:
            return _source((at,))
    for chain in granted.chains:
        for path in granted.sources:
            at = values.find(wanted, path, chain)
            if at is not None:
                return _source((at,), chain)
    for chain in granted.joins:
        made, paths = values.join(granted.sources, chain)
        if made == wanted:
            return _source(paths, chain)
    return None


@lru_cache(maxsize=4096)  # the same paths come again with every entry
def _source(paths: tuple[str, ...], transforms: tuple[str, ...] = ()) -> Source:
    return Source(kind="transform" if transforms else "leaf", paths=paths, transforms=transforms)
