"""Companies: a payer, an employer, a clinic, each with the patient's contact in it.

A company is many patients': it is named by a key of its own, and the patient's column is no property of it
but says whose contact belongs to it.
"""

from collections.abc import Sequence

from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.hubspot.client import Client
from connectors.hubspot.contacts import Contacts
from connectors.hubspot.options import HubSpotOptions
from connectors.hubspot.records import Records
from connectors.hubspot.sending import Sent, Verdict, lost_by
from connectors.hubspot.wire import Links
from connectors.operation import Item, Need, Outcome
from connectors.tabular import Key, Record, Table, Version


class Companies(Records):
    """Upserts companies, and puts the patients' contacts into them. A contact is never taken out of one."""

    def __init__(self, client: Client, table: Table, options: HubSpotOptions, contacts: Contacts) -> None:
        super().__init__(client, table, options)
        self._contacts = contacts
        self._patient = table.key.index(table.patient)
        self._own = table.key.index(self.key)

    def deliver(self, records: Sequence[Record]) -> list[Outcome]:
        """Nobody's company is made without the patient's contact. Each company is written once."""
        there = self._contacts.ids([self._patient_of(record.key) for record in records])
        refused = [
            outcome
            for record in records
            if (patient := self._patient_of(record.key)) not in there
            for outcome in self._contacts.lacking(patient, record.items)
        ]
        rest = [record for record in records if self._patient_of(record.key) in there]
        if not rest:
            return refused
        outcomes = super().deliver(_by_company(rest, self._own))
        return refused + self._linked(rest, there, {outcome.key: outcome for outcome in outcomes})

    def rules(self, items: Sequence[Item]) -> list[Need]:
        return self._contacts.needs(items)

    def _linked(
        self, records: Sequence[Record], contacts: dict[str, str], written: dict[str, Outcome]
    ) -> list[Outcome]:
        """The outcomes, after the contacts are in the companies that were written."""
        pairs: dict[tuple[str, str], list[str]] = {}
        for record in records:
            for item in record.items:
                company = written[item].reference
                if written[item].state == "done" and company is not None:
                    pairs.setdefault((contacts[self._patient_of(record.key)], company), []).append(item)
        if pairs:
            made = self._link(list(pairs))
            for pair, verdict in made.items():
                for item in pairs[pair]:
                    written[item] = Outcome(item, verdict.state, verdict.code, pair[1])
        return list(written.values())

    def _link(self, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Verdict]:
        inputs: list[JsonValue] = [{"from": {"id": one}, "to": {"id": other}} for one, other in pairs]
        try:
            answer = self.client.write(
                self.client.sdk.associations.create_default,
                Links,
                "contacts",
                "companies",
                {"inputs": inputs},
            )
        except (Rejected, Transient, Unknown, Unauthorized) as trouble:  # the companies are written
            return dict.fromkeys(pairs, lost_by(trouble))
        told = {(one.from_.id, one.to.id) for one in answer.results}
        return {
            pair: Verdict("done") if pair in told else Verdict("unknown", "not_associated") for pair in pairs
        }

    def _patient_of(self, key: Key) -> str:
        return str(key[self._patient])

    def upsert(self, records: Sequence[Record]) -> Sent:
        sent = super().upsert(records)
        return {
            at: Verdict(verdict.state, "company_taken") if verdict.code == "conflict" else verdict
            for at, verdict in sent.items()
        }


def _by_company(records: Sequence[Record], own: int) -> list[Record]:
    """One record for each company, with the versions of all patients that it is written for."""
    versions: dict[str | int, list[Version]] = {}
    for record in records:
        versions.setdefault(record.key[own], []).extend(record.versions)
    return [Record((company,), tuple(each)) for company, each in versions.items()]
