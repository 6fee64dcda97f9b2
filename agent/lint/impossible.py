"""Impossible: what the target, or Ferry, cannot do: no such column, value, type, act or row."""

import re
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from agent.lint.acts import Deed, acts
from agent.lint.phrases import phrases
from agent.lint.setting import setting
from agent.lint.subject import GRANTS_FILE, Argument, Finding, Kind, Subject
from agent.lint.words import Q, Quoted, Reading, Statement

_NAMED = re.compile(
    rf"\b(?:column|property|custom property|field) (?:named |called )?(?P<before>{Q}"
    "|[a-z][a-z0-9]*_[a-z0-9_]+)"
    rf"|(?P<after>{Q}) (?:column|property|field)\b|\b(?:table|rows? of|list) (?P<table>{Q})"
)
_SUBJECT = re.compile(
    rf"(?:^|\b(?:the|and|in|to|into) )(?P<name>{Q})(?= (?:is|are|gets?|becomes?|holds?|stays?|=|:)|:| ?="
    "|$|[,.])"
)
ACTS: Mapping[tuple[str, ...], re.Pattern[str]] = {
    ("delete", "remove"): phrases("""
        delete/deletes/deleted/remove/removes/removed/erase/erased/purge/purged/wipe/wiped <words>? <record>
        <record> is/are/gets/must_be/should_be then? deleted/removed/erased/purged
    """),
    ("send", "message", "notify", "mail"): phrases("""
        <sends> <words>? message/messages/sms/fax/letter/postcard/reminder/newsletter
        <sends> <words>? reminder_e-mail/reminder_email/voicemail/notification
        send/sends <words>? a/an e-mail/email
        e-mail/email/text/message/fax/notify <det> <patient>/provider/front_desk/staff/team
        alert/inform/remind/contact <det> <patient>/provider/front_desk/staff/team
    """),
    ("call",): phrases("""
        ^call/phone/ring <det>/them/<patient>
        then/please/we/must/should call/phone/ring <det>/them
        is/are called/phoned by/back/on/to_remind
    """),
    ("appointment",): phrases("""
        book/schedule/reschedule/cancel/confirm/books/cancels <det>/another <word>? <visit>
        <visit> is/are/gets then? rescheduled/booked/cancelled/canceled automatically/by_ferry
    """),
    ("charge", "refund", "invoice", "payment"): phrases("""
        charge/refund/bill/debit/charges/refunds/bills <det>? <patient>/card/account/credit_card/fee
        write/writes/written off
        waive/collect/waives/collects the balance/fee/amount
    """),
    ("upload", "attach", "document", "file"): phrases("""
        print/upload/attach/scan/download/prints <det> <word>? document/file/pdf/card/form/label/report
        print/upload/attach/scan/download/prints <det> <word>? letter/list/photo
        print/upload/attach/scan/download/prints documents/files/cards/forms/labels/reports/letters/lists
    """),
    ("task",): phrases("""
        create/open/add/assign/creates/opens/adds/assigns <det>? <word>? task/to-do/ticket/reminder
        task/ticket/to-do is created/opened/assigned
    """),
    ("tag",): phrases("""
        put/apply/add/set/attach/puts/applies/adds/sets the/a? tag
        tag is put/applied/added/set
        tag the <patient>
    """),
    ("merge",): phrases("""
        merge/combine/deduplicate/merges/combines <det>/both/two? duplicate? <record>/duplicates
    """),
}
"""By the words in the names of the operations that would do it."""
_NEVER = re.compile(
    r"\b(?:never|not|no|nobody|nothing|isn't|aren't|cannot|can't|without|don't|asked|wants?)\b[^,;:]{0,40}$"
)
_CONDITIONAL = re.compile(
    r"\b(?:if|when|who|whom|whose|once|after|that|which|should|somebody|someone)\b[^,;:]{0,60}$"
)
_ROWS = re.compile(
    r"\b(?:one|a|an?other|own) rows? (?:of \S+ )?(?:for|per) (?:each|every|all)? ?(?:of (?:the"
    "|their) )?(?P<what>[a-z-]+)"
)
_OWN_ROW = re.compile(
    r"\b(?:each|every) (?P<what>[a-z-]+)(?: of \w+ \w+)? (?:has|gets|is|becomes|makes) (?:its|his|her"
    r"|their|an?|one)(?: own| separate)? rows?\b"
)
_PATIENTS = frozenset(
    {"patient", "patients", "client", "clients", "person", "people", "active", "archived", "one", "member"}
)


def impossible(subject: Subject) -> Iterator[Finding]:
    """What each sentence asks for that cannot be done."""
    for reading in subject.readings:
        yield from _names(subject, reading)
        yield from _acts_not_offered(subject, reading)
        yield from _rows(subject, reading)
        for statement in reading.statements:
            yield from _constants(subject, reading, statement)
        yield from _emptied_keys(subject, reading)
    yield from _grants(subject)


