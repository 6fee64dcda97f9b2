"""Forbidden: session notes, which nobody reads here, and data of a kind that the target was not approved for."""

import re
from collections.abc import Iterator

from agent import manifest
from agent.lint.subject import GRANTS_FILE, Argument, Finding, Kind, Subject
from agent.lint.words import Reading
from connectors.entry import Category

_BY = (
    r"(?:session|chart|charting|progress|visit|clinical|therapy|psychotherapy|treatment|provider|therapist|clinician|doctor"
    r"|dietitian|nurse|soap|case|encounter|counsell?ing|counsell?or|appointment|intake|process|medical)(?:'s|’s|s')?"
)
_NOTES = re.compile(
    rf"\b{_BY} (?:notes?|transcripts?|recordings?)\b|\bcharting\b|\btranscripts?\b"
    rf"|\bnotes? (?:of|from|about|in|on|after|to|for|taken (?:in|at|during|after)|written (?:in|at|during|after|by)) "
    rf"(?:the |their |his |her |last |latest |each |every |most recent |a |an )*{_BY}\b"
    r"|\bwhat (?:was|is|they|the (?:patient|client|therapist|provider)|he|she|came up|has been|is being)\b"
    r"[^,.;]{0,30}?\b(?:said|discussed|talked about|told|shared|reported|come up|spoke)\b|\bwhat came up in\b"
    r"|\b(?:chat |private |portal )?messages? (?:between|from the patient|of the patient|exchanged|in the chat)\b|\bchat messages?\b"
    r"|\b(?:form|intake|questionnaire) answers?\b|\banswers? (?:of|to|from|in|on) (?:the |their )?(?:intake )?(?:form|questionnaire)s?\b"
    r"|\b(?:session|visit) (?:summary|summaries|content|contents)\b|\bchief complaint\b|\bpresenting problem\b"
)
_CLINICAL = re.compile(
    r"\b(?:diagnos(?:is|es|ed|tic)|icd(?:-?10)?(?: codes?)?|medications?|prescriptions?|prescribed|allerg(?:y|ies|ic)"
    r"|lab (?:results?|values?|tests?)|symptoms?|treatment plans?|medical (?:history|conditions?)|vitals|vital signs"
    r"|blood (?:pressure|test|sugar)s?|bmi|pregnan(?:t|cy)|hiv|suicid(?:e|al)|substance (?:use|abuse)|phq-?9|gad-?7"
    r"|mental health|disorders?|depression|diabet(?:es|ic)|chronic(?:ally)? \w+|hemoglobin|a1c|immuni[sz]ations?)\b"
)
_SECRETS = re.compile(
    r"\b(?:ssn|social security(?: number)?|credit card(?: number)?s?|card numbers?|cvv|cvc|passwords?|bank account(?: number)?s?"
    r"|passport(?: number)?s?|driver'?s licen[cs]e(?: number)?)\b"
)
_DENIED_BEFORE = re.compile(
    r"\b(?:without|no|never (?:\w+ ){0,3}?|nothing (?:of|from|in)|not (?:the|any|\w+ the)|except|nor|neither|exclud\w+|leave out"
    r"|(?:do not|don't) (?:\w+ ){1,2}?)(?: ?(?:the|any|of|their|from|a))*[^,;.]{0,25}$"
)
_DENIED_AFTER = re.compile(
    r"^[^.;]{0,40}?\b(?:(?:is|are|stay|stays) (?:never|not|excluded|left out|out|kept out)|never|stays? out|excluded|not (?:read|"
    r"sent|part|written|copied|carried|included|used|asked))\b"
)
NOTES_TODO = "drop it: session notes, messages and answers of forms are never read"


def forbidden(subject: Subject) -> Iterator[Finding]:
    """What each sentence asks for that may not be read, or may not go where it would."""
    held = {category for kinds in subject.policy.categories.values() for category in kinds}
    for reading in subject.readings:
        yield from _texts(subject, reading, held)
    yield from _grants(subject)
    yield from _read(subject, held)


def _texts(subject: Subject, reading: Reading, held: set[Category]) -> Iterator[Finding]:
    for found in _affirmed(reading, _NOTES):
        yield subject.says(Kind.FORBIDDEN, reading, f'speaks of "{found}"', NOTES_TODO)
    for found in _affirmed(reading, _SECRETS):
        yield subject.says(
            Kind.FORBIDDEN, reading, f'speaks of "{found}"', "drop it: no target may hold that"
        )
    if Category.CLINICAL not in held:
        for found in _affirmed(reading, _CLINICAL):
            what = f'speaks of "{found}", and no target is approved for clinical data'
            yield subject.says(Kind.FORBIDDEN, reading, what, "drop it, or have the target approved for it")


def _affirmed(reading: Reading, pattern: re.Pattern[str]) -> Iterator[str]:
    """What a sentence says, unless it says that it is not wanted."""
    for found in pattern.finditer(reading.plain):
        statement = reading.statement(found.start())
        before = reading.plain[statement.start : found.start()]
        after = reading.plain[found.end() : statement.start + len(statement.text)]
        if not _DENIED_BEFORE.search(before) and not _DENIED_AFTER.search(after):
            yield reading.text[found.start() : found.end()]


def _grants(subject: Subject) -> Iterator[Finding]:
    """Values of a kind that their target may not hold, and constants that are chosen by such a field."""
    for one in subject.arguments:
        held = subject.policy.categories[one.target]
        for path in one.grant.sources:
            kind = _kind(subject, path)
            if kind is not None and kind not in held:
                what = (
                    f"{one.where} comes from {path}, which is {kind}, and {one.target} is not approved for it"
                )
                yield _at(one, subject, what)
        if one.grant.sources:
            continue
        for path, number in _chosen_by(subject, one):
            kind = _kind(subject, path)
            if kind is not None and kind not in held:
                what = (
                    f"{one.where} tells of {path}, which is {kind}, and {one.target} is not approved for it"
                )
                yield _at(one, subject, what, number)


def _chosen_by(subject: Subject, argument: Argument) -> Iterator[tuple[str, str]]:
    """The fields that a constant depends on, each with its sentence."""
    for number in argument.grant.because:
        for path in subject.manifest.root.get(number, ()):
            yield path, number


def _kind(subject: Subject, path: str) -> Category | None:
    return subject.fields[path].category if path in subject.fields else None


def _at(argument: Argument, subject: Subject, what: str, number: str = "") -> Finding:
    sentence = number or (argument.grant.because or subject.instructions.numbers)[0]
    place = (argument.operation, argument.name)
    return Finding(
        Kind.FORBIDDEN, sentence, what, "drop it, or have the target approved for it", GRANTS_FILE, 0, place
    )


def _read(subject: Subject, held: set[Category]) -> Iterator[Finding]:
    """Clinical data and free text that is read where no target may hold it."""
    for number, paths in subject.manifest.root.items():
        for at, path in enumerate(paths):
            kind = _kind(subject, path)
            if kind in (Category.CLINICAL, Category.FREE_TEXT) and kind not in held:
                what = f"{path} is {kind}, and no target is approved for it"
                todo = "remove it there, or have the target approved for it"
                yield Finding(Kind.FORBIDDEN, number, what, todo, manifest.FILE, 0, (number, at))
