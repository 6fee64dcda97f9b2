"""The overview's figures: what became of the entries and of the writes, by sentence and by target."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flows.ledger.marks import Verdict
from flows.ledger.seen import Group
from flows.review.desk import Line

ENTRIES = {
    "planned": ("planned", "something to write"),
    "skipped": ("skipped", "left alone, as the instructions say"),
    "review": ("to review", "waits for a person to decide"),
    "quarantined": ("refused", "stopped by a check; nothing to write"),
    "absent": ("not given", "the source did not give it"),
}
"""An entry's states: the word that people read, and what it means."""


@dataclass(frozen=True, slots=True)
class Number:
    """One of the large numbers."""

    state: str
    word: str
    means: str
    number: int


@dataclass(frozen=True, slots=True)
class OfSentence:
    """What follows a sentence: writes, and entries without one."""

    number: str
    text: str
    writes: int
    skipped: int
    review: int


@dataclass(frozen=True, slots=True)
class OfOperation:
    """One kind of write of a target. refused: by the target; kinds: by what it does to the record."""

    target: str
    operation: str
    kinds: Mapping[str, int]
    refused: int
    total: int


@dataclass(frozen=True, slots=True)
class Judged:
    """How many writes people have judged."""

    right: int
    wrong: int
    total: int

    @property
    def left(self) -> int:
        return self.total - self.right - self.wrong


def several(number: int, one: str, more: str) -> str:
    """A number of things in words: 1 write, 2 writes."""
    return f"{number} {one if number == 1 else more}"


def numbers(groups: Sequence[Group]) -> list[Number]:
    """How many entries are in each state; what may be left out is, if there are none."""
    found = Counter[str]()
    for one in groups:
        found[one.state] += one.number
    shown = [state for state in ENTRIES if state != "absent" or found[state]]
    return [Number(state, *ENTRIES[state], found[state]) for state in shown]


def by_sentence(texts: Mapping[str, str], lines: Sequence[Line], groups: Sequence[Group]) -> list[OfSentence]:
    """Every sentence, those too that nothing follows yet, and those that only an earlier version had."""
    writes = Counter(number for one in lines for number in one.because)
    entries = Counter[tuple[str, str]]()
    for group in groups:
        for number in group.because:
            entries[group.state, number] += group.number
    cited = dict.fromkeys([*texts, *writes, *(number for _, number in entries)])
    return [
        OfSentence(
            number,
            texts.get(number, "not in this version"),
            writes[number],
            entries["skipped", number],
            entries["review", number],
        )
        for number in cited
    ]


def by_operation(targets: Iterable[str], lines: Sequence[Line]) -> list[OfOperation]:
    """Every kind of write that was planned, by target."""
    named, found = list(targets), dict[str, list[Line]]()
    for one in lines:
        found.setdefault(one.operation, []).append(one)
    return [
        OfOperation(
            target_of(operation, named),
            operation,
            Counter(one.kind for one in ones),
            sum(one.state == "rejected" for one in ones),
            len(ones),
        )
        for operation, ones in sorted(found.items())
    ]


def target_of(operation: str, targets: Iterable[str]) -> str:
    """The target that an operation is of; "" if the integration has it no more."""
    return max((one for one in targets if operation.startswith(f"{one}_")), key=len, default="")


def judged(lines: Sequence[Line], verdicts: Mapping[str, Verdict]) -> Judged:
    said = Counter(verdicts[one.key] for one in lines if one.key in verdicts)
    return Judged(said["right"], said["wrong"], len(lines))
