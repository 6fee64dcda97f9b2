"""BigQuery: one upsert for each declared table, loaded beside it and merged into it."""

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from connectors.base import Account, Connector
from connectors.bigquery.credentials import NOBODY, BigQueryCredentials
from connectors.bigquery.options import BigQueryOptions, Layout, check, typed
from connectors.bigquery.target import Target
from connectors.errors import Rejected
from connectors.holding import Holding
from connectors.operation import Asks, Delivery, Item, Outcome, Write
from connectors.tabular import Drift, Table

if TYPE_CHECKING:
    from connectors.bigquery.api import Api

__all__ = ["NOBODY", "BigQuery", "BigQueryCredentials", "BigQueryOptions", "Layout"]

BATCH = 2000  # rows: each may leave one partition for another, and a job may change 4,000 of them
NEEDED = (
    "bigquery.tables.get",
    "bigquery.tables.getData",
    "bigquery.tables.updateData",
    "bigquery.tables.update",
)


class BigQuery(Connector):
    """A dataset of the tenant's. Only the declared tables, and staging tables beside them, are ever named.

    The key's account needs BigQuery Data Editor on the dataset and BigQuery Job User on the project.

    read_only: nothing but reads leaves, with a token with which Google allows no more.
    """

    name: ClassVar[str] = "bigquery"
    holds: ClassVar[Holding] = Holding()  # Google Cloud's agreement covers it

    def __init__(
        self,
        credentials: BigQueryCredentials,
        tables: Sequence[Table],
        options: BigQueryOptions | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        if len({table.name.lower() for table in tables}) < len(tables):
            raise ValueError("two tables have the same name")
        options = options or BigQueryOptions()
        check(options, {table.name: table for table in tables})
        self._credentials, self._read_only = credentials, read_only
        self._place = f"{credentials.project}.{credentials.dataset}"
        self._layouts = options.tables
        self._targets = [
            Target(self._api, self._place, table, options.tables.get(table.name, Layout()))
            for table in tables
        ]
        self._opened: Api | None = None
        self._lock = threading.Lock()

    def check(self) -> Account:
        """Which dataset is reached, and what the account may not do. Raises Unauthorized or Transient."""
        api = self._api()
        api.locate()
        return Account(
            system=self.name,
            identity=f"{self._credentials.project}/{self._credentials.dataset}",
            missing=() if self._read_only else self._lacking(api),
        )

    def _lacking(self, api: "Api") -> tuple[str, ...]:
        lacking = [] if api.may_run("SELECT 1") else ["bigquery.jobs.create"]
        for target in self._targets:
            if api.find(target.table.name) is not None:
                lacking += api.lacking(target.table.name, NEEDED)
        # UNVERIFIED: does Google ask for the permission already when the statement is only looked at?
        if not lacking and not api.may_run(f"CREATE TABLE `{self._place}._ferry_check` (checked BOOL)"):
            lacking.append("bigquery.tables.create")
        return tuple(dict.fromkeys(lacking))

    def writes(self) -> Mapping[str, Write]:
        """One write for each table: {"upsert_patients": …}."""
        return {target.table.write: self._write(target) for target in self._targets}

    def prepare(self) -> None:
        """Make the tables and add the columns that are not there. The first write does it, too."""
        for target in self._targets:
            target.make()

    def drift(self) -> list[Drift]:
        """How the tables differ now from what was declared. Changes nothing."""
        return [drift for target in self._targets for drift in target.look().drift]

    @property
    def requests(self) -> int:
        """How many requests have left, retries included."""
        return 0 if self._opened is None else self._opened.requests

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    def _api(self) -> "Api":
        """Google's library takes a second to import: who only looks at what is declared does without."""
        with self._lock:
            if self._opened is None:
                from connectors.bigquery.api import Api  # noqa: PLC0415  # as said

                self._opened = Api(self._credentials, read_only=self._read_only)
            return self._opened

    def _write(self, target: Target) -> Write:
        table = target.table

        def send(items: Sequence[Item]) -> Sequence[Outcome]:
            try:
                return target.send(items)
            except Rejected as error:
                return [Outcome(item.key, "rejected", error.code) for item in items]

        return Write(
            name=table.write,
            summary=table.summary or f"Insert the patient's row of {table.name}, or update it. Idempotent.",
            arguments=typed(target.rows.arguments, self._layouts.get(table.name, Layout())),
            delivery=Delivery.UPSERT,
            send=send,
            record=target.rows.record,
            batch=BATCH,
            present=target.present,
            refuses=target.refuses,
            free_text=table.free_text,
            presents=Asks(first=1),
            sends=Asks(11),  # two jobs, each looked at until it ends
        )
