"""The catalogue: which fields an entry of Healthie's may have, under which path.

Derived from the records. Paths are Healthie's own names; money ends in `_minor` (integer minor units).
`metadata` is a whole, and `metadata.<key>` one value in it, whatever the key.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from connectors.entry import Category, EntryField
from connectors.errors import Rejected
from connectors.healthie.patient import Patient
from connectors.healthie.records import Kind, Record

Type = Literal["str", "int", "float", "bool", "date", "datetime", "json"]

KEY: Final = re.compile(r"(?!\d+$)[A-Za-z0-9_-]{1,40}")  # of metadata; a bare number would be a position

_TYPES: Final[Mapping[Kind, Type]] = {
    Kind.TEXT: "str",
    Kind.FLAG: "bool",
    Kind.WHOLE: "int",
    Kind.DAY: "date",
    Kind.MOMENT: "datetime",
    Kind.MONEY: "int",
    Kind.CENTS: "int",
    Kind.JSON: "json",
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """How one entry field is read: `source` of a record, converted by `kind`."""

    entry: EntryField
    source: str
    kind: Kind
    beside: str | None = None  # the field that must be read along: a price's currency


@dataclass(frozen=True, slots=True)
class Branch:
    """A record below a record: one, or a list of them."""

    record: type[Record]
    many: bool


class Catalogue(Mapping[str, EntryField]):
    """{path: field}. Iterates over the declared ones; any key below a `metadata` is there too."""

    def __init__(self, leaves: Mapping[str, Leaf]) -> None:
        self._leaves = leaves

    def leaf(self, path: str) -> tuple[Leaf, tuple[str, ...]]:
        """The declared field of a path, and the keys below it if it is a metadata.

        Raises Rejected for a path that no entry has.
        """
        head = path
        while head not in self._leaves and "." in head:
            head = head.rpartition(".")[0]
        keys = tuple(path[len(head) + 1 :].split(".")) if head != path else ()
        leaf = self._leaves.get(head)
        json = leaf is not None and leaf.kind is Kind.JSON
        if leaf is None or (keys and not json) or not all(KEY.fullmatch(key) for key in keys):
            raise Rejected("unknown_field", f"healthie: entries have no field {path!r}")
        return leaf, keys

    def __getitem__(self, path: str) -> EntryField:
        try:
            leaf, keys = self.leaf(path)
        except Rejected as missing:
            raise KeyError(path) from missing
        if not keys:
            return leaf.entry
        return EntryField(path, "json", leaf.entry.category, leaf.entry.many)

    def __iter__(self) -> Iterator[str]:
        return iter(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)


@cache
def catalogue() -> Catalogue:
    """All fields of an entry."""
    return Catalogue({leaf.entry.path: leaf for leaf in _leaves_of(Patient, "", many=False)})


@cache
def branches(record: type[Record]) -> Mapping[str, Branch]:
    """The records below a record, by field name."""
    found = {name: _branch(field) for name, field in record.model_fields.items()}
    return {name: branch for name, branch in found.items() if branch is not None}


def _leaves_of(record: type[Record], prefix: str, *, many: bool) -> Iterator[Leaf]:
    below = branches(record)
    for name, field in record.model_fields.items():
        if name in below:
            branch = below[name]
            yield from _leaves_of(branch.record, f"{prefix}{name}.", many=many or branch.many)
        else:
            yield _leaf(record, name, field, prefix, many)


def _leaf(record: type[Record], name: str, field: FieldInfo, prefix: str, many: bool) -> Leaf:
    kind = next(mark for mark in field.metadata if isinstance(mark, Kind))
    category = next((mark for mark in field.metadata if isinstance(mark, Category)), record.category)
    shown = f"{name}_minor" if kind in (Kind.MONEY, Kind.CENTS) else name
    entry = EntryField(f"{prefix}{shown}", _TYPES[kind], category, many)
    return Leaf(entry, name, kind, record.money_beside if kind is Kind.MONEY else None)


def _branch(field: FieldInfo) -> Branch | None:
    for option in get_args(field.annotation):
        many = get_origin(option) is list
        record = get_args(option)[0] if many else option
        if isinstance(record, type) and issubclass(record, Record):
            return Branch(record, many)
    return None
