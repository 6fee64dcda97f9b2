"""Constants that a sentence sets a column to: the status is "archived", "minor" below 18 years."""

import re
from collections.abc import Iterator, Sequence

from agent.lint.subject import Argument
from agent.lint.topics import mention
from agent.lint.words import GAP, Quoted, Reading, Statement

_GETS = (
    r"(?:is|\||are|gets?|becomes?|=|:|to|as|→|->|stays|reads|has|have|receives?|changes? to"
    "|turns (?:in)?to|switches to|goes to|set to|is set to|is written as|must be|should be"
    "|will be)"
)
NEAR = 1000  # characters: a column is named no farther before its constant
_SUBJECT = re.compile(r"^ (?:is|are|stays?|counts?|does|do|goes|must|may)\b")
_CASES = re.compile(
    r"^ ?(?:\||if|when|for|below|under|from|above|over|unless|until|without|where|after|before|once"
    r"|at (?:most|least)|up to)\b"
)
_DIRECT = re.compile(
    r"(?:'s)?(?: (?:of|for) [^:,\0]{0,40}(?=:))?"
    " ?(?:in cents |cents |number |date |column |field |property )?"
    rf"{_GETS}? ?(?:then |always |set to |written as )?"
)
_CONDITION = re.compile(r"\b(?:if|when|whose|where|unless)\b(?:(?!\bgets?\b|\bset\b)[^,])*$")
_HAS = re.compile(r"\b(?:with|having|(?:who|that|which) (?:has|have)) (?:an? |the )?$")
_ELSE = re.compile(r"\b(?:else|otherwise|or)\s*$")
_UNNAMED = re.compile(r"\b(?:is for|are for|gets?|becomes?) $|(?:→|->|=>) ?$")
_ASKED = re.compile(
    r"\b(?:if|when|whose|where|who|with|without|unless|has|have|having|tagged|named|called|marked)\b[^,]*$"
)


def setting(
    reading: Reading, segment: Statement, columns: Sequence[Argument]
) -> Iterator[tuple[Quoted, Argument]]:
    """The constants that a statement sets a column to, each with its column."""
    for quoted in reading.in_(segment):
        if quoted.code:
            continue
        at = quoted.start - segment.start
        before = segment.text[max(0, at - NEAR) : at]
        after = segment.text[quoted.end - segment.start :]
        column = _set_to(before, after, columns)
        if column is not None:
            yield quoted, column


def _set_to(before: str, after: str, columns: Sequence[Argument]) -> Argument | None:
    """The column that a constant between these texts is written to, if it is."""
    for column in columns:
        at = mention(before, column.phrases)
        if at is None or _CONDITION.search(before[: at[0]]):
            continue
        between = before[at[1] :]
        if _DIRECT.fullmatch(between) and not _SUBJECT.match(after) and not _HAS.search(before[: at[0]]):
            return column
        if GAP not in between or _ASKED.search(between.rsplit(GAP, 1)[1]):
            continue
        if _CASES.match(after) or _ELSE.search(before):  # the next one in a list of cases
            return column
    choices = [column for column in columns if any(isinstance(one, str) for one in column.grant.constants)]
    unnamed = len(choices) == 1 and _UNNAMED.search(before) and not _CONDITION.search(before)
    return choices[0] if unnamed else None
