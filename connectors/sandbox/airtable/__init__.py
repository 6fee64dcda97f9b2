"""A stand-in for Airtable: one base over HTTP, with its types, its limits and its refusals. Loopback only.

with AirtableStandIn() as stand_in:
    airtable = Airtable(AirtableCredentials(url=stand_in.url, token=TOKEN, base=stand_in.base.id), tables)
"""

from connectors.sandbox.airtable.base import Base
from connectors.sandbox.airtable.rules import Rules
from connectors.sandbox.airtable.server import TOKEN, AirtableStandIn

__all__ = ["TOKEN", "AirtableStandIn", "Base", "Rules"]
