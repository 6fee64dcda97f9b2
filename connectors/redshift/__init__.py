"""Amazon Redshift: rows are put into a bucket, copied into a stage and merged, in one transaction a batch.

Proven on PostgreSQL behind a stand-in that speaks as Redshift does; never run on a warehouse of Amazon's.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from connectors.base import Account, Connector, Settings
from connectors.bucket import Bucket
from connectors.holding import Holding
from connectors.operation import Asks, Delivery, Write
from connectors.redshift import texts
from connectors.redshift.credentials import RedshiftCredentials
from connectors.redshift.load import Loader
from connectors.redshift.target import Target
from connectors.redshift.texts import Names
from connectors.redshift.warehouse import Warehouse
from connectors.tabular import Drift, Rows, Table, sound_name

__all__ = ["Redshift", "RedshiftCredentials", "RedshiftOptions"]

BATCH = 2000


def _sound(name: str) -> str:
    if not sound_name(name):
        raise ValueError("must be letters, digits and _, and no reserved word")
    return name


class RedshiftOptions(Settings):
    """A target's options.

    database_schema: where the tables are. prefix: where rows wait in the bucket until they are merged; no
    patient data: keys are in the bucket's access logs. A run that is killed leaves its rows there: let a
    lifecycle rule of the bucket remove what is older than a day.
    """

    database_schema: Annotated[str, AfterValidator(_sound)] = "public"
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_=-]+(/[A-Za-z0-9_=-]+)*$", max_length=200)] = (
        "ferry-loads"
    )


class Redshift(Connector):
    """A warehouse of the tenant's. Only the declared tables and `_loads` are ever named.

    read_only: nothing is written: the warehouse refuses it, as every statement is in a transaction that only
        reads, and so does this. The bucket is read at most.
    """

    name: ClassVar[str] = "redshift"
    holds: ClassVar[Holding] = Holding()

    def __init__(
        self,
        credentials: RedshiftCredentials,
        tables: Sequence[Table],
        options: RedshiftOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        self._credentials = credentials
        self._options = options or RedshiftOptions()
        self._folder = f"{self._options.prefix}/"
        self._bucket = Bucket(self.name, credentials, read_only=read_only)
        self._warehouse = Warehouse(credentials, read_only=read_only)
        self._targets = [self._target(table) for table in tables]

    def check(self) -> Account:
        """One harmless read that names the warehouse, and what lacks. Raises Unauthorized or Transient."""
        schema = self._options.database_schema
        rights = (f"CREATE on schema {schema}", "TEMPORARY on the database")
        found = self._warehouse.read(lambda session: session.rows(texts.RIGHTS, (schema.lower(),)))
        lacks = tuple(right for right, given in zip(rights, found[0], strict=True) if not given)
        known = self._credentials
        return Account(
            system=self.name,
            identity=f"redshift://{known.host}:{known.port}/{known.database}, {self._bucket.identity}",
            missing=(*lacks, *self._bucket.missing(self._folder)),
        )

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.table.write: _write(target) for target in self._targets}

    def prepare(self) -> None:
        """Make the tables and add the columns that are not there. The first write does it, too."""
        for target in self._targets:
            target.make()

    def drift(self) -> list[Drift]:
        """How the tables differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.look().drift]

    @property
    def requests(self) -> int:
        """How many requests the bucket got, and how often the warehouse was asked."""
        return self._bucket.sent.number + self._warehouse.sent.number

    def close(self) -> None:
        self._warehouse.close()
        self._bucket.close()

    def _target(self, table: Table) -> Target:
        names = Names(self._options.database_schema, table.name)
        known = self._credentials
        loader = Loader(
            self._warehouse, self._bucket, names, table, known.copy_role, known.region, self._folder
        )
        return Target(self._warehouse, loader, names, Rows(table))


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
        rules=target.rules,
        free_text=table.free_text,
        presents=Asks(first=1),
        sends=Asks(3, first=3),
    )
