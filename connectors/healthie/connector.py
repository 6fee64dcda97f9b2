"""Healthie: the source of entries, and a target for what is written back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar, Final

from connectors.base import Account
from connectors.changes import Feed
from connectors.entry import EntryField, Reading
from connectors.healthie.account import account
from connectors.healthie.care_writes import LocationWrites, TagWrites, TaskWrites
from connectors.healthie.changes import everyone, feeds
from connectors.healthie.client import Client
from connectors.healthie.client_writes import ClientWrites
from connectors.healthie.credentials import HealthieCredentials
from connectors.healthie.fields import catalogue
from connectors.healthie.lookups import lookups
from connectors.healthie.reading import Reader
from connectors.holding import OWN, Holding
from connectors.operation import Asks, Lookup, Write
from connectors.source import Source

LOOKED_AT_FIRST: Final = frozenset(
    (
        *("set_metadata", "apply_tag", "remove_tag", "create_location", "update_location"),
        *("update_task", "complete_task"),
    )
)
"""Writes that read the record before they change it."""


class Healthie(Source):
    """One practice's Healthie. Read-only, nothing but queries leaves."""

    name: ClassVar[str] = "healthie"
    holds: ClassVar[Holding] = OWN

    def __init__(self, credentials: HealthieCredentials, *, read_only: bool) -> None:
        self._credentials = credentials
        self._client = Client(credentials, read_only=read_only)

    def check(self, paths: Collection[str] | None = None) -> Account:
        """Who the key acts as, and which permissions it lacks for these fields; without `paths`, for writes.

        Raises Unauthorized or Transient. Without a permission lists are silently shorter: do not read then.
        """
        areas = None if paths is None else [path.partition(".")[0] for path in paths]
        return account(self._client, self._credentials.host, sandbox=self._credentials.sandbox, areas=areas)

    def fields(self) -> Mapping[str, EntryField]:
        """The fields that an entry may have."""
        return catalogue()

    def read(self, patients: Sequence[str], paths: Collection[str]) -> Iterator[Reading]:
        """One reading for each distinct patient, with exactly these fields, in no promised order."""
        return Reader(self._client, self._credentials.zone).read(patients, paths)

    def feeds(self, paths: Collection[str]) -> Sequence[Feed]:
        """The listings that show changes of these fields."""
        return feeds(self._client, paths, self._credentials.zone)

    def everyone(self) -> Iterator[tuple[str, ...]]:
        """The ids of all patients, active and archived. Raises Transient for an incomplete listing."""
        return everyone(self._client)

    def writes(self) -> Mapping[str, Write]:
        """What may be written back. In read-only mode each of them is refused before it leaves."""
        groups = (
            ClientWrites(self._client).all(),
            TagWrites(self._client).all(),
            LocationWrites(self._client).all(),
            TaskWrites(self._client, self._credentials.zone).all(),
        )
        return {
            write.name: replace(
                write, presents=Asks(0, items=1), sends=Asks(1 + (write.name in LOOKED_AT_FIRST))
            )
            for group in groups
            for write in group
        }

    def lookups(self) -> Mapping[str, Lookup]:
        return lookups(self._client)

    @property
    def clock(self) -> datetime | None:
        """Healthie's own clock at its last answer (UTC)."""
        return self._client.clock

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._client.requests

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes that Healthie warned with, such as API_VERSION_SUNSET_WARNING."""
        return self._client.warnings

    def close(self) -> None:
        self._client.close()
