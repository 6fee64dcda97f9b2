"""Words that the instructions themselves make exact: "A visit is recent if it was at most 90 days ago"."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.lint.words import MEASURE, Reading

_MEANT = r"(?:means|meaning|is one|is a|is an|is any|are those|are all|stands for|=)"
_CASE = (
    r"(?:if|when|whose|where|from|below|above|under|over|after|before|within|until|at (?:most|least)|with|to)"
)
_BE = r"(?:is|are|was|were|counts? as|called|considered|regarded as|be)"
_BESIDE = re.compile(
    rf"(?: \w+){{0,3}}(?: ?\([^)]*?(?:{MEASURE})[^)]*\)"
    rf"|,? (?:that is|that means|i\.e\.|meaning|which means|namely|—|–|:),? [^.;]*?(?:{MEASURE})"
    rf"|,? (?:within|at most|no more than|in the (?:last|past|next)|less than|not older than|older than|"
    rf"more than|at least|over|under|above|below|exceeding)\b[^.;]{{0,20}}?(?:{MEASURE}))"
)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a sentence says that a word means."""

    sentence: str
    means: str


def stem(word: str) -> str:
    """Recent of "recently"."""
    return re.sub(r"ly$", "", word)


def beside(reading: Reading, end: int) -> bool:
    """Whether what follows a word at once makes it exact: recent (at most 90 days ago)."""
    statement = reading.statement(end)
    return _BESIDE.match(statement.text[end - statement.start :]) is not None


def definitions(word: str, readings: Iterable[Reading]) -> Iterator[Definition]:
    """What the sentences say that a word means, where that is exact."""
    name = rf"[\"'“”‘’`]?\b{re.escape(stem(word))}(?:ly)?\b[\"'“”‘’`]?"
    says = re.compile(
        rf"{name}(?: \w+){{0,3}} {_MEANT} (?P<a>.*)|{_BE}(?: as)?(?: an?"
        rf"| the)? {name}(?: \w+)? {_CASE} (?P<b>.*)"
    )
    for reading in readings:
        for statement in reading.statements:
            text = reading.lower[statement.start : statement.start + len(statement.text)]
            found = says.search(text)
            if found and re.search(rf"{MEASURE}|[\"“`]", found["a"] or found["b"]):
                yield Definition(reading.number, (found["a"] or found["b"]).strip())
