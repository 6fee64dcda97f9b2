"""Vague: words that two people would read differently, and no number says what is meant."""

import re
from collections.abc import Iterator

from agent.lint.defined import beside, definitions
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.words import NUMBER, SPAN, Reading

DAYS, HOW_MANY, HOW_MUCH = "write a number of days", "write a number", "write the amount"
WHICH, WHEN, DECIDED = "name which ones", "write the condition itself", "write what is to be done"

_THING = r"(?:patient|client|visit|appointment|balance|amount|invoice|number|value|payment|name|time)s?"
_PATTERNS = (
    # when
    (r"(?<!most )\brecent(?:ly)?\b", DAYS),
    (r"\b(?:lately|shortly|nowadays|these days|(?:quite )?a while|a long time|(?:for )?some time)\b", DAYS),
    (r"(?<!as )\bsoon\b(?!er)|\bas soon as (?:possible|you can|we can)\b|\basap\b|\bnot too long ago\b", DAYS),
    (r"\b(?:in|for|over) (?:the )?(?:near|foreseeable|distant) (?:future|past)\b|\beventually\b", DAYS),
    (r"\b(?:promptly|quickly|speedily|timely|without (?:undue )?delay|long ago)\b", DAYS),
    (r"\b(?:last|past|next|coming|previous|first) (?:few|couple of|several)\b", HOW_MANY),
    # how often
    (r"(?<!how )\b(?:often|frequent|frequently|seldom|rarely|occasionally|occasional|periodically)\b", HOW_MANY),
    (r"\b(?:from time to time|now and then|once in a while|every so often|regularly|sporadically)\b", HOW_MANY),
    (rf"\bregular (?:{_THING}|customer|attendee)\b", HOW_MANY),
    (r"\b(?:usually|normally|typically|generally|mostly|mainly|ordinarily|sometimes|as a rule)\b", WHEN),
    (r"\b(?:in most cases|most of the time|in general|as usual|at times)\b", WHEN),
    # how many
    (r"\b(?:(?<!if )(?<!when )several|various|numerous|plenty of|lots of|a lot of|a lot|a couple of|a handful of)\b", HOW_MANY),
    (rf"\ba (?:small |large |great )?(?:number|amount) of (?!{NUMBER}\b)", HOW_MANY),
    (r"(?<!in )\ba few\b(?! words)|(?<!in )(?<!the )(?<!no )\bfew\b(?! words)(?<!a few)", HOW_MANY),
    (r"(?<!how )(?<!as )(?<!so )\bmany\b(?! as \d)|\btoo (?:many|much|old|young|long|high|low|late|few)\b", HOW_MANY),
    (rf"\b(?:about|approximately|approx\.?|roughly|around|circa|nearly|almost|close to|some) (?:{NUMBER})\b", HOW_MANY),
    (rf"\b(?:{NUMBER}) {SPAN} or so\b|\bmore or less\b|\bgive or take\b|\b\d+-?ish\b", HOW_MANY),
    # how much
    (rf"\b(?:large|high|low|big|huge|small|substantial|considerable|sizeable|excessive|unusual)(?:ly)? "
     rf"(?:open |unpaid |outstanding )?(?:{_THING}|risk|priority|credit|debt)\b", HOW_MUCH),
    (r"\b(?:balance|amount|invoice|number|age|debt|credit|payment)s? (?:is|are|that is|that are) (?:too |very )?"
     r"(?:large|high|low|big|huge|small|substantial|considerable|excessive)\b", HOW_MUCH),
    (r"\b(?:significant|significantly|substantially|considerably|excessively)\b", HOW_MUCH),
    (r"\b(?:(?<!is )(?<!are )enough|sufficient|sufficiently|adequate|adequately|reasonable|reasonably|acceptable)\b", HOW_MUCH),
    (rf"(?<!the )(?<!no )(?<!or )(?<!and )\b(?:bigger|larger|smaller|newer|older|younger|higher|longer|shorter) {_THING}\b", HOW_MUCH),
    (r"\b(?:long|short) (?:history|period|absence|gap|wait|while)\b", DAYS),
    # which
    (r"\b(?:important|relevant|interesting|noteworthy|notable|meaningful|essential|crucial)\b", WHICH),
    (r"\b(?:appropriate|appropriately|suitable|suitably|sensible|properly|nicely|correctly|neatly)\b", WHICH),
    (r"\b(?:urgent|urgently|critical|serious|severe)\b", WHICH),
    (rf"\b(?:certain|special|old|young|elderly|longstanding|long-standing|long-time|longtime|usual) {_THING}\b", WHICH),
    (r"\b(?:elderly|vip|vips|key (?:patient|client)s?|problem patients?)\b", WHICH),
    (r"\b(?:best|better|nicer|good|bad) (?:phone|number|address|e-?mail|name|contact|one|patients?|clients?)\b", WHICH),
    (r"\b(?:etc\b\.?|and so on|and so forth|and the like|or similar|and similar|or the like|and such|something like)",
     "list all of them"),
    (r"\b(?:nearby|near|close to) (?:the|our) (?:clinic|practice|office)\b|\bnearby\b", "write the ZIP codes"),
    # whether
    (r"\b(?:if|where|when|whenever|wherever|as far as|as much as) (?:at all )?(?:possible|needed|necessary|required|"
     r"appropriate|applicable|useful|helpful|sensible|desired|in doubt)\b", WHEN),
    (r"\bas (?:needed|necessary|appropriate|required|applicable|you see fit|suits)\b", WHEN),
    (r"\b(?:makes? sense|case by case|case-by-case|depending on (?:the )?(?:situation|case|circumstances|context))\b", WHEN),
    (r"\b(?:at (?:your|their|our|its) discretion|use (?:your |good |best )?(?:judge?ment|common sense|discretion))\b", WHEN),
    (r"\b(?:maybe|perhaps|ideally|preferably|try to|tries to|attempt to|tbd|to be (?:decided|determined|defined))\b", DECIDED),
    (r"\b(?:deal with|take care of|handle|sort out|clean up|tidy up)\b(?! by\b)", DECIDED),
)  # fmt: skip
VAGUE = tuple((re.compile(pattern), todo) for pattern, todo in _PATTERNS)


