"""Adoption: a contact that a person made becomes the patient's, by exact e-mail and only without doubt.

HubSpot lets one contact have an e-mail. So a patient who is new there and whose e-mail is taken is the
person of that contact, or shares the e-mail with that person: a family. Who is meant is a person's to say,
but in the one case in which nothing speaks against it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
AT_ONCE: Final = 30  # e-mails in one search: its body may have 3,000 characters

CONFLICT: Final = "conflict"  # a unique value is another record's, and it is not an e-mail
TAKEN: Final = "email_taken"  # the e-mail is another patient's contact's
SHARED: Final = "email_shared"  # several patients have this e-mail: a family's
SEVERAL: Final = "several_candidates"  # several contacts have this e-mail
OTHER_NAME: Final = "other_first_name"  # the contact with this e-mail is of somebody with another first name
UNFOUND: Final = "candidate_not_found"  # HubSpot says that it is taken, and shows no contact with it


@dataclass(frozen=True, slots=True)
class Match:
    """Either the contact to be adopted, or why a person must look."""

    contact: str = ""
    code: str = ""


def email_of(record: Record) -> str:
    return str(record.values.get(EMAIL) or "")


def shared(records: Sequence[Record]) -> frozenset[str]:
    """The e-mails that several of these records claim."""
    counted = Counter(email_of(record) for record in records)
    return frozenset(email for email, times in counted.items() if email and times > 1)


def matches(client: Client, key: str, records: Sequence[Record]) -> list[Match]:
    """For records that were refused as conflicts: which contacts may be adopted."""
    names = (key, EMAIL, MORE_EMAILS, FIRST_NAME)
    keys = [str(record.key[-1]) for record in records]
    own = {one.properties.get(key) for one in by_id(client, "contacts", keys, names, by=key)}
    emails = sorted({email for record in records if (email := email_of(record))})
    candidates = _candidates(client, emails, names) if emails else []
    return [
        Match(code=TAKEN if email_of(record) else CONFLICT)
        if record.key[-1] in own
        else _match(record, key, candidates)
        for record in records
    ]


def _candidates(client: Client, emails: Sequence[str], names: Sequence[str]) -> list[Stored]:
    """Every contact with one of these e-mails: the one that is found by it, and what a search shows."""
    found = {one.id: one for one in by_id(client, "contacts", emails, names, by=EMAIL)}
    for at in range(0, len(emails), AT_ONCE):
        wanted: list[JsonValue] = list(emails[at : at + AT_ONCE])
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


def _match(record: Record, key: str, candidates: Sequence[Stored]) -> Match:
    email = email_of(record)
    if not email:
        return Match(code=CONFLICT)
    having = [one for one in candidates if email in _emails(one.properties)]
    if not having:
        return Match(code=UNFOUND)
    if len(having) > 1:
        return Match(code=SEVERAL)
    held = having[0].properties
    if held.get(key) or held.get(EMAIL) != email:
        return Match(code=TAKEN)
    if not _same_name(held.get(FIRST_NAME), record.values.get(FIRST_NAME)):
        return Match(code=OTHER_NAME)
    return Match(contact=having[0].id)


def _emails(properties: Mapping[str, str | None]) -> list[str]:
    return [properties.get(EMAIL) or "", *(properties.get(MORE_EMAILS) or "").split(";")]


def _same_name(held: str | None, given: object) -> bool:
    """Could both be one person's? Without one of them, yes; and where one begins with the other."""
    ours, theirs = str(given or "").casefold().split(), (held or "").casefold().split()
    if not ours or not theirs:
        return True
    return ours[0].startswith(theirs[0]) or theirs[0].startswith(ours[0])
