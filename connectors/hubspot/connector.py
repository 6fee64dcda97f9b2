"""HubSpot: a target for contacts, companies and lists, and a source of contacts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from connectors.base import Account
from connectors.changes import Feed
from connectors.entry import Category, EntryField, Reading
from connectors.holding import BAA, Condition, Holding
from connectors.hubspot import history, reading
from connectors.hubspot.account import account, portal_of
from connectors.hubspot.client import Client
from connectors.hubspot.companies import Companies
from connectors.hubspot.contacts import Contacts
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.feeds import feeds
from connectors.hubspot.fields import catalogue
from connectors.hubspot.lists import Lists
from connectors.hubspot.lookups import lookups
from connectors.hubspot.options import HubSpotOptions, check_options, object_type
from connectors.hubspot.records import BATCH, Records
from connectors.hubspot.schema import live
from connectors.hubspot.wire import Property
from connectors.operation import Asks, Delivery, Lookup, Write
from connectors.source import Source
from connectors.tabular import Column, Drift, Table

SENSITIVE_DATA = Condition(
    "sensitive_data",
    "the portal is an Enterprise one with sensitive data switched on, and what is health data is declared "
    "in the target's `sensitivity`",
)


NO_CONTACTS = Table(
    name="contacts", key=("healthie_id",), patient="healthie_id", columns={"healthie_id": Column(type="str")}
)


class HubSpot(Source):
    """One portal. Read-only, nothing but reads leaves; an entry is a contact, named by HubSpot's id."""

    name: ClassVar[str] = "hubspot"
    holds: ClassVar[Holding] = Holding(
        conditions=(BAA, SENSITIVE_DATA),
        forbidden={Category.FREE_TEXT: "HubSpot's agreement leaves free text out"},
    )

    def __init__(
        self,
        credentials: HubSpotCredentials,
        tables: Sequence[Table] = (),
        options: HubSpotOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        options = options or HubSpotOptions()
        check_options(tables, options)
        self._credentials = credentials
        self._client = Client(credentials, read_only=read_only)
        self._properties: Mapping[str, Property] = {}
        self._contacts = _contacts(self._client, tables, options)
        self._tables = [
            self._contacts
            if table.name == self._contacts.table.name
            else Companies(self._client, table, options, self._contacts)
            for table in tables
        ]
        self._written = () if read_only else tuple(table.kind for table in self._tables)
        self._lists = Lists(self._client, self._contacts)

    def check(self, paths: Collection[str] | None = None) -> Account:
        """Which portal is reached, and which scopes the token lacks. Raises Unauthorized or Transient."""
        return account(self._client, self._credentials, self._written, paths or ())

    def is_same(self, one: Account, other: Account) -> bool:
        """Whether both are one portal: HubSpot has several hosts for each."""
        return portal_of(one) == portal_of(other)

    def fields(self) -> Mapping[str, EntryField]:
        """The properties that a contact may have."""
        return catalogue()

    def read(self, patients: Sequence[str], paths: Collection[str]) -> Iterator[Reading]:
        """One reading for each distinct contact, with exactly these properties, in no promised order."""
        return reading.read(self._client, patients, paths, self._known(paths))

    def edited(self, patients: Sequence[str], paths: Collection[str]) -> Mapping[str, Mapping[str, datetime]]:
        """When each of these properties was edited last, by contact."""
        return history.edited(self._client, patients, paths)

    def _known(self, paths: Collection[str]) -> Mapping[str, Property]:
        """The portal's properties, read once a run; once more where one of these is not among them."""
        if not self._properties.keys() >= set(paths):
            self._properties = live(self._client, "contacts", paths)
        return self._properties

    def feeds(self, paths: Collection[str]) -> Sequence[Feed]:
        """The listings that show changes: of contacts, and of those that were archived."""
        return feeds(self._client)

    def everyone(self) -> Iterator[tuple[str, ...]]:
        """The ids of all contacts that are not archived. Raises Transient for an incomplete listing."""
        return reading.everyone(self._client)

    def writes(self) -> Mapping[str, Write]:
        """One write for each table, and two for static lists: {"upsert_contacts": …, "add_to_list": …}."""
        tables = [_write(records) for records in self._tables]
        return {write.name: write for write in (*tables, *self._lists.writes())}

    def lookups(self) -> Mapping[str, Lookup]:
        """What the portal has of the patient's contact, in the declared columns."""
        return lookups(self._contacts)

    def prepare(self) -> None:
        """Make the properties that are not there. The first write does it, too."""
        for records in self._tables:
            records.make()

    def drift(self) -> list[Drift]:
        """How the portal's properties differ from what was declared. Changes nothing."""
        return [drift for records in self._tables for drift in records.look().drift]

    @property
    def clock(self) -> datetime | None:
        """HubSpot's own clock at its last answer (UTC)."""
        return self._client.clock

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._client.requests

    def close(self) -> None:
        self._client.close()


def _contacts(client: Client, tables: Sequence[Table], options: HubSpotOptions) -> Contacts:
    """The one table of contacts; without one, contacts are found by the usual property and never written."""
    found = [table for table in tables if object_type(table, options) == "contacts"]
    if len(found) > 1:
        raise ValueError("only one table may be contacts")
    return Contacts(client, found[0] if found else NO_CONTACTS, options)


def _write(records: Records) -> Write:
    table = records.table
    what = "contact" if records.kind == "contacts" else "company, with the contact in it,"
    return Write(
        name=table.write,
        summary=table.summary
        or f"Make the patient's {what} in HubSpot, or update its given properties. Idempotent.",
        arguments=records.rows.arguments,
        delivery=Delivery.UPSERT,
        send=records.send,
        record=records.rows.record,
        batch=BATCH,
        present=records.present,
        refuses=records.refuses,
        rules=records.rules,
        shows=True,
        look=records.seek if isinstance(records, Contacts) else None,
        free_text=table.free_text,
        presents=Asks(first=1),
        sends=Asks(1 if records.kind == "contacts" else 3),  # a company: its contact, itself, their link
    )
