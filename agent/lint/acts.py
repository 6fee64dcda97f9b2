"""What a sentence asks to be done, of what, and when: enough to see that two of them do not go together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.lint.conditions import SUBORDINATE, condition
from agent.lint.setting import setting
from agent.lint.subject import Argument, Subject
from agent.lint.topics import mention
from agent.lint.words import GAP, Q, Quoted, Reading, Statement


class Deed(StrEnum):
    """What is to become of a record or of a column."""

    SKIP = "left alone"
    REVIEW = "for a person to review"
    DELETE = "deleted"
    WRITE = "written"
    SET = "set"
    KEEP = "left as it is"
    EMPTY = "emptied"
    LOWER = "in small letters"
    UPPER = "in capital letters"
    AS_IS = "as it is"


@dataclass(frozen=True, slots=True)
class Act:
    """`columns`: full names of the arguments meant, none for the record as a whole."""

    sentence: str
    deed: Deed
    columns: frozenset[str]
    when: frozenset[str]
    value: str = ""
    free: bool = False  # with "or", or with an exception: nothing may be concluded from a part of `when`


_NOT_SENT = (
    r"(?:sent|written|listed|included|carried|transferred|synced|exported|added|shared|copied|passed on)"
)
_PERSON = r"(?:a person|somebody|someone|a human|the (?:team|staff|front desk|office)|staff)"
_DEEDS: Sequence[tuple[Deed, str]] = (
    (
        Deed.SKIP,
        r"\b(?:left alone|leave (?:\w+ ){0,4}?alone|leave (?:\w+ ){0,4}?out\b|left out|kept out"
        "|stays? out|skip(?:s|ped)?"
        r"|ignored?|excluded?|omit(?:s|ted)?|disregard(?:ed)?|passed over"
        rf"|(?:is|are|be|gets?) not {_NOT_SENT}|(?:is|are) never {_NOT_SENT}|nothing is {_NOT_SENT}"
        "|(?:don't|do not|does not|doesn't|never) (?:send|write|list|include|sync|export|add|share"
        "|copy|go|appear|touch)"
        r"|no row)\b",
    ),
    (
        Deed.REVIEW,
        rf"\b(?:for {_PERSON} to (?:review|decide|look(?: at)?|check)|(?:to|for|into"
        "|in) (?:a )?(?:manual |human )?review"
        f"|review(?:ed|s)?(?: by {_PERSON})?|{_PERSON} (?:has to |must |should |needs to )?(?:decide"
        "|look|review|check)s?(?: at)?"
        rf"|ask {_PERSON}|to {_PERSON})\b",
    ),
    (
        Deed.DELETE,
        r"\b(?:deleted?|removed?|erased?|purged?|dropped|drop)\b(?= (?:the |its |their |his |her |from "
        r"|patient|row)|$|\W)",
    ),
    (
        Deed.KEEP,
        r"\b(?:left|leave|leaves|stays?|remains?|keeps?|kept)(?: \w+){0,4}? (?:as (?:it|they|is|are)\b"
        "|unchanged|untouched)"
        r"(?: (?:is|are|was|were))?|\b(?:is|are) (?:not (?:changed|touched|overwritten)|unchanged"
        r"|untouched)\b"
        r"|\b(?:is|are) left alone\b|\bkeeps? (?:its|their) (?:old |present )?values?\b",
    ),
    (
        Deed.EMPTY,
        r"\b(?:is|are|be|gets?|stays?|left|set|leave (?:it|them)|becomes?) (?:then )?(?:emptied|cleared"
        "|blanked|empty|blank"
        r"|to null|null)\b|\b(?:emptied|cleared|blanked)\b|\b(?:empty|clear|blank) (?:it|them|the)\b"
        r"|^\W*(?:empty|blank)\W*$"
        r"|\bleave (?:\w+ ){0,4}?(?:empty|blank)\b",
    ),
    (Deed.LOWER, r"\b(?:(?:in|to|as) )?(?:small letters|lower[ -]?case)\b|\blower-?cased?\b"),
    (
        Deed.UPPER,
        r"\b(?:(?:in|to|as) )?(?:capitals|capital letters|block letters|upper[ -]?case|all caps)\b"
        r"|\bupper-?cased?\b",
    ),
    (
        Deed.AS_IS,
        r"\b(?:exactly |just )?as (?:it is|they are|it stands|entered|typed)(?: (?:written|entered"
        r"|typed|in \w+))?\b"
        r"|\bunchanged from \w+",
    ),
    (
        Deed.WRITE,
        r"\b(?:sent|written|listed|copied|carried|exported|synced|one row|a row|goes? (?:in)?to"
        r"|gets? a row|added)\b"
        r"|^\W*(?:send|write|add|list|include|copy|export|sync)\b",
    ),
)
DEEDS = tuple((deed, re.compile(pattern)) for deed, pattern in _DEEDS)
OF_A_RECORD = frozenset({Deed.SKIP, Deed.REVIEW, Deed.DELETE, Deed.WRITE})
_SEGMENT = re.compile(
    rf", (?=(?:else|otherwise|but if|and if|but|if|without)\b)|, (?=(?:and )?{Q} )| (?=(?:else"
    f"|otherwise) {Q})"
    r"|, (?=(?:and )?(?:is|are) )"
)
_ARROW = re.compile(r" ?(?:→|->|=>|⇒) ?")
_LEADS = re.compile(r"\W*(?:if|when|whenever|for|without|unless|where|once)\b[^,]*, |.* ?(?:→|->|=>|⇒) ?")
_REASON = re.compile(rf",? ?(?:(?:and )?(?:with )?the reason (?:is|being) {Q}|\({Q}\)|reason:? {Q})")
_NEVER = re.compile(r"\b(?:never|not|no|nobody|nothing|without being|isn't|aren't|cannot)\b[^,;]{0,30}$")
_BY_HAND = re.compile(r"\bnothing else\b.*|\bno other\b.*")


def acts(subject: Subject, reading: Reading) -> Iterator[Act]:
    """What a sentence asks to be done, part by part, the constants that it sets included."""
    spoken = subject.spoken_of(reading)
    for statement in reading.statements:
        plain = _REASON.sub(_blank, _BY_HAND.sub(_blank, statement.text))
        named: tuple[Argument, ...] = ()
        for start, end in segments(plain):
            segment = Statement(plain[start:end], statement.start + start)
            named = _named(reading, segment, spoken) or named
            act = _deed(reading, segment, named, spoken)
            if act is not None:
                yield act
        for quoted, column in setting(reading, statement, spoken):
            when, free = _when_set(reading, statement, quoted, column)
            columns = frozenset({column.where})
            yield Act(reading.number, Deed.SET, columns, when, quoted.value, free=free)


def segments(text: str) -> Iterator[tuple[int, int]]:
    """The parts of a statement that each have a condition of their own."""
    start, leads = 0, _LEADS.match(text)
    for found in _SEGMENT.finditer(text):
        if leads and found.start() < leads.end():
            continue  # the comma belongs to a condition in front
        if text[start : found.start()].strip():
            yield start, found.start()
            start = found.end()
    yield start, len(text)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _done(segment: str) -> str:
    """The part of a segment that says what is done, its condition blanked."""
    arrow = _ARROW.search(segment)
    if arrow:
        return " " * arrow.end() + segment[arrow.end() :]
    return SUBORDINATE.sub(_blank, segment)


def _deed(
    reading: Reading, segment: Statement, named: tuple[Argument, ...], spoken: tuple[Argument, ...]
) -> Act | None:
    done = _done(segment.text)
    for deed, pattern in DEEDS:
        found = pattern.search(done)
        if found is None:
            continue
        if deed is Deed.DELETE and _NEVER.search(done[: found.start()]):
            return None
        if deed in (Deed.SKIP, Deed.REVIEW) and _is_of_column(segment.text[: found.start()], named):
            return _act(reading, segment, Deed.KEEP, found.span(), named)  # a column that is not sent stays
        return _act(reading, segment, deed, found.span(), () if deed in OF_A_RECORD else named or spoken)
    if named and GAP not in segment.text:
        return _act(reading, segment, Deed.WRITE, (0, 0), named)
    return None


def _act(
    reading: Reading, segment: Statement, deed: Deed, verb: tuple[int, int], columns: tuple[Argument, ...]
) -> Act:
    text = segment.text[: verb[0]] + " " * (verb[1] - verb[0]) + segment.text[verb[1] :]
    when, free = _when(
        reading, Statement(text, segment.start), [name for one in columns for name in one.phrases]
    )
    return Act(reading.number, deed, frozenset(one.where for one in columns), when, free=free)


def _when(reading: Reading, segment: Statement, about: Sequence[str]) -> tuple[frozenset[str], bool]:
    arrow = _ARROW.search(segment.text)
    text = segment.text[: arrow.start()] if arrow else segment.text
    return condition(_with_quoted(reading, Statement(text, segment.start)), about, whole=arrow is not None)


def _when_set(
    reading: Reading, statement: Statement, quoted: Quoted, column: Argument
) -> tuple[frozenset[str], bool]:
    """When a statement sets a column to a constant: the condition of the part in which the constant stands."""
    at = quoted.start - statement.start
    start, end = next(one for one in segments(statement.text) if at < one[1])
    text = statement.text[start:at] + " " * (quoted.end - quoted.start)
    text += statement.text[start + len(text) : end]
    when, free = _when(reading, Statement(text, statement.start + start), column.phrases)
    if re.search(r"\b(?:else|otherwise)\b", text):
        return when | {f"else {reading.number}"}, True
    return when, free


def _is_of_column(subject: str, named: tuple[Argument, ...]) -> bool:
    """Whether a column, and not the patient, is what a verb is about: "The phone is not sent"."""
    if re.search(r"\b(?:patient|client|row|record|entry|person|who|with|without)", subject):
        return False
    return any(mention(subject, one.phrases) for one in named)


def _with_quoted(reading: Reading, segment: Statement) -> str:
    """The text with each quoted value as one word."""
    text = segment.text
    for quoted in sorted(reading.in_(segment), key=lambda one: -one.start):
        start, end = quoted.start - segment.start, quoted.end - segment.start
        if GAP in text[start:end]:
            word = "q_" + re.sub(r"\W+", "_", quoted.value.lower())
            text = f"{text[:start]}{word}{text[end:]}"
    return text.replace(GAP, " ")


def _named(reading: Reading, segment: Statement, spoken: tuple[Argument, ...]) -> tuple[Argument, ...]:
    """The arguments that a segment itself names, outside of its condition."""
    coded = " ".join(one.value.lower() for one in reading.in_(segment) if one.code)
    return tuple(one for one in spoken if mention(f"{_done(segment.text)} {coded}", one.phrases))
