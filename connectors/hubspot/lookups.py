"""Lookups: what the portal has of the patient's contact, asked for before deciding."""

from collections.abc import Mapping

from pydantic import JsonValue

from connectors.entry import Category
from connectors.hubspot.contacts import Contacts
from connectors.hubspot.fields import catalogue
from connectors.operation import ArgumentModel, Arguments, Item, Lookup


class NoArguments(ArgumentModel):
    """The patient alone says which contact."""


def lookups(contacts: Contacts) -> Mapping[str, Lookup]:
    """The lookups by name."""
    plain = contacts.table.plain

    def get_contact(patient: str, _: Arguments) -> JsonValue:
        item = Item("asked", patient, dict.fromkeys(plain))
        held = contacts.present([item])["asked"]
        return None if held is None else dict(held)

    categories: dict[str, Category] = {name: catalogue()[name].category for name in plain}
    summary = "The patient's contact as HubSpot has it now, in the declared columns; null if there is none."
    of = contacts.table.write
    return {"get_contact": Lookup("get_contact", summary, NoArguments, get_contact, categories, of)}
