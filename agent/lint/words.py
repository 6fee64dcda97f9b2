"""A sentence as lint reads it: its own words, apart from what it quotes.

What stands in quotes or backquotes is a name or a constant, so none of its words is a rule's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from agent.instructions import JUDGEMENT, Sentence

GAP = "\0"  # stands for each character of what is quoted; no instructions can hold it
Q = rf"{GAP}+"

_QUOTED = re.compile(
    r"\"([^\"\n]{1,80})\"|“([^”\n]{1,80})”|«([^»\n]{1,80})»|(?<!\w)'([^'\n]{1,60})'(?!\w)|`([^`\n]{1,60})`"
)
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bapprox)(?<!\betc)(?:[.!?]+(?=\s|$|\))|;)")
_NAME = re.compile(r"(?<=[\w,] )(?:[A-Z][\w-]+)(?: (?:of |and )?[A-Z][\w-]+)*")

NUMBERS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12, "fourteen": 14, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30, "sixty": 60,
    "ninety": 90,
}  # fmt: skip
NUMBER = rf"(?:\$ ?)?\d[\d,]*(?:\.\d+)?|{'|'.join(NUMBERS)}|half a|half an"
SPAN = r"(?:(?:business|working|calendar|full) )?(?:day|week|month|year|hour|minute|quarter)s?"
MEASURE = rf"\b(?:{NUMBER}|an?|one)\b[ -]?{SPAN}\b|\b(?:{NUMBER})(?!\w)|{Q}"
"""What makes a word exact: a number, a span of time, or a quoted name."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What stands in quotes, or in backquotes (`code`), and where in the sentence."""

    value: str
    start: int
    end: int
    code: bool


@dataclass(frozen=True, slots=True)
class Statement:
    """A part of a sentence up to a full stop or semicolon, lower case, GAP in place of what it quotes."""

    text: str
    start: int


@dataclass(frozen=True)
class Reading:
    """One sentence. `plain` is as long as `text`, in lower case and without what is quoted."""

    number: str
    text: str
    judgement: bool

    @classmethod
    def of(cls, sentence: Sentence) -> "Reading":
        text = sentence.text.removeprefix(JUDGEMENT).strip() if sentence.judgement else sentence.text
        return cls(sentence.number, text, sentence.judgement)

    @cached_property
    def quoted(self) -> tuple[Quoted, ...]:
        return tuple(
            Quoted(
                next(part for part in found.groups() if part is not None), *found.span(), code=bool(found[5])
            )
            for found in _QUOTED.finditer(self.text)
        )

    @cached_property
    def plain(self) -> str:
        text = list(self.lower)
        for quoted in self.quoted:
            text[quoted.start : quoted.end] = GAP * (quoted.end - quoted.start)
        return "".join(text)

    @cached_property
    def lower(self) -> str:
        """The text in lower case, what is quoted included."""
        return "".join(c.lower() if len(c.lower()) == 1 else c for c in self.text)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        start = 0
        for end in [*(mark.start() for mark in _END.finditer(self.plain)), len(self.plain)]:
            text = self.plain[start:end]
            if text.strip(" .;!?)"):
                found.append(Statement(text, start))
            start = end + 1
        return tuple(found)

    def statement(self, at: int) -> Statement:
        """The statement that holds a position of the sentence."""
        return next((one for one in reversed(self.statements) if one.start <= at), self.statements[0])

    def is_name(self, start: int, end: int) -> bool:
        """Whether a capital marks the words as a name: the tag Important Client. All capitals do not."""
        words = self.text[start:end]
        if words.isupper() or not words[:1].isupper():
            return False
        return any(found.start() <= start and end <= found.end() for found in _NAME.finditer(self.text))

    def in_(self, statement: Statement) -> Iterator[Quoted]:
        """What a statement quotes."""
        end = statement.start + len(statement.text)
        return (one for one in self.quoted if statement.start <= one.start < end)


def number(text: str) -> float:
    """30 of "30", "$30" and "thirty"; 0.5 of "half a"."""
    if text in NUMBERS:
        return NUMBERS[text]
    return 0.5 if text.startswith("half") else float(text.strip("$ ").replace(",", "").rstrip("."))
