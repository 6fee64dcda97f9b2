"""MongoDB: a collection for each declared table, a document for each row, under the row's key as `_id`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from connectors.address import IsEndpoint
from connectors.base import Account, Connector, Settings
from connectors.holding import Condition, Holding
from connectors.mongodb.place import Place, is_local, read_url
from connectors.mongodb.rights import missing
from connectors.operation import Asks, Delivery, Write
from connectors.tabular import Drift, Table

if TYPE_CHECKING:
    from connectors.mongodb.image import Image
    from connectors.mongodb.target import Target

__all__ = ["Mongo", "MongoCredentials", "MongoOptions"]

BATCH = 1000
OURS_OR_SIGNED = Condition(
    "baa",
    "a business associate agreement with MongoDB covers this cluster (of Atlas, dedicated tiers alone), or "
    "the practice runs the server itself",
)


def _readable(url: SecretStr) -> SecretStr:
    read_url(url)
    return url


class MongoCredentials(Settings):
    """url: mongodb+srv://user:password@host/database. answer: seconds for a whole command."""

    url: Annotated[SecretStr, AfterValidator(_readable), IsEndpoint(is_local)]
    answer: Annotated[float, Field(gt=0, le=600)] = 60.0

    @property
    def place(self) -> Place:
        return read_url(self.url)


class MongoOptions(Settings):
    """newest: table → the column (a number or a time) by which the newest version of a row wins."""

    newest: dict[str, str] = Field(default_factory=dict[str, str])


class Mongo(Connector):
    """A database of the tenant's. Only the declared collections are ever named.

    read_only: only reads leave; MongoDB itself knows no connection that only reads.
    """

    name: ClassVar[str] = "mongodb"
    holds: ClassVar[Holding] = Holding(conditions=(OURS_OR_SIGNED,))

    def __init__(
        self,
        credentials: MongoCredentials,
        tables: Sequence[Table],
        options: MongoOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        from connectors.mongodb.client import Client  # noqa: PLC0415  # brings the driver
        from connectors.mongodb.image import Image  # noqa: PLC0415  # likewise
        from connectors.mongodb.target import Target  # noqa: PLC0415  # likewise

        newest = (options or MongoOptions()).newest
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        if unknown := sorted(newest.keys() - {table.name for table in tables}):
            raise ValueError(f"newest names {', '.join(unknown)}, which is no table of this target")
        self._place = credentials.place
        self._client = Client(self._place, credentials.answer, read_only=read_only)
        self._targets = [Target(self._client, table, newest.get(table.name)) for table in tables]
        self._images = [Image(self._client, target) for target in self._targets]

    def check(self) -> Account:
        """One harmless read: who is this user, and what may they do. Raises Unauthorized or Transient."""
        status = self._client.read({"connectionStatus": 1, "showPrivileges": True}, on_admin=True)
        lacks = missing(status, self._place.database, [target.table.name for target in self._targets])
        return Account(system=self.name, identity=self._place.identity, missing=lacks)

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        each = zip(self._targets, self._images, strict=True)
        return {target.table.write: _write(target, image) for target, image in each}

    def drift(self) -> list[Drift]:
        """How the collections differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.look().drift]

    @property
    def requests(self) -> int:
        """How many commands have left."""
        return self._client.sent.number

    def close(self) -> None:
        self._client.close()


def _write(target: "Target", image: "Image") -> Write:
    table = target.table
    return Write(
        name=table.write,
        summary=table.summary or f"Insert the patient's document of {table.name}, or update it. Idempotent.",
        arguments=target.rows.arguments,
        delivery=Delivery.UPSERT,
        send=target.send,
        record=target.rows.record,
        batch=BATCH,
        present=target.present,
        refuses=image.refuses,
        rules=image.rules,
        free_text=table.free_text,
        presents=Asks(first=2),
    )
