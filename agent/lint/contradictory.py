"""Contradictory: two sentences, or two parts of one, that ask for different things in the same case."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from agent.lint.acts import OF_A_RECORD, Act, Deed, acts
from agent.lint.defined import definitions
from agent.lint.ranges import Case, cases
from agent.lint.subject import Finding, Kind, Subject

WRITES = frozenset({Deed.WRITE, Deed.SET, Deed.EMPTY, Deed.LOWER, Deed.UPPER, Deed.AS_IS})
FORMS = frozenset({Deed.LOWER, Deed.UPPER, Deed.AS_IS})
TODO = "keep one of them, or say when each holds"
_DEFINABLE = (
    "recent",
    "new",
    "active",
    "lapsed",
    "urgent",
    "regular",
    "frequent",
    "senior",
    "minor",
    "late",
    "overdue",
)


def contradictory(subject: Subject) -> Iterator[Finding]:
    """Each pair that does not go together, told at the later of its sentences."""
    readings = {reading.number: reading for reading in subject.readings}
    found = [act for reading in subject.readings for act in acts(subject, reading)]
    told: set[tuple[str, str]] = set()
    for first, second in combinations(found, 2):
        what = _clash(first, second)
        if what and (first.sentence, second.sentence) not in told:
            told.add((first.sentence, second.sentence))
            yield subject.says(
                Kind.CONTRADICTORY, readings[second.sentence], _words(first, second, what), TODO
            )
    yield from _ranges(subject, told)
    yield from _definitions(subject, told)


def _clash(first: Act, second: Act) -> str:
    """What of two acts does not go together; nothing if they do."""
    if (first.deed in OF_A_RECORD and second.deed in OF_A_RECORD) or not (first.columns and second.columns):
        return _of_records(first, second)
    if not first.columns & second.columns:
        return ""
    if first.deed in FORMS and second.deed in FORMS:
        apart = first.deed != second.deed and (first.when == second.when or not (first.when and second.when))
        return f"{first.deed} and {second.deed}" if apart and not (first.free or second.free) else ""
    if first.when != second.when:
        return ""
    if first.deed is Deed.SET and second.deed is Deed.SET:
        return f'"{first.value}" and "{second.value}"' if first.value != second.value else ""
    pair = {first.deed, second.deed}
    if pair in ({Deed.EMPTY, Deed.KEEP}, {Deed.SET, Deed.KEEP}, {Deed.SET, Deed.EMPTY}) and first.when:
        return f"{first.deed} and {second.deed}"
    return ""


def _of_records(first: Act, second: Act) -> str:
    if not first.when or first.when != second.when or {"!it", "it"} & first.when:
        return ""
    pair = (first.deed, second.deed)
    if pair[0] == pair[1] or not set(pair) & {Deed.SKIP, Deed.REVIEW, Deed.DELETE}:
        return ""
    others = set(pair) - {Deed.SKIP, Deed.REVIEW, Deed.DELETE}
    if others - WRITES:
        return ""
    return f"{first.deed} and {second.deed}"


def _words(first: Act, second: Act, what: str) -> str:
    if first.sentence == second.sentence:
        return f"asks for {what} in the same case"
    return f"and {first.sentence} ask for {what} in the same case"


def _ranges(subject: Subject, told: set[tuple[str, str]]) -> Iterator[Finding]:
    found = [case for reading in subject.readings for case in cases(reading)]
    readings = {reading.number: reading for reading in subject.readings}
    for first, second in combinations(found, 2):
        if (first.sentence, second.sentence) in told or not _share_a_column(subject, first, second):
            continue
        what = _overlap(first, second)
        if what:
            told.add((first.sentence, second.sentence))
            other = "" if first.sentence == second.sentence else f" ({first.sentence} and {second.sentence})"
            yield subject.says(
                Kind.CONTRADICTORY,
                readings[second.sentence],
                f"{what}{other}",
                "let one begin where the other ends",
            )


def _share_a_column(subject: Subject, first: Case, second: Case) -> bool:
    if first.sentence == second.sentence:
        return True
    named = [
        {one.where for one in subject.arguments if case.sentence in one.grant.because}
        for case in (first, second)
    ]
    return bool(named[0] & named[1])


def _overlap(first: Case, second: Case) -> str:
    one, other = first.range, second.range
    if one.unit and other.unit and one.unit != other.unit:
        return ""
    if first.about and second.about and first.about != second.about:
        return ""
    if first.constant == second.constant:
        differs = first.sentence != second.sentence and one.open == other.open != 0 and one != other
        bounds = (one.low, one.high) != (other.low, other.high)
        return f'"{first.constant}" has two different bounds' if differs and bounds else ""
    if one.open == other.open != 0 and (one.low, one.high) != (other.low, other.high):
        return ""  # the first that holds counts: below 18, below 65
    return (
        f'"{first.constant}" and "{second.constant}" both hold for some numbers' if one.meets(other) else ""
    )


def _definitions(subject: Subject, told: set[tuple[str, str]]) -> Iterator[Finding]:
    """One word that two sentences define with different numbers."""
    readings = {reading.number: reading for reading in subject.readings}
    for word in _DEFINABLE:
        found = list(definitions(word, subject.readings))
        for first, second in combinations(found, 2):
            if first.sentence == second.sentence or (first.sentence, second.sentence) in told:
                continue
            if (
                _numbers(first.means)
                and _numbers(second.means)
                and _numbers(first.means) != _numbers(second.means)
            ):
                told.add((first.sentence, second.sentence))
                what = f'and {first.sentence} say different things of what "{word}" means'
                yield subject.says(Kind.CONTRADICTORY, readings[second.sentence], what, TODO)


def _numbers(text: str) -> Sequence[str]:
    return [word for word in text.replace(",", " ").split() if word.isdecimal()]