def vague(subject: Subject) -> Iterator[Finding]:
    """The vague words of each sentence. A sentence of judgement may have them: a question is asked there."""
    for reading in subject.readings:
        if not reading.judgement:
            yield from _of(subject, reading)


def _of(subject: Subject, reading: Reading) -> Iterator[Finding]:
    told: list[tuple[int, int]] = []
    for pattern, todo in VAGUE:
        for found in pattern.finditer(reading.plain):
            start, end = found.span()
            if any(start < before_end and before < end for before, before_end in told):
                continue
            if not _is_exact(subject, reading, start, end):
                told.append((start, end))
                what = f'"{reading.text[start:end].strip()}" can be read in more than one way'
                yield subject.says(Kind.VAGUE, reading, what, todo)


def _is_exact(subject: Subject, reading: Reading, start: int, end: int) -> bool:
    """Whether it is a name or a granted constant, or made exact beside it or by another sentence."""
    words = reading.plain[start:end].strip()
    if reading.is_name(start, end) or beside(reading, end) or _is_constant(subject, reading, words):
        return True
    return any(any(definitions(word, subject.readings)) for word in words.split()[:1])


def _is_constant(subject: Subject, reading: Reading, words: str) -> bool:
    """Whether a value that may be written for this sentence is called so."""
    constants = (
        constant.lower()
        for argument in subject.spoken_of(reading)
        for constant in argument.grant.constants
        if isinstance(constant, str)
    )
    return any(
        re.search(rf"\b{re.escape(words)}\b", constant) and constant in reading.lower
        for constant in constants
    )
