"""Forbidden: session notes, which nobody reads here, and data that the target was not approved for."""

import re
from collections.abc import Iterator

from agent import manifest
from agent.lint.phrases import phrases
from agent.lint.subject import GRANTS_FILE, Argument, Finding, Kind, Subject
from agent.lint.words import Reading
from connectors.entry import Category

NOTES = phrases("""
    <by> note/notes/transcript/transcripts/recording/recordings
    charting/transcript/transcripts/chief_complaint/presenting_problem
    note/notes of/from/about/in/on/after/to/for <det>? last/latest/most_recent? <by>
    note/notes taken/written in/at/during/after/by <det>? last/latest/most_recent? <by>
    what was/is/they/he/she/the_patient/the_client/has_been <word>? said/discussed/told/shared/reported
    what the_therapist/the_provider/the_clinician/the_doctor <word>? said/discussed/told/reported/wrote/noted
    what <det>? <patient>/therapist/provider talked/spoke about
    what was talked/spoken about
    what came up in
    chat/private/portal message/messages
    message/messages between/from_the_patient/of_the_patient/exchanged
    form/intake/questionnaire answer/answers
    answer/answers of/to/from/in/on <det>? intake? form/forms/questionnaire/questionnaires
    session/visit summary/summaries/content/contents
""")
CLINICAL = phrases("""
    diagnos*/icd*/medication/medications/prescription/prescriptions/prescribed/allergy/allergies/allergic
    lab result/results/value/values/test/tests
    symptom/symptoms/vitals/vital_signs/bmi/pregnant/pregnancy/hiv/suicide/suicidal/disorder/disorders
    treatment plan/plans
    medical history/condition/conditions
    blood pressure/test/tests/sugar
    substance use/abuse
    phq-9/phq9/gad-7/gad7/mental_health/depression/diabetes/diabetic/hemoglobin/a1c/immuni*
    chronic/chronically <word>
""")
SECRETS = phrases("""
    ssn/social_security/cvv/cvc/password/passwords number?
    credit_card/debit_card/card/bank_account/passport/driver's_license number/numbers
    credit card/cards
""")
_DENIED_BEFORE = re.compile(
    r"\b(?:without|no|never (?:\w+ ){0,3}?|nothing (?:of|from|in)|not (?:the|any|\w+ the)|except|nor"
    r"|neither|exclud\w+|leave out"
    r"|(?:do not|don't) (?:\w+ ){1,2}?)(?: ?(?:the|any|of|their|from|a))*[^,;.]{0,25}$"
)
_DENIED_AFTER = re.compile(
    r"^[^.;]{0,40}?\b(?:(?:is|are|stay|stays) (?:never|not|excluded|left out|out|kept out)|never"
    "|stays? out|excluded|not (?:read|"
    r"sent|part|written|copied|carried|included|used|asked))\b"
)
NO_NOTES = "drop it: session notes, messages and answers of forms are never read"


def forbidden(subject: Subject) -> Iterator[Finding]:
    """What each sentence asks for that may not be read, or may not go where it would."""
    held = {category for kinds in subject.policy.categories.values() for category in kinds}
    for reading in subject.readings:
        yield from _texts(subject, reading, held)
    yield from _grants(subject)
    yield from _read(subject, held)


def _texts(subject: Subject, reading: Reading, held: set[Category]) -> Iterator[Finding]:
    for found in _affirmed(reading, NOTES):
        yield subject.says(Kind.FORBIDDEN, reading, f'speaks of "{found}"', NO_NOTES)
    for found in _affirmed(reading, SECRETS):
        yield subject.says(
            Kind.FORBIDDEN, reading, f'speaks of "{found}"', "drop it: no target may hold that"
        )
    if Category.CLINICAL not in held:
        for found in _affirmed(reading, CLINICAL):
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
