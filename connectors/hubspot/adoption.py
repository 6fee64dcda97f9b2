"""Adoption: a contact that a person made becomes the patient's, by exact e-mail and only without doubt.

HubSpot lets one contact have an e-mail. So a patient who is new there and whose e-mail is taken is the
person of that contact, or shares the e-mail with that person: a family. Who is meant is a person's to say,
but in the one case in which nothing speaks against it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from connectors.errors import Transient
from connectors.hubspot.client import Client
from connectors.hubspot.reading import by_id
from connectors.hubspot.wire import Listing, Stored
from connectors.tabular import Record

EMAIL: Final = "email"
FIRST_NAME: Final = "firstname"
MORE_EMAILS: Final = "hs_additional_emails"
ROOM: Final = 2_400  # characters of the e-mails of one search: its whole body may have 3,000
AT_ONCE: Final = 100  # values in one filter

INVALID: Final = "invalid_email"
CONFLICT: Final = "conflict"  # a unique value is another record's, and it is not an e-mail
TAKEN: Final = "email_taken"  # the e-mail is another patient's contact's
SHARED: Final = "email_shared"  # several patients have this e-mail: a family's
SEVERAL: Final = "several_candidates"  # several contacts have this e-mail
OTHER_NAME: Final = "other_first_name"  # the contact with this e-mail is of somebody with another first name
UNFOUND: Final = "candidate_not_found"  # HubSpot says that it is taken, and shows no contact with it
WAITS: Final = "adoption_waits"  # until everybody of the run was sent once: another one may claim the e-mail


@dataclass(frozen=True, slots=True)
class Match:
    """Either the contact to be adopted, or why a person must look.

    rival: who has the e-mail, if it is another patient, and the e-mail their contact's own.
    again: nothing is seen any more of what it was refused for, so that it is sent once more before.
    """

    contact: str = ""
    code: str = ""
    rival: str = ""
    again: bool = False


_PLAUSIBLE: Final = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


def email_of(record: Record) -> str:
    """The record's e-mail; "" for none, and for what is none: nobody is looked for by that."""
    email = str(record.values.get(EMAIL) or "")
    return email if _PLAUSIBLE.fullmatch(email) and len(email) < ROOM else ""


def is_none(record: Record) -> bool:
    """Has the record an e-mail that is none? HubSpot refuses it."""
    email = record.values.get(EMAIL)
    return isinstance(email, str) and bool(email) and not _PLAUSIBLE.fullmatch(email)


def shared(records: Sequence[Record]) -> frozenset[str]:
    """The e-mails that several of these records claim."""
    counted = Counter(email_of(record) for record in records)
    return frozenset(email for email, times in counted.items() if email and times > 1)


def matches(client: Client, key: str, records: Sequence[Record], *, keyed: bool = True) -> list[Match]:
    """For records that were refused as conflicts, or would be: which contacts may be adopted.

    keyed: the portal has the property that names a patient's contact; until it is made nobody has one.
    """
    names = (key, EMAIL, MORE_EMAILS, FIRST_NAME)
    keys = [str(record.key[-1]) for record in records] if keyed else []
    there = by_id(client, "contacts", keys, names, by=key) if keyed else ()
    own = {one.properties.get(key): one for one in there}
    emails = sorted({email for record in records if (email := email_of(record))})
    candidates = _candidates(client, emails, names) if emails else []
    return [_match(record, own.get(str(record.key[-1])), key, candidates) for record in records]


def _candidates(client: Client, emails: Sequence[str], names: Sequence[str]) -> list[Stored]:
    """Every contact with one of these e-mails: the one that is found by it, and what a search shows."""
    found = {one.id: one for one in by_id(client, "contacts", emails, names, by=EMAIL)}
    for part in _parts(emails):
        wanted: list[JsonValue] = list(part)
        body: dict[str, JsonValue] = {
            "filterGroups": [{"filters": [{"propertyName": EMAIL, "operator": "IN", "values": wanted}]}],
            "sorts": [],
            "properties": list(names),
            "limit": 200,
        }
        searched = client.read(client.sdk.search.do_search, Listing, "contacts", body)
        if (searched.total or 0) > len(searched.results):
            raise Transient("incomplete_listing", "hubspot: contacts: more rows than one search gives")
        for one in searched.results:
            found.setdefault(one.id, one)
    return list(found.values())


def _parts(emails: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    for email in emails:
        if part and (len(part) == AT_ONCE or sum(len(one) + 3 for one in (*part, email)) > ROOM):
            yield part
            part = []
        part.append(email)
    yield part


def _match(record: Record, own: Stored | None, key: str, candidates: Sequence[Stored]) -> Match:
    email = email_of(record)
    having = [one for one in candidates if email and email in _emails(one.properties)]
    if own is None and having:
        return _candidate(record, email, key, having)
    others = [one for one in having if own is not None and one.id != own.id]
    if others:
        return Match(code=TAKEN, rival=_rival(email, key, others))
    # nobody else has the e-mail: its holder had it a moment ago, or the patient's contact was made meanwhile
    return Match(code=CONFLICT if having or not email else UNFOUND, again=bool(email) or own is not None)


def _candidate(record: Record, email: str, key: str, having: Sequence[Stored]) -> Match:
    if len(having) > 1:
        return Match(code=SEVERAL)
    held = having[0].properties
    if held.get(key) == str(record.key[-1]):
        return Match(code=CONFLICT, again=True)
    if held.get(key) or held.get(EMAIL) != email:
        return Match(code=TAKEN, rival=_rival(email, key, having))
    if not _same_name(held.get(FIRST_NAME), record.values.get(FIRST_NAME)):
        return Match(code=OTHER_NAME)
    return Match(contact=having[0].id)


def _rival(email: str, key: str, having: Sequence[Stored]) -> str:
    """The one patient whose contact's own e-mail it is: it is free again when that changes."""
    held = having[0].properties
    return (held.get(key) or "") if len(having) == 1 and held.get(EMAIL) == email else ""


def _emails(properties: Mapping[str, str | None]) -> list[str]:
    return [properties.get(EMAIL) or "", *(properties.get(MORE_EMAILS) or "").split(";")]


def _same_name(held: str | None, given: object) -> bool:
    """Could both be one person's? Without one of them, yes; and where one begins with the other."""
    ours, theirs = str(given or "").casefold().split(), (held or "").casefold().split()
    if not ours or not theirs:
        return True
    return ours[0].startswith(theirs[0]) or theirs[0].startswith(ours[0])
