"""Static lists: a patient's contact goes into one, or out of it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Final

from pydantic import Field, ValidationError

from connectors.errors import Rejected, Transient, Unauthorized, Unknown
from connectors.hubspot.client import Client
from connectors.hubspot.contacts import NO_CONTACT, Contacts
from connectors.hubspot.sending import lost_by
from connectors.hubspot.wire import Listed, Members, Memberships
from connectors.operation import ArgumentModel, Arguments, Asks, Delivery, Item, Need, Outcome, Write
from connectors.values import code_of

CONTACT: Final = "0-1"  # HubSpot's number for the type of contacts
BATCH: Final = 100
STATIC: Final = ("MANUAL", "SNAPSHOT")


class ListMember(ArgumentModel):
    """Which list, by HubSpot's number of it."""

    list_id: Annotated[str, Field(pattern=r"^\d{1,19}$", description="the list's number in HubSpot")]


class Lists:
    """Membership in static lists. What is there stays there: both writes may be repeated."""

    def __init__(self, client: Client, contacts: Contacts) -> None:
        self._client = client
        self._contacts = contacts
        self._objections: dict[str, str] = {}  # by list, as it was seen first

    def writes(self) -> Iterable[Write]:
        yield self._write(
            "add_to_list", "Put the patient's contact into a static list of HubSpot. Idempotent."
        )
        yield self._write("remove_from_list", "Take the patient's contact out of a static list. Idempotent.")

    def _write(self, name: str, summary: str) -> Write:
        adds = name == "add_to_list"
        return Write(
            name=name,
            summary=summary,
            arguments=ListMember,
            delivery=Delivery.UPSERT,
            send=partial(self._send, adds),
            record=lambda patient, arguments: f"list:{arguments.get('list_id')}:{patient}",
            batch=BATCH,
            present=partial(self._present, adds),
            rules=partial(self._rules, adds),
            presents=Asks(items=1),
            sends=Asks(2),
            opposite="remove_from_list" if adds else "add_to_list",
        )

    def _send(self, adds: bool, items: Sequence[Item]) -> list[Outcome]:  # bound by name
        outcomes: list[Outcome] = []
        wanted: dict[str, list[Item]] = {}
        for item in items:
            try:
                wanted.setdefault(ListMember.model_validate(dict(item.arguments)).list_id, []).append(item)
            except ValidationError as error:
                outcomes.append(Outcome(item.key, "rejected", code_of(error)))
        ids = self._contacts.ids([item.patient for each in wanted.values() for item in each])
        changed = False
        for list_id, each in wanted.items():
            try:
                outcomes += self._change(adds, list_id, each, ids)
                changed = True
            except (Transient, Unknown, Unauthorized) as trouble:
                if not changed:
                    raise
                lost = lost_by(trouble)
                outcomes += [Outcome(item.key, lost.state, lost.code) for item in each]
        return outcomes

    def _change(
        self,
        adds: bool,
        list_id: str,
        items: Sequence[Item],
        ids: Mapping[str, str],
    ) -> list[Outcome]:
        absent = [item for item in items if item.patient not in ids]
        there = [item for item in items if item.patient in ids]
        outcomes = [one for item in absent for one in self._contacts.lacking(item.patient, [item.key])]
        if not adds:  # out of a list is who has no contact
            outcomes = [one if one.state == "unknown" else Outcome(one.key, "done") for one in outcomes]
        if not there:
            return outcomes
        members = list(dict.fromkeys(ids[item.patient] for item in there))
        act = self._client.sdk.memberships.add if adds else self._client.sdk.memberships.remove
        try:
            answer = self._client.write(act, Members, list_id, members)
        except Rejected as refused:
            return outcomes + [Outcome(item.key, "rejected", refused.code) for item in there]
        missing = set(answer.record_ids_missing) if adds else set[str]()
        return outcomes + [
            Outcome(item.key, "rejected", NO_CONTACT)
            if ids[item.patient] in missing
            else Outcome(item.key, "done", "", ids[item.patient])
            for item in there
        ]

    def _present(self, adds: bool, items: Sequence[Item]) -> dict[str, Arguments | None]:  # bound by name
        """The list itself for those of whom it is so already, None for the others. One read for each contact.

        So is who is in it, or, of the write that takes out, who is not.
        """
        ids = self._contacts.ids([item.patient for item in items])
        lists = {contact: self._lists_of(contact) for contact in set(ids.values())}
        return {
            item.key: dict(item.arguments)
            if (item.arguments.get("list_id") in lists.get(ids.get(item.patient, ""), frozenset())) == adds
            else None
            for item in items
        }

    def _rules(self, adds: bool, items: Sequence[Item]) -> list[Need]:  # bound by name
        """A contact, and a static list. Nobody is taken out who has no contact, whatever the list."""
        contacts, told = {need.key: need for need in self._contacts.needs(items)}, list[Need]()
        for item in items:
            contact, code = contacts[item.key], self._objection(str(item.arguments.get("list_id")))
            told += [contact] if adds else []
            if code and (adds or contact.there):
                told.append(Need(item.key, "", "", code, there=False))
        return told

    def _objection(self, list_id: str) -> str:
        """The code with which HubSpot refuses other members of this list; "" if it is a static one."""
        if list_id not in self._objections:
            try:
                found = self._client.read(self._client.sdk.lists.get_by_id, Listed, list_id)
                code = "" if found.head.processing_type in STATIC else "invalid_value"
            except Rejected as refused:
                code = refused.code
            self._objections[list_id] = code
        return self._objections[list_id]

    def _lists_of(self, contact: str) -> frozenset[str]:
        found = self._client.read(self._client.sdk.memberships.get_lists, Memberships, CONTACT, contact)
        return frozenset(one.list_id for one in found.results)
