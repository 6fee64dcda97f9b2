"""What every connector is: credentials in, an account to recognise, operations out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from connectors.holding import Holding
from connectors.operation import Lookup, Write


class Settings(BaseModel):
    """Base of our own settings: unknown names are refused and values stay out of errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Account(Settings):
    """Who did we reach? Compared at each run with what was seen when the connection was made."""

    system: str  # "healthie", "sql", …
    identity: str  # organisation id, portal id, database name and host: no secret in it
    sandbox: bool = (
        False  # the vendor says that it is for trials: by its API, or by hosts that hold nothing else
    )
    missing: tuple[str, ...] = ()  # permissions, as the system names them, that were asked about and lack


class Connector(ABC):
    """One system, spoken to for one tenant. Synchronous; used from several threads at once."""

    name: ClassVar[str]
    holds: ClassVar[Holding] = Holding()  # what of patients may be in it; each connector says its own

    @abstractmethod
    def check(self) -> Account:
        """One harmless read that names the account. Raises Unauthorized or Transient."""

    @property
    @abstractmethod
    def requests(self) -> int:
        """How many requests have left, retries included. A database is asked; a file is not."""

    def is_same(self, one: Account, other: Account) -> bool:
        """Whether both are one account of this system, by whatever address it was reached."""
        return one.identity == other.identity

    def writes(self) -> Mapping[str, Write]:
        """The writes by their own name, without the target's prefix: {"upsert_patients": …}."""
        return {}

    def lookups(self) -> Mapping[str, Lookup]:
        """The lookups by their own name."""
        return {}

    def prepare(self) -> None:  # noqa: B027  # most make nothing
        """Make what is declared and not there: a table, a property. The first write does it, too."""

    def close(self) -> None:  # noqa: B027  # most have nothing to give back
        """Give back sockets and files. The connector is not used afterwards."""
