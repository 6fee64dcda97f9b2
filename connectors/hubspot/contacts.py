"""Contacts: a patient's, by the unique property that holds the patient's id."""

import threading
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.hubspot.adoption import (
    CONFLICT,
    EMAIL,
    INVALID,
    SHARED,
    TAKEN,
    WAITS,
    Match,
    email_of,
    is_none,
    matches,
    shared,
)
from connectors.hubspot.client import Client
from connectors.hubspot.options import HubSpotOptions
from connectors.hubspot.reading import by_id
from connectors.hubspot.records import Records
from connectors.hubspot.sending import Sent, Verdict, deliver, inputs, lost_by, verdicts
from connectors.hubspot.wire import Batch, Stored
from connectors.operation import Arguments, Claim, Item, Need, Outcome
from connectors.tabular import Key, Record, Table

UNANSWERED = Verdict("unknown", "no_result")
ADOPT = Verdict("unknown", "to_be_adopted")
NO_CONTACT = "no_contact"  # the patient has none: it must be written first
WAITING = Verdict("unknown", "contact_waits")  # until the contact is settled


class Contacts(Records):
    """Upserts contacts. An e-mail that another contact has is settled by adoption, or by a person."""

    def __init__(self, client: Client, table: Table, options: HubSpotOptions) -> None:
        super().__init__(client, table, options)
        self._adopts = options.adopt
        self._claims: dict[str, set[str]] = {}  # of contacts to be adopted: by e-mail, the patients
        self._open: set[str] = set()  # patients whose contact was sent, and is not settled
        self._claiming = threading.Lock()

    def send(self, items: Sequence[Item]) -> list[Outcome]:
        """As for every record; who is not settled is remembered: see `lacking`."""
        patient = {item.key: item.patient for item in items}
        with self._claiming:
            self._open.update(patient.values())
        outcomes = super().send(items)
        settled = {patient[one.key] for one in outcomes if one.state in ("done", "rejected")}
        with self._claiming:
            self._open -= settled
        return outcomes

    def lacking(self, patient: str, items: Sequence[str]) -> list[Outcome]:
        """What becomes of items that need the patient's contact, which is not there: it may still come."""
        with self._claiming:
            state = WAITING if patient in self._open else Verdict("rejected", NO_CONTACT)
        return [Outcome(item, state.state, state.code) for item in items]

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """Of patients who share an e-mail in one batch, only those whose contact has it already go on."""
        doubtful = shared(records)
        if not doubtful:
            return deliver(records, self.upsert)
        owners = self._owners([record for record in records if email_of(record) in doubtful])
        family = [
            record for record in records if email_of(record) in doubtful - owners.get(record.key[-1], set())
        ]
        self._claim(family)
        refused = [Outcome(item, "rejected", SHARED) for record in family for item in record.items]
        others = [record for record in records if record not in family]
        return refused + (deliver(others, self.upsert) if others else [])

    def upsert(self, records: Sequence[Record]) -> Sent:
        """One batch, and the adoptions that came of it."""
        try:
            sent = dict(super().upsert(records))
        except Rejected as refused:
            if len(records) > 1 or refused.code != CONFLICT:
                raise
            sent = {0: lost_by(refused)}
        taken = [at for at, verdict in sent.items() if verdict.code == CONFLICT]
        if taken:
            try:
                settled = self._adopt([records[at] for at in taken])
            except (Transient, Unknown, Unauthorized) as trouble:  # the others of the batch are settled
                settled = dict.fromkeys(range(len(taken)), lost_by(trouble))
            sent |= {taken[at]: verdict for at, verdict in settled.items()}
        return sent

    def present(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        """As for every record; of a contact that would be adopted, what the person has there."""
        held = super().present(items)
        new = [item for item in items if held[item.key] is None and item.arguments.get(EMAIL)]
        if new and self._adopts and self._seen().is_keyed:
            held |= self._before_adoption(new)
        return held

    def refuses(self, items: Sequence[Item]) -> list[Outcome]:
        """As for every record; and an e-mail that another one has, unless that contact would be adopted.

        Whether it is another patient's is said by `rules`: they may have a new one by now.
        """
        outcomes = super().refuses(items)
        known = {one.key for one in outcomes}
        asked = [item for item in items if item.key not in known]
        records, _ = self.rows.records(asked, lambda key, values: None)
        codes = {record.key: INVALID for record in records if is_none(record)}
        having = [record for record in records if email_of(record)]
        codes |= self._conflicts(having) if having else {}
        return outcomes + [
            Outcome(item, "rejected", codes[record.key])
            for record in records
            if record.key in codes
            for item in record.items
        ]

    def _conflicts(self, records: Sequence[Record]) -> dict[Key, str]:
        """Why the e-mail of some of these cannot be theirs."""
        keyed, doubtful = self._seen().is_keyed, shared(records)
        nobody: Mapping[str | int | None, set[str]] = {}
        owners = self._owners(records) if keyed and doubtful else nobody
        codes: dict[Key, str] = {}
        found = matches(self.client, self.key, records, keyed=keyed)
        for record, match in zip(records, found, strict=True):
            if email_of(record) in doubtful - owners.get(record.key[-1], set()):
                codes[record.key] = SHARED
            elif not match.again and not match.rival and (match.code or not self._adopts):
                codes[record.key] = match.code or TAKEN
        return codes

    def rules(self, items: Sequence[Item]) -> list[Claim]:
        """The e-mail of each, which no other patient's contact may have."""
        records, _ = self.rows.records(items, lambda key, values: None)
        emails = {record.key: email_of(record).lower() for record in records if EMAIL in record.values}
        sought = sorted({email for email in emails.values() if email})
        found: Sequence[Stored] = ()
        if sought and self._seen().is_keyed:
            found = by_id(self.client, self.kind, sought, (self.key, EMAIL), by=EMAIL)
        holders = {one.properties.get(EMAIL): one.properties.get(self.key) for one in found}
        return [
            Claim(item, EMAIL, email or None, TAKEN, self._row(holder) if holder else "")
            for record in records
            if (email := emails.get(record.key)) is not None
            for holder in (holders.get(email),)
            for item in record.items
        ]

    def needs(self, items: Sequence[Item]) -> list[Need]:
        """Each item's patient has to have a contact."""
        there = self.ids([item.patient for item in items])
        return [
            Need(item.key, self.table.write, self._row(item.patient), NO_CONTACT, item.patient in there)
            for item in items
        ]

    def _row(self, patient: str) -> str:
        """The patient's contact, as the write names it."""
        return self.rows.record(patient, {})

    def seek(self, items: Sequence[Item]) -> dict[str, str | None]:
        """HubSpot's ids of the items' contacts, of those patients who have one; None of the others."""
        there = self.ids([item.patient for item in items])
        return {item.key: there.get(item.patient) for item in items}

    def _before_adoption(self, items: Sequence[Item]) -> dict[str, Arguments | None]:
        records, _ = self.rows.records(items, lambda key, values: None)
        records = [record for record in records if email_of(record) not in shared(records)]
        emails = sorted({email for record in records if (email := email_of(record))})
        if not emails or not by_id(self.client, self.kind, emails, [EMAIL], by=EMAIL):
            return {}
        found = matches(self.client, self.key, records)
        contacts = {
            match.contact: record for record, match in zip(records, found, strict=True) if match.contact
        }
        known = self._seen().properties
        there = by_id(self.client, self.kind, list(contacts), list(known)) if contacts else ()
        for one in there:
            self.sure_to_show(one, known)
        asked = {item.key: item.arguments for item in items}
        return {
            item: self._values(one.properties, asked[item], set(known))
            for one in there
            for item in contacts[one.id].items
        }

    def _owners(self, records: Sequence[Record]) -> Mapping[str | int | None, set[str]]:
        """The e-mail that the contact of each of these patients has now."""
        keys = [str(record.key[-1]) for record in records]
        found = by_id(self.client, self.kind, keys, (self.key, EMAIL), by=self.key)
        return {one.properties.get(self.key): {one.properties.get(EMAIL) or ""} for one in found}

    def _adopt(self, records: Sequence[Record]) -> Sent:
        """By number: adopted, or why not. What a lost answer leaves open is unknown, and is sent again."""
        found = matches(self.client, self.key, records)
        met = self._claim(records)
        settled = {at: self._judged(records[at], match, at in met) for at, match in enumerate(found)}
        again = [at for at, match in enumerate(found) if match.again]
        settled |= self._once_more(records, again, {at: found[at].code for at in again})
        rest = [at for at, verdict in settled.items() if verdict is ADOPT]
        if rest:
            contacts = {records[at].key: found[at].contact for at in rest}
            taken_over = self._take_over([records[at] for at in rest], contacts)
            settled |= {at: taken_over.get(number, UNANSWERED) for number, at in enumerate(rest)}
        return settled

    def _claim(self, records: Sequence[Record]) -> set[int]:
        """Note whose e-mails these are. Gives the numbers of those who claimed theirs before."""
        met: set[int] = set()
        with self._claiming:
            for at, record in enumerate(records):
                if email := email_of(record):
                    claims = self._claims.setdefault(email, set())
                    if str(record.key[-1]) in claims:
                        met.add(at)
                    claims.add(str(record.key[-1]))
        return met

    def _judged(self, record: Record, match: Match, met: bool) -> Verdict:
        """Why it is not adopted now; or ADOPT: it came again, and nobody else claims the e-mail."""
        if match.code or not self._adopts:
            return Verdict("rejected", match.code or TAKEN)
        with self._claiming:
            claimed = len(self._claims[email_of(record)])
        if claimed > 1:
            return Verdict("rejected", SHARED)
        return ADOPT if met else Verdict("unknown", WAITS)

    def _once_more(self, records: Sequence[Record], again: Sequence[int], codes: Mapping[int, str]) -> Sent:
        """What becomes of those who were refused for what is not seen any more. By the numbers of all."""
        if not again:
            return {}
        try:
            sent: Sent = super().upsert([records[at] for at in again])
        except Rejected:  # as a whole: one of them still is
            return {}
        settled: dict[int, Verdict] = {}
        for number, verdict in sent.items():
            at = again[number]
            settled[at] = Verdict("rejected", codes[at]) if verdict.code == CONFLICT else verdict
        return settled

    def _take_over(self, records: Sequence[Record], contacts: Mapping[tuple[str | int, ...], str]) -> Sent:
        def named(record: Record) -> Mapping[str, JsonValue]:
            properties = {self.key: record.key[-1], **self.properties_of(record)}
            return {"id": contacts[record.key], "properties": properties}

        try:
            answer = self.client.write(
                self.client.sdk.batches.update, Batch, self.kind, inputs(records, named)
            )
        except Rejected as refused:
            if len(records) == 1:
                return {0: lost_by(refused)}
            return {at: self._take_over([one], contacts).get(0, UNANSWERED) for at, one in enumerate(records)}
        sent = self.seen(records, verdicts(answer, records, self.key, self.table))
        return {
            at: Verdict("done", "adopted", verdict.reference) if verdict.state == "done" else verdict
            for at, verdict in sent.items()
        }
