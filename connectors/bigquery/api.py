"""What is asked of BigQuery: one dataset's tables, staged rows, statements."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from google.cloud import bigquery
from google.cloud.bigquery.enums import CreateDisposition, WriteDisposition

from connectors.bigquery.calls import JOB, Job, Sending, job, read, repeated
from connectors.bigquery.credentials import BigQueryCredentials
from connectors.bigquery.failures import NAME
from connectors.bigquery.schema import Field, Found, Made
from connectors.bigquery.statements import Query
from connectors.bigquery.transport import Transport
from connectors.errors import ConnectorError, Rejected, Unauthorized, Unknown

KEPT: Final = timedelta(days=1)  # of a staging table that nobody deleted
OPTIONAL: Final = "JOB_CREATION_OPTIONAL"  # a short read is answered at once, and is no job
LABELS: Final = {"ferry": "target"}  # never anything of a patient


@dataclass(frozen=True, slots=True)
class Seen(Found):
    """A table with what is needed to change it."""

    table: bigquery.Table


class Api:
    """One dataset. Safe to use from several threads. Raises connectors.errors alone."""

    def __init__(self, credentials: BigQueryCredentials, *, read_only: bool = False) -> None:
        self._credentials = credentials
        self._patience = credentials.pace
        self._transport = Transport(credentials, read_only=read_only)
        self._client = bigquery.Client(
            project=credentials.project,
            credentials=self._transport.signer,
            _http=cast(Any, self._transport),  # it is asked for nothing but `request`
            client_options={"api_endpoint": credentials.url.rstrip("/")},
            default_job_creation_mode=OPTIONAL,  # of jobs.query, which only reads
        )
        self._location: str | None = None
        # None: the SDK repeats nothing; its annotations do not know that this is allowed
        self._once: dict[str, Any] = {"retry": None, "timeout": self._patience.answer}

    @property
    def requests(self) -> int:
        """How many requests have left, those for a token among them."""
        return self._transport.requests

    def close(self) -> None:
        self._transport.close()

    def locate(self) -> str:
        """Where the dataset is; asked once. Raises Unauthorized if there is none."""
        if self._location is None:
            name = f"{self._credentials.project}.{self._credentials.dataset}"
            try:
                found = read(lambda: self._client.get_dataset(name, **self._once))
            except Rejected as error:
                text = f"{NAME}: there is no such dataset for this account; create it or correct its name"
                raise Unauthorized("no_dataset", text) from error
            self._location = str(cast(Any, found).location)
        return self._location

    def find(self, name: str) -> Seen | None:
        """The table, None if it is not there."""
        try:
            table = self._table(name)
        except Rejected as error:
            if error.code == "not_found":
                return None
            raise
        fields = tuple(cast(Field, field.to_api_repr()) for field in cast(list[Any], table.schema))
        return Seen(fields, table.table_type == "TABLE", table)

    def create(self, name: str, made: Made) -> None:
        """Make the table, if nobody else did meanwhile."""
        table = self._described(name, made.fields)
        if made.partition is not None:
            column, unit = made.partition
            table.time_partitioning = bigquery.TimePartitioning(type_=unit.upper(), field=column)
        table.clustering_fields = list(made.cluster) or None
        self._create(table)

    def extend(self, seen: Seen, fields: Sequence[Field]) -> None:
        """Give the table this schema: what it has, and more. Nothing is done if it changed meanwhile."""
        seen.table.schema = _schema(fields)
        try:
            repeated(
                lambda: self._client.update_table(seen.table, ["schema"], **self._once),
                self._patience,
            )
        except Rejected as error:
            if error.code != "changed_meanwhile":
                raise

    def stage(self, name: str, fields: Sequence[Field], rows: bytes) -> datetime:
        """Load the rows into a new table, which Google forgets after a day; when it was made.

        It is Google's clock: one for all who write. Nothing but this table is changed, also if Unknown is
        raised.
        """
        location = self.locate()
        table = self._described(name, fields)
        table.expires = datetime.now().astimezone() + KEPT
        made = self._create(table)

        def send(id_: str) -> object:
            return self._client.load_table_from_file(
                io.BytesIO(rows),
                self._at(name),
                size=len(rows),
                num_retries=0,
                job_id=id_,
                location=location,
                job_config=_load(fields),
                timeout=self._patience.answer,
            )

        done = job(Sending(lambda: f"{name}_load", send, self._look), self._patience)
        if done.output_rows != rows.count(b"\n"):  # it may succeed, and tell of errors
            raise Unknown("partly_loaded", f"{NAME}: a load took other rows than it was given")
        return made

    def change(self, name: str, query: Query) -> int:
        """Run a statement that changes the rows of the table of that name; how many it changed.

        Raises Unknown if that is not known. Statements that only insert run side by side at Google, and a row
        that is in two of them is there twice. So the job's id is made of the table as it is: of all that saw
        it like this one is run, and one that another sender left behind is waited for.
        https://cloud.google.com/bigquery/docs/data-manipulation-language, 2026-11
        """
        location, config = self.locate(), _config(query)
        config.job_timeout_ms = int(JOB * 1000)

        def as_it_is() -> str:
            changed = read(lambda: cast(datetime, self._table(name).modified).isoformat())
            return f"ferry_{hashlib.sha256(f'{self._at(name)} {changed}'.encode()).hexdigest()[:32]}"

        def send(id_: str) -> object:
            return self._client.query(
                query.text, config, id_, location=location, **self._once, job_retry=None
            )

        def own(found: Job) -> bool:
            return bool(found.query == query.text)  # it names a staging table that nobody else has

        done = job(Sending(as_it_is, send, self._look, own), self._patience)
        return int(done.num_dml_affected_rows or 0)

    def rows(self, query: Query) -> list[tuple[Any, ...]]:
        """What a query gives, each row in the order of its columns."""
        location = self.locate()

        def ask() -> list[tuple[Any, ...]]:
            found: Any = cast(Any, self._client).query_and_wait(
                query.text,
                job_config=_config(query),
                location=location,
                api_timeout=self._patience.answer,
                wait_timeout=JOB,
                retry=None,
                job_retry=None,
            )
            return [row.values() for row in found]

        return read(ask)

    def may_run(self, text: str) -> bool:
        """Would this statement be allowed? Nothing is run."""
        config = bigquery.QueryJobConfig(dry_run=True, use_query_cache=False, labels=LABELS)
        location = self.locate()
        try:
            read(lambda: self._client.query(text, config, location=location, **self._once, job_retry=None))
        except Unauthorized as error:
            if error.code != "forbidden":
                raise
            return False
        return True

    def lacking(self, name: str, permissions: Sequence[str]) -> tuple[str, ...]:
        """Those of these permissions on a table that the account has not."""
        answer = read(lambda: self._client.test_iam_permissions(self._at(name), permissions, **self._once))
        return tuple(each for each in permissions if each not in answer.get("permissions", ()))

    def drop(self, name: str) -> None:
        """Delete a staging table, if it can be: it goes by itself after a day."""
        try:
            repeated(lambda: self._client.delete_table(self._at(name), **self._once), self._patience)
        except ConnectorError:
            return

    def _at(self, name: str) -> str:
        return f"{self._credentials.project}.{self._credentials.dataset}.{name}"

    def _table(self, name: str) -> bigquery.Table:
        return read(lambda: self._client.get_table(self._at(name), **self._once))

    def _described(self, name: str, fields: Sequence[Field]) -> bigquery.Table:
        table = bigquery.Table(self._at(name), _schema(fields))
        table.labels = LABELS
        return table

    def _create(self, table: bigquery.Table) -> datetime:
        """When the table was made, now or by a request whose answer was lost."""
        try:
            made = repeated(lambda: self._client.create_table(table, **self._once), self._patience)
        except Rejected as error:
            if error.code != "duplicate":
                raise
            made = self._table(table.table_id)
        return read(lambda: cast(datetime, made.created).astimezone())

    def _look(self, id_: str) -> Job:
        return self._client.get_job(id_, location=self.locate(), **self._once)


def _schema(fields: Sequence[Field]) -> list[bigquery.SchemaField]:
    made: Any = bigquery.SchemaField  # its annotations name no types
    return [made.from_api_repr(field) for field in fields]


def _load(fields: Sequence[Field]) -> bigquery.LoadJobConfig:
    return bigquery.LoadJobConfig(
        source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
        schema=_schema(fields),
        create_disposition=CreateDisposition.CREATE_NEVER,
        write_disposition=WriteDisposition.WRITE_TRUNCATE,
        max_bad_records=0,
        ignore_unknown_values=False,
        labels=LABELS,
        job_timeout_ms=int(JOB * 1000),
    )


def _config(query: Query) -> bigquery.QueryJobConfig:
    scalars = [bigquery.ScalarQueryParameter(*each) for each in query.scalars]
    lists = [bigquery.ArrayQueryParameter(*each) for each in query.lists]
    return bigquery.QueryJobConfig(query_parameters=[*scalars, *lists], labels=LABELS)