def _names(subject: Subject, reading: Reading) -> Iterator[Finding]:
    """Columns and tables that no target has."""
    columns = {one.name.lower() for one in subject.arguments} | {
        path.lower() for path in subject.manifest.paths
    }
    columns |= {name for path in subject.manifest.paths for name in path.lower().split(".")}
    tables = {name.split("_upsert_", 1)[1] for name in subject.policy.operations if "_upsert_" in name}
    known = columns | tables | {one.target for one in subject.arguments} | set(subject.policy.operations)
    for found in (*_NAMED.finditer(reading.plain), *_SUBJECT.finditer(reading.plain)):
        name, quoted = _name(reading, found)
        if not name or name in known or name.rpartition(".")[2] in known or name in _constants_of(subject):
            continue
        if quoted and not quoted.code and found.re is _SUBJECT:
            continue  # a constant, or what something is called
        there = ", ".join(
            sorted(tables if found.groupdict().get("table") else columns - set(subject.manifest.paths))
        )
        yield subject.says(Kind.IMPOSSIBLE, reading, f"{name} is not there", f"there are: {there or 'none'}")


def _name(reading: Reading, found: re.Match[str]) -> tuple[str, Quoted | None]:
    group = next(name for name, value in found.groupdict().items() if value)
    quoted = next((one for one in reading.quoted if one.start == found.start(group)), None)
    if quoted is None:
        return found[group], None
    words = "reason" in reading.plain[max(0, found.start() - 25) : found.start()]
    return ("" if words else quoted.value.lower().strip()), quoted


def _constants_of(subject: Subject) -> set[str]:
    return {str(constant).lower() for one in subject.arguments for constant in one.grant.constants}


def _acts_not_offered(subject: Subject, reading: Reading) -> Iterator[Finding]:
    """Acts that no granted operation is for."""
    for names, pattern in ACTS.items():
        if any(name in operation for operation in subject.policy.operations for name in names):
            continue
        for found in pattern.finditer(reading.plain):
            before = reading.plain[reading.statement(found.start()).start : found.start()]
            if _NEVER.search(before) or _CONDITIONAL.search(before) or re.search(r"\bnot\b", found[0]):
                continue
            what = f'"{reading.text[found.start() : found.end()].strip(" ,:")}" is nothing that was granted'
            yield subject.says(
                Kind.IMPOSSIBLE, reading, what, f"there are: {', '.join(subject.policy.operations)}"
            )
            break


def _rows(subject: Subject, reading: Reading) -> Iterator[Finding]:
    """More rows of a patient than the table can hold."""
    for found in (*_ROWS.finditer(reading.plain), *_OWN_ROW.finditer(reading.plain)):
        what = found["what"]
        if what in _PATIENTS or any(one.required or _many(subject, one) for one in subject.arguments):
            continue
        said = f"asks for a row for each {what}, and the table has one for each patient"
        yield subject.says(Kind.IMPOSSIBLE, reading, said, "make a column part of the key, and raise at_most")


def _many(subject: Subject, argument: Argument) -> bool:
    return subject.policy.operations[argument.operation].at_most > 1


def _constants(subject: Subject, reading: Reading, statement: Statement) -> Iterator[Finding]:
    """Constants that a column may not, or cannot, get."""
    for quoted, argument in setting(reading, statement, subject.spoken_of(reading)):
        if quoted.value in argument.grant.constants:
            continue
        if not argument.takes(quoted.value):
            what = f'{argument.name} cannot be "{quoted.value}": it is of another type'
            yield subject.says(Kind.IMPOSSIBLE, reading, what, "write what the column can hold")
        elif not argument.grant.computed:
            there = ", ".join(str(one) for one in argument.grant.constants) or "none"
            what = f'"{quoted.value}" is no value that {argument.name} may get'
            yield subject.says(Kind.IMPOSSIBLE, reading, what, f"its constants are: {there}")


def _emptied_keys(subject: Subject, reading: Reading) -> Iterator[Finding]:
    required = {one.where: one.name for one in subject.arguments if one.required}
    for act in acts(subject, reading):
        for where in sorted(act.columns & required.keys()) if act.deed is Deed.EMPTY else ():
            what = f"{required[where]} cannot be empty: it is part of the key"
            yield subject.says(Kind.IMPOSSIBLE, reading, what, "say what becomes of the row instead")


def _grants(subject: Subject) -> Iterator[Finding]:
    """Grants that cannot be used: a constant or a field of another type than the column's."""
    for one in subject.arguments:
        sentence = (one.grant.because or subject.instructions.numbers)[0]
        place = (one.operation, one.name)
        for constant in one.grant.constants:
            if constant is not None and not one.takes(constant):
                what = f"{one.where} cannot be {constant!r}: it is of another type"
                yield Finding(
                    Kind.IMPOSSIBLE, sentence, what, "correct the constant or the type", GRANTS_FILE, 0, place
                )
        for path in () if one.grant.transforms or one.grant.computed else one.grant.sources:
            if path in subject.fields and not _fits(subject.fields[path].type, one):
                what = f"{one.where} cannot hold {path}, which is {subject.fields[path].type}"
                todo = "grant a transform, or computed: true, or correct the type"
                yield Finding(Kind.IMPOSSIBLE, sentence, what, todo, GRANTS_FILE, 0, place)


_SAMPLES: Mapping[str, JsonValue] = {
    "str": "Ana",
    "int": 7,
    "bool": True,
    "date": "2026-01-31",
    "datetime": "2026-01-31T09:30:00Z",
    "float": 7.5,
}


def _fits(type_: str, argument: Argument) -> bool:
    """Whether an ordinary value of the type can be held. A text may have any form that is asked for."""
    sample = _SAMPLES.get(type_)
    if sample is None or argument.takes(sample):
        return True
    return type_ == "str" and any(argument.takes(other) for other in ("12", "AZ", "2026-01-31T09:30:00Z"))
