"""Search: filters over an index that may be late, sorted, 200 a page and 10,000 a query."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.sandbox.hubspot.properties import Property
from connectors.sandbox.hubspot.reply import RefusedError, invalid
from connectors.sandbox.hubspot.store import Record, Seen, Store

PAGE_MAX = 200
REACH = 10_000  # records of one query, whatever the page
BODY_MAX = 3000  # characters
GROUPS_MAX, FILTERS_MAX, ALL_MAX = 5, 6, 18

STAMPS = ("lastmodifieddate", "hs_lastmodifieddate")
Predicate = Callable[[Record, Seen], bool]


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Filter(Asked):
    property_name: str
    operator: Literal[
        "EQ", "NEQ", "LT", "LTE", "GT", "GTE", "IN", "HAS_PROPERTY", "NOT_HAS_PROPERTY", "CONTAINS_TOKEN"
    ]
    value: str | None = None
    values: list[str] = Field(default_factory=list[str])


class FilterGroup(Asked):
    filters: list[Filter]


class Sort(Asked):
    property_name: str
    direction: Literal["ASCENDING", "DESCENDING"] = "ASCENDING"


class Search(Asked):
    filter_groups: list[FilterGroup] = Field(default_factory=list[FilterGroup])
    sorts: list[Sort] = Field(default_factory=list[Sort])
    properties: list[str] = Field(default_factory=list[str])
    limit: int = 10
    after: str | None = None

    def check(self, size: int) -> None:
        """Raises for what HubSpot does not search for."""
        filters = [one for group in self.filter_groups for one in group.filters]
        if size > BODY_MAX:
            raise invalid("The request is larger than 3000 characters")
        if not 1 <= self.limit <= PAGE_MAX:
            raise invalid("The limit must be between 1 and 200")
        if int(self.after or 0) + self.limit > REACH:
            raise invalid("The paging cursor is beyond the 10,000 results of a query")
        if len(self.filter_groups) > GROUPS_MAX or len(filters) > ALL_MAX:
            raise invalid("Too many filters")
        if any(len(group.filters) > FILTERS_MAX for group in self.filter_groups):
            raise invalid("Too many filters in one group")
        if len(self.sorts) > 1:
            raise invalid("Only one sort is allowed")


def found(search: Search, store: Store, horizon: int) -> tuple[list[Record], int]:
    """One page of what is found, and how many are found in all.

    `horizon`: the index has not seen what was written later than this (milliseconds).
    """
    groups = [[_predicate(one, store) for one in group.filters] for group in search.filter_groups]
    hits: list[Record] = []
    for record in store.after(_floor(search)):
        seen = _seen(record, horizon)
        if seen is not None and (
            not groups or any(all(is_so(record, seen) for is_so in each) for each in groups)
        ):
            hits.append(record)
    _sort(hits, search.sorts)
    at = int(search.after or 0)
    return hits[at : at + search.limit], len(hits)


def _seen(record: Record, horizon: int) -> Seen | None:
    """What the index shows of a record now; None if it is not in it."""
    if record.touched > horizon:
        return None if record.before is None or record.before.archived else record.before
    return None if record.archived else Seen(record.modified, record.properties, False)


def _floor(search: Search) -> int:
    """No record up to this id can be found."""
    floors = [
        max([int(one.value or 0) for one in group.filters if _is_keyset(one)], default=0)
        for group in search.filter_groups
    ]
    return min(floors, default=0)


def _is_keyset(one: Filter) -> bool:
    return one.property_name == "hs_object_id" and one.operator == "GT"


def _sort(hits: list[Record], sorts: Sequence[Sort]) -> None:
    for sort in sorts:
        if sort.property_name in STAMPS:
            hits.sort(key=lambda record: record.modified, reverse=sort.direction == "DESCENDING")
        elif sort.property_name != "hs_object_id":
            name = sort.property_name
            hits.sort(key=lambda record: record.value(name) or "", reverse=sort.direction == "DESCENDING")
        elif sort.direction == "DESCENDING":
            hits.reverse()


def _predicate(one: Filter, store: Store) -> Predicate:
    known = store.properties.get(one.property_name)
    if known is None:
        raise RefusedError(400, "VALIDATION_ERROR", f"There is no property {one.property_name}")
    name = one.property_name
    if name in STAMPS:
        return _numeric(one, known, lambda _, seen: seen.modified)
    if name == "hs_object_id":
        return _numeric(one, known, lambda record, _: record.id)
    if one.operator in ("LT", "LTE", "GT", "GTE"):
        return _numeric(one, known, lambda _, seen: _number(seen.properties.get(name)))
    return _textual(one)


def _numeric(one: Filter, known: Property, value: Callable[[Record, Seen], float | None]) -> Predicate:
    wanted = _bound(one, known)
    tests: dict[str, Callable[[float], bool]] = {
        "EQ": lambda held: held == wanted,
        "NEQ": lambda held: held != wanted,
        "LT": lambda held: held < wanted,
        "LTE": lambda held: held <= wanted,
        "GT": lambda held: held > wanted,
        "GTE": lambda held: held >= wanted,
        "IN": lambda held: str(int(held)) in one.values,
    }
    test = tests[one.operator]

    def is_so(record: Record, seen: Seen) -> bool:
        held = value(record, seen)
        return held is not None and test(held)

    return is_so


def _bound(one: Filter, known: Property) -> float:
    if one.operator == "IN":
        return 0
    text = one.value or ""
    if known.type == "datetime" and not text.lstrip("-").isdecimal():
        raise invalid("A time must be milliseconds since 1970")
    number = _number(text)
    if number is None:
        raise invalid("A number is needed")
    return number


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None


def _textual(one: Filter) -> Predicate:
    name, wanted = one.property_name, (one.value or "").lower()
    values = {value.lower() for value in one.values}
    tests: dict[str, Callable[[str | None], bool]] = {
        "EQ": lambda held: held is not None and held.lower() == wanted,
        "NEQ": lambda held: held is None or held.lower() != wanted,
        "IN": lambda held: held is not None and held.lower() in values,
        "HAS_PROPERTY": lambda held: held is not None,
        "NOT_HAS_PROPERTY": lambda held: held is None,
        "CONTAINS_TOKEN": lambda held: wanted in _tokens(held),
    }
    test = tests[one.operator]
    return lambda _, seen: test(seen.properties.get(name))


def _tokens(held: str | None) -> Iterator[str]:
    return iter((held or "").lower().replace(";", " ").split())
