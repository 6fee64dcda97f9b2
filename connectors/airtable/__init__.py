"""Airtable: tables of one base, upserted by key. Fields that were not declared are never named.

Airtable has no empty text: "" clears a cell. It takes blanks off the ends of a text, keeps numbers as binary
ones and times to the millisecond: what would not come back as it is, is refused with a code.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from connectors.airtable.credentials import AirtableCredentials
from connectors.airtable.shape import AirtableOptions, Arranged, TableOptions
from connectors.airtable.target import AT_ONCE, BATCH, Base, Target
from connectors.base import Account, Connector
from connectors.errors import Unauthorized
from connectors.holding import Condition, Holding
from connectors.operation import Asks, Delivery, Write
from connectors.tabular import Drift, Table

__all__ = ["Airtable", "AirtableCredentials", "AirtableOptions", "TableOptions"]

READ, WRITTEN, SCHEMA = "data.records:read", "data.records:write", "schema.bases:read"
READERS: Final = ("none", "read", "comment")  # permission levels that may not write
BAA = Condition(
    "baa",
    "a business associate agreement with Airtable, Enterprise Scale only, is signed and covers this base",
)


class Airtable(Connector):
    """One base of the tenant's. Only the declared tables are ever named.

    Args:
        read_only: nothing leaves but what asks; the token needs no more than to read.
    """

    name: ClassVar[str] = "airtable"
    holds: ClassVar[Holding] = Holding(conditions=(BAA,))

    def __init__(
        self,
        credentials: AirtableCredentials,
        tables: Sequence[Table],
        options: AirtableOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        arranged = Arranged(tables=tuple(tables), options=options or AirtableOptions())
        self._credentials = credentials
        self._read_only = read_only
        self._base = Base(credentials, arranged, read_only=read_only)
        self._targets = [Target(self._base, table) for table in arranged.tables]

    def check(self) -> Account:
        """Names the base, and what the token lacks. Raises Unauthorized or Transient."""
        base, wire = self._credentials.base, self._base.wire
        scopes = wire.scopes()
        missing = [] if scopes is None else [scope for scope in self._needed if scope not in scopes]
        if SCHEMA not in missing:
            permission = wire.permission()
            if permission is None:
                message = "airtable: the token does not open the base; add the base to the token's access"
                raise Unauthorized("no_base", message)
            if permission in READERS and not self._read_only:
                missing.append("the editor's role in the base")
        return Account(system=self.name, identity=base, missing=tuple(missing))

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.table.write: _write(target) for target in self._targets}

    def prepare(self) -> None:
        """Make the tables and fields that are not there. The first write does it, too."""
        for target in self._targets:
            target.make()

    def drift(self) -> list[Drift]:
        """How the tables differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.drift()]

    @property
    def _needed(self) -> tuple[str, ...]:
        return (READ, SCHEMA) if self._read_only else (READ, WRITTEN, SCHEMA)

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._base.requests

    def close(self) -> None:
        self._base.close()


def _write(target: Target) -> Write:
    table = target.table
    return Write(
        name=table.write,
        summary=table.summary or f"Insert the patient's row of {table.name}, or update it. Idempotent.",
        arguments=target.rows.arguments,
        delivery=Delivery.UPSERT,
        send=target.send,
        record=target.rows.record,
        batch=BATCH,
        present=target.present,
        refuses=target.refuses,
        free_text=table.free_text,
        presents=Asks(first=1),
        sends=Asks(0, items=AT_ONCE),
    )
