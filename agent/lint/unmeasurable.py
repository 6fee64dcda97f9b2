"""Unmeasurable: what no field of a record can say, and numbers without a unit."""

import re
from collections.abc import Iterator

from agent.lint.subject import Finding, Kind, Subject
from agent.lint.topics import of_path, speaks_of
from agent.lint.words import NUMBER, SPAN, Q, Reading

_WHO = r"(?:patients?|clients?|they|who|person|people|he|she|family|parents?|somebody|someone|that)"
_MIND = (
    r"\b(?:happy|unhappy|satisfied|dissatisfied|satisfaction|angry|upset|frustrated|annoyed|disappointed|grateful)\b",
    r"\b(?:difficult|friendly|unfriendly|cooperative|uncooperative|rude|nice|kind|pleasant|demanding) "
    r"(?:patient|client|person|parent)s?\b",
    r"\b(?:motivation|motivated|unmotivated|committed|loyal|disengaged|trustworthy|reliable|unreliable|well-behaved)\b",
    r"\b(?:engaged|involved|invested) (?:patients?|clients?|in (?:their|the) care)\b",
    r"\b(?:non-?compliant|compliant|adherent|non-?adherent)\b",
    r"\b(?:likely|unlikely|probably|presumably|apparently|obviously|clearly)\b",
    r"\b(?:at risk|in danger) of\b|\bat risk\b|\babout to (?!be\b)\w+|\bon the verge of\b",
    r"\bmight \w+|\bmay be (?:about|going|interested|planning|thinking)\b|\b(?:could|may) (?:leave|drop|churn|cancel)\b",
    r"\b(?:seems?|appears? to|appear to|looks? like|feels? like|looks? (?:wrong|odd|strange|suspicious|fake|right|off))\b",
    rf"\b{_WHO}(?: \w+)?(?: \w+)? (?:want|wants|would like|wish|wishes|hope|hopes|intend|intends|plan to|plans to|care"
    r"|cares|feel|feels|think|thinks|believe|believes|understand|understands|like|likes|dislike|dislikes|enjoys?"
    r"|trusts?|fears?|worr(?:y|ies)|needs? (?:help|support|attention|care))\b",
    r"\b(?:interested in|thinking (?:of|about)|considering|hesitant|reluctant|willing to|open to|keen (?:on|to))\b",
    r"\b(?:struggling|vulnerable|lonely|worried|confused|comfortable|uncomfortable|overwhelmed|stressed)\b",
    r"\b(?:good|bad|right|wrong|perfect|ideal) (?:fit|candidate|match)\b|\b(?:valuable|valued|promising) (?:patient|client)s?\b",
    r"\b(?:doing|feeling|getting|coping) (?:well|better|worse|badly|poorly)\b|\bin good (?:shape|spirits|standing)\b",
    r"\b(?:mood|attitude|personality|tone of voice|potential|quality of (?:life|care)|impression|gut feeling)\b",
    r"\b(?:improv(?:es?|ing|ed)|making progress|deteriorat(?:es?|ing|ed)|progressing)\b",
    r"\b(?:expected|supposed|bound|prone) to\b|\bin (?:pain|distress|crisis)\b|\bunwell\b",
    r"\b(?:good|bad|close|poor|strong|difficult) (?:relationships?|rapport|communication|experiences?)\b",
    r"\bhard to (?:reach|work with|please|deal with)\b|\beasy to (?:reach|work with|please)\b",
)  # fmt: skip
MIND = tuple(re.compile(pattern) for pattern in _MIND)
_SPEAKS = r"(?:within|in the (?:last|past|next|coming)|(?:for|over|during) (?:the )?(?:last|past|next))"
_NEXT = r"(?=\s*(?:$|[,.;:)]|ago\b|or\b|and\b|is\b|are\b|the\b|gets?\b))"
BARE = re.compile(
    rf"\b{_SPEAKS} (?:{NUMBER})(?![\w%]|[ -]?{SPAN}){_NEXT}|\b(?:{NUMBER}) ago\b"
    rf"|\b(?:age[ds]?|old(?:er)?) (?:than )?(?:{NUMBER}) (?:or )?ago\b"
)
_THAN = r"(?:over|above|below|under|more than|less than|at least|at most|exceeds?|higher than|lower than|up to|reaches)"
MONEY = re.compile(
    rf"\b(?:balances?|amounts?|owes?|debt|invoices?|price|credit|payments?|due)\b[^,.;:\0]{{0,25}}?\b{_THAN} "
    rf"(?:the )?(?P<number>(?:\d[\d,.]*\d|\d)(?![\w%]))(?! ?(?:\$|€|%|percent|dollars?|usd|eur|cents?|euros?|days?|weeks?"
    r"|months?|years?|invoices?|payments?|times|visits?|of (?:them|those)|appointments?|hours?|minutes?))"
)  # fmt: skip
_ASKS = re.compile(
    r"\b(?:if|when|whenever|unless|who|whose|whom|without|except|only)\b|\bwith (?:a|an|the|no|at|more|open)\b"
)
_REASON = re.compile(rf"\breason:? (?:is )?{Q}")
_BACK = re.compile(
    r"\b(?:that|this|it|its|one|those|they|them|these|such|same|otherwise|else|none|there|name|id|known|row)\b"
)


def unmeasurable(subject: Subject) -> Iterator[Finding]:
    """What each sentence asks that cannot be read off. A question of judgement is asked of somebody else."""
    for reading in subject.readings:
        if not reading.judgement:
            yield from _of(subject, reading)


def _of(subject: Subject, reading: Reading) -> Iterator[Finding]:
    told = False
    for pattern in MIND:
        for found in pattern.finditer(reading.plain):
            if not reading.is_name(*found.span()) and not _is_read(subject, reading, found[0]):
                told = True
                what = f'no field says "{reading.text[found.start() : found.end()]}"'
                todo = "name the field and value that show it, or ask it as a sentence of judgement"
                yield subject.says(Kind.UNMEASURABLE, reading, what, todo)
    for found in BARE.finditer(reading.plain):
        what = f'"{reading.text[found.start() : found.end()].strip()}" has no unit'
        yield subject.says(Kind.UNMEASURABLE, reading, what, "write days, weeks, months or years")
    for found in MONEY.finditer(reading.plain):
        what = f"{found['number']} has no unit, and the amounts are in cents"
        yield subject.says(Kind.UNMEASURABLE, reading, what, "write dollars or cents")
    if not told and _asks_what_is_not_read(subject, reading):
        what = "has a condition, and no field that is read says whether it holds"
        yield subject.says(Kind.UNMEASURABLE, reading, what, "name its field in fields.yaml, or drop it")


def _is_read(subject: Subject, reading: Reading, words: str) -> bool:
    """Whether a field that this sentence needs, or a constant of it, is called so."""
    paths = subject.manifest.root.get(reading.number, ())
    constants = (
        str(constant).lower() for one in subject.spoken_of(reading) for constant in one.grant.constants
    )
    return words in constants or any(words.replace(" ", "_") in path for path in paths)


def _asks_what_is_not_read(subject: Subject, reading: Reading) -> bool:
    if subject.manifest.root.get(reading.number) or not _ASKS.search(reading.plain):
        return False
    if _BACK.search(reading.plain) or re.search(Q, _REASON.sub("", reading.plain)):
        return False
    return not any(speaks_of(reading.lower, of_path(path)) for path in subject.manifest.paths)
