"""Amazon S3: for each declared table a dataset of immutable objects. The newest manifest says what counts.

    <prefix>/<table>/dt=2026-03-01/part-….jsonl.gz    the rows of one batch, whole
    <prefix>/<table>/_manifests/000000000007.json     all parts that count, oldest first

Of two rows with one key, the one in the later part counts; its `_version` is the greater one, too.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from connectors.base import Account, Connector
from connectors.bucket import Bucket, BucketCredentials
from connectors.holding import Holding
from connectors.operation import Asks, Delivery, Write
from connectors.s3.dataset import Dataset
from connectors.s3.layout import S3Options
from connectors.s3.target import Target
from connectors.tabular import Drift, Table

__all__ = ["S3", "S3Credentials", "S3Options"]

BATCH = 2000  # each batch is one part and one manifest


class S3Credentials(BucketCredentials):
    """A bucket, and the key that may list, read and put objects in it."""


class S3(Connector):
    """Datasets in a bucket of the tenant's. Only what is below <prefix>/<table>/ is read or put.

    read_only: nothing but reads leaves.
    """

    name: ClassVar[str] = "s3"
    holds: ClassVar[Holding] = Holding()

    def __init__(
        self,
        credentials: S3Credentials,
        tables: Sequence[Table],
        options: S3Options | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        self._options = options or S3Options()
        self._bucket = Bucket(self.name, credentials, read_only=read_only)
        self._targets = [Target(Dataset(self._bucket, table, self._options)) for table in tables]

    def check(self) -> Account:
        """Is the bucket there, and what may be done in it? Raises Unauthorized or Transient."""
        missing = self._bucket.missing(self._options.root)
        return Account(system=self.name, identity=self._bucket.identity, missing=missing)

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.table.write: _write(target) for target in self._targets}

    def drift(self) -> list[Drift]:
        """How the datasets differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.look().drift()]

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return self._bucket.sent.number

    def close(self) -> None:
        self._bucket.close()


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
        presents=Asks(4, first=9),  # some of at most 16 parts, and each of them once
        sends=Asks(3),
    )
