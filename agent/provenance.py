"""Provenance: every value of a plan has a source, or there is no plan."""

from functools import lru_cache

from pydantic import JsonValue

from agent.free_text import check_free_text
from agent.grants import GrantedArgument
from agent.plan import Source
from agent.references import (
    MISSING,
    Constant,
    Exact,
    Reference,
    Words,
    exact,
    occurrences,
    parse,
    resolve,
    well_formed,
)
from agent.refusals import Code, RefusalError
from agent.transforms import Failure, apply
from connectors.entry import Entry, without_positions

Sourced = tuple[JsonValue, Source]


class Values:
    """Where in one entry a value is found, as it is or transformed. Each path is read once."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
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
            made = apply(chain, value)
            if not isinstance(made, Failure):
                found.setdefault(exact(made), at)
        return found


def by_reference(handle: JsonValue, granted: GrantedArgument, entry: Entry) -> Sourced:
    """The value that a handle stands for. Raises RefusalError if it stands for none that is granted."""
    parsed = parse(handle)
    if isinstance(parsed, Reference):
        return _referred(parsed, granted, entry)
    if isinstance(parsed, Constant):
        if parsed.written not in granted.constants:
            raise RefusalError(Code.CONSTANT_NOT_GRANTED, granted.where)
        return granted.constants[parsed.written], Source(kind="constant")
    if isinstance(parsed, Words):
        if not granted.free_text:
            raise RefusalError(Code.FREE_TEXT_NOT_GRANTED, granted.where)
        return check_free_text(parsed.text, granted, entry), Source(kind="free_text")
    raise RefusalError(Code.BAD_HANDLE, granted.where)


def by_value(value: JsonValue, granted: GrantedArgument, values: Values) -> Sourced:
    """The value with the first source that explains it. Raises RefusalError if none does."""
    if not well_formed(value):
        raise RefusalError(Code.VALUE_MALFORMED, granted.where)
    wanted = exact(value)
    source = _found(wanted, granted, values)
    if source is None and wanted in granted.constant_values:
        source = Source(kind="constant")
    source = source or granted.computed
    if source is None:
        raise RefusalError(Code.VALUE_WITHOUT_SOURCE, granted.where)
    return value, source


def _referred(reference: Reference, granted: GrantedArgument, entry: Entry) -> Sourced:
    if without_positions(reference.path) not in granted.sources:
        raise RefusalError(Code.PATH_NOT_GRANTED, granted.where)
    if not granted.transforms.issuperset(reference.transforms):
        raise RefusalError(Code.TRANSFORM_NOT_GRANTED, granted.where)
    found = resolve(entry, reference.path)
    if found is MISSING:
        raise RefusalError(Code.MISSING_VALUE, granted.where)
    if not well_formed(found):
        raise RefusalError(Code.VALUE_MALFORMED, granted.where)
    if not reference.transforms:
        return found, _source(reference.path)
    value = apply(reference.transforms, found)
    if isinstance(value, Failure):
        raise RefusalError(Code.TRANSFORM_FAILED, granted.where)
    return value, _source(reference.path, reference.transforms)


def _found(wanted: Exact, granted: GrantedArgument, values: Values) -> Source | None:
    for path in granted.sources:
        at = values.find(wanted, path)
        if at is not None:
            return _source(at)
    for chain in granted.chains:
        for path in granted.sources:
            at = values.find(wanted, path, chain)
            if at is not None:
                return _source(at, chain)
    return None


@lru_cache(maxsize=4096)  # the same paths come again with every entry
def _source(path: str, transforms: tuple[str, ...] = ()) -> Source:
    return Source(kind="transform" if transforms else "leaf", paths=(path,), transforms=transforms)
