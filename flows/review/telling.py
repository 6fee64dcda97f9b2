"""How a write, and an entry without one, are shown: each value, where it comes from, and the sentences."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from agent.manifest import Manifest
from agent.plan import Argument
from agent.visible import visible
from connectors.entry import leaves, projected
from flows.differing import clear, masked
from flows.explain import meaning, source_text
from flows.ledger.marks import Mark
from flows.ledger.seen import Opened, Seen
from flows.ledger.written import Written
from flows.review.desk import Line
from flows.review.figures import ENTRIES

Sentences = tuple[tuple[str, str], ...]
"""Numbers, each with its text."""
NONE = "(none)"  # before a new record
NOT_SET = "(not set)"
BLANK: Mapping[str, str] = {"null": "(no value)", "": "(empty)", "[]": "(empty list)", "{}": "(empty)"}


@dataclass(frozen=True, slots=True)
class Field:
    """One argument. before is "" where it is not known."""

    name: str
    before: str
    after: str
    changes: bool
    source: str
    because: Sentences


@dataclass(frozen=True, slots=True)
class Told:
    """One write, as words. who: by the patient's id, or by the pseudonym to who sees no values.

    besides: the sentences that speak of none of its fields.
    """

    line: Line
    who: str
    by: str  # who decided: program, or a model's id
    state: str
    fields: tuple[Field, ...]
    besides: Sentences
    mark: Mark | None

    @property
    def changed(self) -> list[Field]:
        return [one for one in self.fields if one.changes]

    @property
    def kept(self) -> list[Field]:
        return [one for one in self.fields if not one.changes]


@dataclass(frozen=True, slots=True)
class ToldEntry:
    """One entry, as words. values: the fields of the source that its sentences need, where they are kept."""

    seen: Seen
    who: str
    state: str
    means: str
    reason: str
    where: str
    sentences: Sentences
    judged: Sentences  # what a model, or a person, answered by sentence
    values: Sentences  # names, each with its value


@dataclass(frozen=True, slots=True)
class Telling:
    """How an integration's writes are told. staged: nothing of it is real.

    names: of the source, where values are not shown; None where they are.
    """

    texts: Mapping[str, str]
    manifest: Manifest
    names: Collection[str] | None
    staged: bool

    @property
    def values(self) -> bool:
        return self.names is None

    def told(self, line: Line, one: Written, mark: Mark | None) -> Told:
        """One write. Without values, what kind of value there is."""
        fields = tuple(self._field(one, name) for name in one.arguments)
        beside = {number for field in fields for number, _ in field.because}
        return Told(
            line=line,
            who=f"Patient {one.patient}" if self.values else f"Entry {one.entry}",
            by=one.by,
            state=meaning(one.state, staged=self.staged),
            fields=fields,
            besides=_texts([number for number in one.because if number not in beside], self.texts),
            mark=mark if self.values or mark is None else Mark(mark.verdict, "", mark.by, mark.at),
        )

    def _field(self, one: Written, name: str) -> Field:
        argument = one.arguments[name]
        return Field(
            name=name,
            before=_before(one, name, values=self.values),
            after=_text(argument.value, values=self.values),
            changes=one.changes(name),
            source=visible(source_text(argument.source.model_dump(mode="json"), self.names))
            + self._decided_from(argument)
            + ("; not sent, what is there stands" if name in one.left_out else ""),
            because=_texts(argument.because, self.texts),
        )

    def _decided_from(self, argument: Argument) -> str:
        """A value that names no field of its own was chosen by those that its sentences need."""
        needed = _needed(self.manifest, argument.because)
        return "" if argument.source.paths or not needed else f", decided from {', '.join(needed)}"


def told_entry(seen: Seen, texts: Mapping[str, str], manifest: Manifest, opened: Opened | None) -> ToldEntry:
    """What became of an entry and why; with values only if it was opened."""
    word, means = ENTRIES[seen.state]
    reason, _, where = seen.code.partition(":")
    return ToldEntry(
        seen=seen,
        who=f"Patient {opened.patient}" if opened else f"Entry {seen.ref}",
        state=word,
        means=means,
        reason=reason,
        where=where,
        sentences=_texts(seen.because, texts),
        judged=tuple(opened.judged.items()) if opened else (),
        values=_values(seen, manifest, opened) if opened else (),
    )


def _values(seen: Seen, manifest: Manifest, opened: Opened) -> Sentences:
    """What the entry's sentences look at; all that was read, where no sentence is named."""
    if opened.case is None:
        return ()
    needed = _needed(manifest, seen.because)
    entry = projected(opened.case.entry, needed or manifest.paths)
    if not needed:
        entry |= opened.case.known
    return tuple((visible(path), _text(value, values=True)) for path, value in leaves(entry))


def _needed(manifest: Manifest, numbers: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(path for number in numbers for path in manifest.root.get(number, ())))


def _before(one: Written, name: str, *, values: bool) -> str:
    if not one.read:
        return ""
    if one.before is None:
        return NONE
    return _text(one.before[name], values=values) if name in one.before else NOT_SET


def _text(value: JsonValue, *, values: bool) -> str:
    if not values:
        return masked(value)
    text = clear(value)
    return text if isinstance(value, str) and value else BLANK.get(text, text)


def _texts(numbers: Sequence[str], texts: Mapping[str, str]) -> Sentences:
    return tuple((number, texts.get(number, "not in this version")) for number in numbers)
