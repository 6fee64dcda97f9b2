"""A source: a connector whose entries are read, and which shows what changed."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from connectors.base import Account, Connector
from connectors.changes import Feed
from connectors.entry import EntryField, Reading


class Source(Connector):
    """A system whose entries are read. Read-only: nothing but reads leaves it.

    An entry is named by the source's own id, which the engine calls the patient.
    """

    @abstractmethod
    def check(self, paths: Collection[str] | None = None) -> Account:
        """Who is reached, and which permissions lack for these fields; without `paths`, for everything.

        Raises Unauthorized or Transient.
        """

    @abstractmethod
    def fields(self) -> Mapping[str, EntryField]:
        """The fields that an entry may have, by path."""

    @abstractmethod
    def read(self, patients: Sequence[str], paths: Collection[str]) -> Iterator[Reading]:
        """One reading for each distinct entry, with exactly these fields, in no promised order."""

    @abstractmethod
    def feeds(self, paths: Collection[str]) -> Sequence[Feed]:
        """The listings that show changes of these fields."""

    @abstractmethod
    def everyone(self) -> Iterator[tuple[str, ...]]:
        """The ids of all entries, page by page. Raises Transient for an incomplete listing."""

    def edited(self, patients: Sequence[str], paths: Collection[str]) -> Mapping[str, Mapping[str, datetime]]:
        """When each of these fields was edited last, by entry and path. What the system does not tell is
        left out: most stamp their records alone."""
        return {}

    @property
    @abstractmethod
    def clock(self) -> datetime | None:
        """The source's own clock at its last answer (UTC); None if it did not say."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes that the source warned with, such as API_VERSION_SUNSET_WARNING."""
        return ()
