"""How one write is shown: each field before → after, its source, and the sentence that says so."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from flows.differing import masked
from flows.explain import MEANING, source_text
from flows.ledger.marks import Mark
from flows.ledger.written import Written
from flows.review.desk import Line


@dataclass(frozen=True, slots=True)
class Field:
    """One argument. before is "" where it is not known, or there is no record yet."""

    name: str
    before: str
    after: str
    changes: bool
    source: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """One write, as words."""

    line: Line
    who: str
    state: str
    fields: tuple[Field, ...]
    sentences: tuple[tuple[str, str], ...]
    mark: Mark | None


def told(line: Line, one: Written, mark: Mark | None, texts: Mapping[str, str], *, values: bool) -> Told:
    """Values only with `values`; else what kind of value there is."""
    return Told(
        line=line,
        who=f"patient {one.patient}" if values else f"entry {one.entry}",
        state=MEANING[one.state],
        fields=tuple(_field(one, name, values=values) for name in one.arguments),
        sentences=tuple((number, texts.get(number, "not in this version")) for number in one.because),
        mark=mark if values or mark is None else Mark(mark.verdict, "", mark.by, mark.at),
    )


def _field(one: Written, name: str, *, values: bool) -> Field:
    argument, before = one.arguments[name], one.before or {}
    return Field(
        name=name,
        before=_text(before[name], values=values) if name in before else "",
        after=_text(argument.value, values=values),
        changes=one.changes(name),
        source=source_text(argument.source.model_dump(mode="json")),
        because=argument.because,
    )


def _text(value: JsonValue, *, values: bool) -> str:
    if not values:
        return masked(value)
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
