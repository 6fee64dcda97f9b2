"""HubSpot: a target for contacts, companies and lists, and a source of contacts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from connectors.base import Account
from connectors.changes import Feed
from connectors.entry import EntryField, Reading
from connectors.hubspot import reading
from connectors.hubspot.account import account
from connectors.hubspot.client import Client
from connectors.hubspot.contacts import Contacts
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.feeds import feeds
from connectors.hubspot.fields import catalogue
from connectors.hubspot.options import HubSpotOptions, check_options, object_type
from connectors.hubspot.records import BATCH, Records
from connectors.hubspot.schema import live
from connectors.operation import Delivery, Write
from connectors.source import Source
from connectors.tabular import Drift, Table


class HubSpot(Source):
    """One portal. Read-only, nothing but reads leaves; an entry is a contact, named by HubSpot's id."""

    name: ClassVar[str] = "hubspot"

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
        self._tables = [_records(self._client, table, options) for table in tables]

    def check(self, paths: Collection[str] | None = None) -> Account:
        """Which portal is reached, and which scopes the token lacks. Raises Unauthorized or Transient."""
        return account(self._client, self._credentials, [table.kind for table in self._tables])

    def fields(self) -> Mapping[str, EntryField]:
        """The properties that a contact may have."""
        return catalogue()

    def read(self, patients: Sequence[str], paths: Collection[str]) -> Iterator[Reading]:
        """One reading for each distinct contact, with exactly these properties, in no promised order."""
        return reading.read(self._client, patients, paths, live(self._client, "contacts", paths))

    def feeds(self, paths: Collection[str]) -> Sequence[Feed]:
        """The listings that show changes: of contacts, and of those that were archived."""
        return feeds(self._client)

    def everyone(self) -> Iterator[tuple[str, ...]]:
        """The ids of all contacts that are not archived. Raises Transient for an incomplete listing."""
        return reading.everyone(self._client)

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_contacts": …}."""
        return {records.table.write: _write(records) for records in self._tables}

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


def _records(client: Client, table: Table, options: HubSpotOptions) -> Records:
    kind = Contacts if object_type(table, options) == "contacts" else Records
    return kind(client, table, options)


def _write(records: Records) -> Write:
    table = records.table
    what = "contact" if records.kind == "contacts" else "company"
    return Write(
        name=table.write,
        summary=table.summary
        or f"Make the patient's {what} in HubSpot, or update the given properties of it. Idempotent.",
        arguments=records.rows.arguments,
        delivery=Delivery.UPSERT,
        send=records.send,
        record=records.rows.record,
        batch=BATCH,
        present=records.present,
        free_text=table.free_text,
    )
