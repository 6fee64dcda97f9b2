"""Unmeasurable: what no field of a record can say, and numbers without a unit."""

import re
from collections.abc import Iterator

from agent.lint.phrases import phrases
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.topics import of_path, speaks_of
from agent.lint.words import NUMBER, SPAN, Q, Reading

MIND = phrases("""
    happy/unhappy/satisfied/dissatisfied/satisfaction/angry/upset/frustrated/annoyed/disappointed/grateful
    difficult/friendly/unfriendly/cooperative/uncooperative/rude/pleasant/demanding <patient>/person/parent
    motivation/motivated/unmotivated/committed/loyal/disengaged/trustworthy/reliable/unreliable
    engaged/involved/invested <patient>/in_their_care/in_the_care
    noncompliant/non-compliant/compliant/adherent/nonadherent/non-adherent
    likely/unlikely/probably/presumably/apparently/obviously/clearly
    at risk of?
    in_danger_of/on_the_verge_of
    about to leave/cancel/move/churn/quit/drop/stop/run
    might <word>
    may/could leave/drop/churn/cancel/quit
    may be about/going/interested/planning/thinking
    seem/seems/appear_to/appears_to/look_like/looks_like/feels_like
    look/looks wrong/odd/strange/suspicious/fake/right/off
    <who> <word>? <word>? <wants>
    interested in
    thinking of/about
    considering/hesitant/reluctant/willing_to/open_to/keen_on/keen_to
    expected/supposed/bound/prone to
    struggling/vulnerable/lonely/worried/confused/comfortable/uncomfortable/overwhelmed/stressed/unwell
    in pain/distress/crisis/good_shape/good_spirits/good_standing
    good/bad/right/wrong/perfect/ideal fit/candidate/match
    good/bad/close/poor/strong/difficult relationship/relationships/rapport/communication/experience
    valuable/valued/promising <patient>
    doing/feeling/getting/coping well/better/worse/badly/poorly
    mood/attitude/personality/tone_of_voice/potential/quality_of_life/quality_of_care/impression/gut_feeling
    improves/improving/improved/making_progress/progressing/deteriorates/deteriorating/deteriorated
    hard/easy to reach/please/work_with/deal_with
""")
_SPEAKS = r"(?:within|in the (?:last|past|next|coming)|(?:for|over|during) (?:the )?(?:last|past|next))"
_NEXT = r"(?=\s*(?:$|[,.;:)]|ago\b|or\b|and\b|is\b|are\b|the\b|gets?\b))"
BARE = re.compile(
    rf"\b{_SPEAKS} (?:{NUMBER})(?![\w%]|[ -]?{SPAN}){_NEXT}|\b(?:{NUMBER}) ago\b"
    rf"|\bafter (?:{NUMBER})(?= without\b| of no\b|$|[,.;])"
    rf"|\b(?:age[ds]?|old(?:er)?) (?:than )?(?:{NUMBER}) (?:or )?ago\b"
)
_THAN = (
    "(?:over|above|below|under|more than|less than|at least|at most|exceeds?|higher than"
    "|lower than|up to|reaches)"
)
MONEY = re.compile(
    rf"\b(?:balances?|amounts?|owes?|debt|invoices?|price|credit|payments?|due)\b[^,.;:\0]{{0,25}}?\b{_THAN} "
    r"(?:the )?(?P<number>(?:\d[\d,.]*\d|\d)(?![\w%]))(?! ?(?:\$|€|%|percent|dollars?|usd|eur|cents?"
    "|euros?|days?|weeks?"
    r"|months?|years?|invoices?|payments?|times|visits?|of (?:them|those)|appointments?|hours?|minutes?))"
)  # fmt: skip
_SAID = re.compile(r"\b(?:told us|asked|said|stated|declared)(?: that)?\s*$")
_ASKS = re.compile(
    r"\b(?:if|when|whenever|unless|who|whose|whom|without|except|only)\b|\bwith (?:a|an|the|no|at|more"
    r"|open)\b"
)
_REASON = re.compile(rf"\breason:? (?:is )?{Q}")
_BACK = re.compile(
    r"\b(?:that|this|it|its|one|those|they|them|these|such|same|otherwise|else|none|there|name|id|known"
    r"|row)\b"
)


def unmeasurable(subject: Subject) -> Iterator[Finding]:
    """What each sentence asks that cannot be read off. A question of judgement is asked of somebody else."""
    for reading in subject.readings:
        if not reading.judgement:
            yield from _of(subject, reading)


def _of(subject: Subject, reading: Reading) -> Iterator[Finding]:
    told = False
    for found in MIND.finditer(reading.plain):
        if not reading.is_name(*found.span()) and not _is_read(subject, reading, found):
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


def _is_read(subject: Subject, reading: Reading, found: re.Match[str]) -> bool:
    """Whether a field or a constant of this sentence is called so, or people said it themselves."""
    paths, words = subject.manifest.root.get(reading.number, ()), found[0]
    granted = (one.grant.constants for one in subject.spoken_of(reading))
    constants = {str(constant).lower() for constants in granted for constant in constants}
    return (
        words in constants
        or any(words.replace(" ", "_") in path for path in paths)
        or _SAID.search(reading.plain[: found.start()]) is not None
    )


def _asks_what_is_not_read(subject: Subject, reading: Reading) -> bool:
    if subject.manifest.root.get(reading.number) or not _ASKS.search(reading.plain):
        return False
    if _BACK.search(reading.plain) or re.search(Q, _REASON.sub("", reading.plain)):
        return False
    return not any(speaks_of(reading.lower, of_path(path)) for path in subject.manifest.paths)
