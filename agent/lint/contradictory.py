"""Contradictory: two sentences, or two parts of one, that ask for different things in the same case."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from agent.lint.acts import OF_A_RECORD, Act, Deed, acts
from agent.lint.defined import definitions
from agent.lint.ranges import Case, cases
from agent.lint.subject import Finding, Kind, Subject

WRITES = frozenset({Deed.WRITE, Deed.SET, Deed.EMPTY, Deed.LOWER, Deed.UPPER, Deed.AS_IS})
AWAY = frozenset({Deed.SKIP, Deed.REVIEW, Deed.DELETE})
CHANGES = frozenset({Deed.SET, Deed.EMPTY, Deed.KEEP})
FORMS = frozenset({Deed.LOWER, Deed.UPPER, Deed.AS_IS})
ONE_OF_THEM = "keep one of them, or say when each holds"
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
                Kind.CONTRADICTORY, readings[second.sentence], _words(first, second, what), ONE_OF_THEM
            )
    yield from _ranges(subject, told)
    yield from _definitions(subject, told)


def _clash(first: Act, second: Act) -> str:
    """What of two acts does not go together; nothing if they do."""
    if (first.deed in OF_A_RECORD and second.deed in OF_A_RECORD) or not (first.columns and second.columns):
        apart = _of_records(first, second)
    elif not first.columns & second.columns:
        apart = False
    elif first.deed in FORMS and second.deed in FORMS:
        together = first.when == second.when or not (first.when and second.when)
        apart = first.deed != second.deed and together and not (first.free or second.free)
    elif first.deed is Deed.SET and second.deed is Deed.SET:
        return f'"{first.value}" and "{second.value}"' if _same(first, second) else ""
    else:
        pair = {first.deed, second.deed}
        apart = first.when == second.when and bool(first.when) and len(pair) == 2 and pair < CHANGES
    return f"{first.deed} and {second.deed}" if apart else ""


def _same(first: Act, second: Act) -> bool:
    return first.when == second.when and first.value != second.value


def _of_records(first: Act, second: Act) -> bool:
    """Whether a record would go two ways. What is said of a column alone is not of the record."""
    if not first.when or first.when != second.when or {"!it", "it"} & first.when:
        return False
    deeds = {first.deed, second.deed}
    return len(deeds) == 2 and bool(deeds & AWAY) and deeds <= AWAY | WRITES


def _words(first: Act, second: Act, what: str) -> str:
    if first.sentence == second.sentence:
        return f"asks for {what} in the same case"
    return f"and {first.sentence} ask for {what} in the same case"


def _ranges(subject: Subject, told: set[tuple[str, str]]) -> Iterator[Finding]:
    found = [case for reading in subject.readings for case in cases(reading)]
    readings = {reading.number: reading for reading in subject.readings}
    for first, second in combinations(found, 2):
        pair = (first.sentence, second.sentence)
        what = _overlap(first, second) if _share_a_column(subject, first, second) else ""
        if what and pair not in told:
            told.add(pair)
            both = "" if first.sentence == second.sentence else f" ({first.sentence} and {second.sentence})"
            todo = "let one begin where the other ends"
            yield subject.says(Kind.CONTRADICTORY, readings[second.sentence], what + both, todo)


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
        for first, second in combinations(definitions(word, subject.readings), 2):
            pair = (first.sentence, second.sentence)
            numbers = [_numbers(first.means), _numbers(second.means)]
            if pair not in told and pair[0] != pair[1] and all(numbers) and numbers[0] != numbers[1]:
                told.add(pair)
                what = f'and {first.sentence} say different things of what "{word}" means'
                yield subject.says(Kind.CONTRADICTORY, readings[second.sentence], what, ONE_OF_THEM)


def _numbers(text: str) -> Sequence[str]:
    return [word for word in text.replace(",", " ").split() if word.isdecimal()]
