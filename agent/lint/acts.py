"""What a sentence asks to be done, of what, and when: enough to see that two of them do not go together."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.lint.conditions import SUBORDINATE, condition
from agent.lint.phrases import phrases
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


DEEDS = {
    Deed.SKIP: phrases("""
        left_alone/left_out/kept_out/passed_over/skip/skips/skipped/ignore/ignored/exclude/excluded/no_row
        leave/leaves <words>? alone/out
        omit/omits/omitted/disregard/disregarded/stay_out/stays_out
        <is> not/never <sent>
        nothing is <sent>
        don't/do_not/does_not/doesn't/never send/write/list/include/sync/export/add/share/copy/go/appear/touch
    """),
    Deed.REVIEW: phrases("""
        for <person> to review/decide/look_at/look/check
        to/for/into/in a? manual/human? review
        review/reviews/reviewed by? <person>?
        <person> has_to/must/should/needs_to? decide/decides/look/looks/review/reviews/check/checks
        ask/to/by <person>
    """),
    Deed.DELETE: phrases("""
        delete/deleted/remove/removed/erase/erased/purge/purged/drop/dropped
    """),
    Deed.KEEP: phrases("""
        <stays> <words>? as it/they/is/are is/are/was/were?
        <stays> <words>? unchanged/untouched
        is/are not_changed/not_touched/not_overwritten/unchanged/untouched/left_alone
        keep/keeps its/their old/present? value/values
    """),
    Deed.EMPTY: phrases("""
        <is>/stays/left/set/becomes then? emptied/cleared/blanked/empty/blank/to_null/null
        emptied/cleared/blanked
        empty/clear/blank/leave it/them/the <words>? empty/blank?
        leave <words> empty/blank
        ^empty/blank$
    """),
    Deed.LOWER: phrases("in/to/as? small_letters/lower_case/lower-case/lowercase/lowercased"),
    Deed.UPPER: phrases("""
        in/to/as? capitals/capital_letters/block_letters/all_caps/upper_case/upper-case/uppercase
    """),
    Deed.AS_IS: phrases("""
        exactly/just? as it_is/they_are/it_stands/entered/typed written/entered/typed? in? healthie?
        unchanged from <word>
    """),
    Deed.WRITE: phrases("""
        sent/written/listed/copied/carried/exported/synced/added/one_row/a_row/goes_to/goes_into/gets_a_row
        ^send/write/add/list/include/copy/export/sync
    """),
}
"""What is looked for first comes first."""
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
_NOTHING_ELSE = re.compile(r"\bnothing else\b.*|\bno other\b.*")


def acts(subject: Subject, reading: Reading) -> Iterator[Act]:
    """What a sentence asks to be done, part by part, the constants that it sets included."""
    spoken = subject.spoken_of(reading)
    for statement in reading.statements:
        plain = _REASON.sub(_blank, _NOTHING_ELSE.sub(_blank, statement.text))
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
    for deed, pattern in DEEDS.items():
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
    """When a statement sets a column to a constant: the condition of the part with the constant."""
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
