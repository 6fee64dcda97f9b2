"""The systems that Ferry reaches: one row each. What a row names may be a connection's `connector`.

A row takes a connection's values as they are and makes the credentials itself, so that an opened secret
is in no object but the connector.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, get_args

from pydantic import BaseModel, JsonValue, SecretStr
from pydantic.fields import FieldInfo

from agent.access import Access
from connectors.address import local_endpoints
from connectors.airtable import Airtable, AirtableCredentials, AirtableOptions
from connectors.base import Connector
from connectors.bigquery import NOBODY, BigQuery, BigQueryCredentials, BigQueryOptions
from connectors.csv import Csv, CsvCredentials, Format
from connectors.excel import Excel, ExcelCredentials, ExcelOptions
from connectors.healthie import Healthie, HealthieCredentials
from connectors.hubspot import HubSpot, HubSpotCredentials, HubSpotOptions
from connectors.mongodb import Mongo, MongoCredentials, MongoOptions
from connectors.redshift import Redshift, RedshiftCredentials, RedshiftOptions
from connectors.s3 import S3, S3Credentials, S3Options
from connectors.sandbox.probe import Probe, ProbeCredentials
from connectors.sheets import Sheets, SheetsCredentials, SheetsOptions
from connectors.source import Source
from connectors.sql import Sql, SqlCredentials
from connectors.tabular import Table

NOWHERE = "http://127.0.0.1:9"  # nothing is sent there: only what is declared is looked at
LOCAL = "on this machine, where only stand-ins are; in production name the system's own"
Values = Mapping[str, JsonValue]


class MakeTarget(Protocol):
    """A target of a connection's values, its tables and its options. read_only: only reads leave it."""

    def __call__(
        self, values: Values, tables: Sequence[Table], options: Values, /, *, read_only: bool = False
    ) -> Connector: ...


@dataclass(frozen=True, slots=True)
class System:
    """How one kind of system is reached. Each maker raises pydantic's ValidationError for wrong values."""

    credentials: type[BaseModel]
    reach: Callable[[Values], Connector] | None = None  # to see which account answers
    source: Callable[[Values], Source] | None = None  # read-only
    target: MakeTarget | None = None
    options: type[BaseModel] | None = None  # of a target
    trials: bool = False  # the vendor says of an account whether it is one for trials
    nowhere: Values = field(default_factory=dict[str, JsonValue])  # reaches nobody: to see what it offers

    @property
    def secrets(self) -> tuple[str, ...]:
        """The fields that are never in a file."""
        return tuple(name for name, field in self.credentials.model_fields.items() if _is_secret(field))

    @property
    def needed(self) -> tuple[str, ...]:
        """The secret fields without which nothing can be reached."""
        return tuple(name for name in self.secrets if self.credentials.model_fields[name].is_required())

    def local(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The endpoints among these values that only a stand-in has."""
        return local_endpoints(self.credentials, values)


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _healthie(*, read_only: bool) -> Callable[[Values], Healthie]:
    return lambda values: Healthie(HealthieCredentials.model_validate(dict(values)), read_only=read_only)


def _sql(values: Values, tables: Sequence[Table], _options: Values, *, read_only: bool = False) -> Sql:
    return Sql(SqlCredentials.model_validate(dict(values)), tables, read_only=read_only)


def _csv(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> Csv:
    credentials = CsvCredentials.model_validate(dict(values))
    return Csv(credentials, tables, Format.model_validate(dict(options)), read_only=read_only)


def _hubspot(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> HubSpot:
    known = HubSpotCredentials.model_validate(dict(values))
    return HubSpot(known, tables, HubSpotOptions.model_validate(dict(options)), read_only=read_only)


def _airtable(
    values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False
) -> Airtable:
    known = AirtableCredentials.model_validate(dict(values))
    return Airtable(known, tables, AirtableOptions.model_validate(dict(options)), read_only=read_only)


def _excel(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> Excel:
    known = ExcelCredentials.model_validate(dict(values))
    return Excel(known, tables, ExcelOptions.model_validate(dict(options)), read_only=read_only)


def _s3(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> S3:
    known = S3Credentials.model_validate(dict(values))
    return S3(known, tables, S3Options.model_validate(dict(options)), read_only=read_only)


def _redshift(
    values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False
) -> Redshift:
    known = RedshiftCredentials.model_validate(dict(values))
    return Redshift(known, tables, RedshiftOptions.model_validate(dict(options)), read_only=read_only)


def _bigquery(
    values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False
) -> BigQuery:
    known = BigQueryCredentials.model_validate(dict(values))
    return BigQuery(known, tables, BigQueryOptions.model_validate(dict(options)), read_only=read_only)


def _sheets(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> Sheets:
    known = SheetsCredentials.model_validate(dict(values))
    return Sheets(known, tables, SheetsOptions.model_validate(dict(options)), read_only=read_only)


def _mongodb(values: Values, tables: Sequence[Table], options: Values, *, read_only: bool = False) -> Mongo:
    credentials = MongoCredentials.model_validate(dict(values))
    return Mongo(credentials, tables, MongoOptions.model_validate(dict(options)), read_only=read_only)


def _probe(values: Values, *, read_only: bool = False) -> Probe:
    return Probe(ProbeCredentials.model_validate(dict(values)), read_only=read_only)


NO_BUCKET: Values = {
    "url": NOWHERE,
    "bucket": "nowhere",
    "access_key_id": "none",
    "secret_access_key": "none",
}


def access(values: Values) -> Access:
    """How a model is reached. It is no connector: nothing is read from it or written to it."""
    return Access.model_validate(dict(values))


SYSTEMS: Mapping[str, System] = {
    "healthie": System(
        HealthieCredentials,
        reach=_healthie(read_only=True),
        source=_healthie(read_only=True),
        target=lambda values, _tables, _options, *, read_only=False: _healthie(read_only=read_only)(values),
        trials=True,
        nowhere={"url": NOWHERE, "api_key": "none"},
    ),
    "sql": System(
        SqlCredentials,
        reach=lambda values: _sql(values, [], {}),
        target=_sql,
        nowhere={"url": "sqlite:////nowhere"},
    ),
    "csv": System(
        CsvCredentials,
        reach=lambda values: _csv(values, [], {}),
        target=_csv,
        options=Format,
        nowhere={"folder": "."},
    ),
    "hubspot": System(
        HubSpotCredentials,
        reach=lambda values: _hubspot(values, [], {}, read_only=True),
        source=lambda values: _hubspot(values, [], {}, read_only=True),
        target=_hubspot,
        options=HubSpotOptions,
        trials=True,
        nowhere={"url": NOWHERE, "access_token": "none"},
    ),
    "airtable": System(
        AirtableCredentials,
        reach=lambda values: _airtable(values, [], {}),
        target=_airtable,
        options=AirtableOptions,
        nowhere={"url": NOWHERE, "token": "none", "base": "app00000000000000"},
    ),
    "excel": System(
        ExcelCredentials,
        reach=lambda values: _excel(values, [], {}),
        target=_excel,
        options=ExcelOptions,
        nowhere={"file": "nowhere.xlsx"},
    ),
    "s3": System(
        S3Credentials,
        reach=lambda values: _s3(values, [], {}),
        target=_s3,
        options=S3Options,
        nowhere=NO_BUCKET,
    ),
    "redshift": System(
        RedshiftCredentials,
        reach=lambda values: _redshift(values, [], {}),
        target=_redshift,
        options=RedshiftOptions,
        nowhere={
            **NO_BUCKET,
            "warehouse": NOWHERE,
            "database": "none",
            "user": "none",
            "password": "none",
            "copy_role": "arn:aws:iam::000000000000:role/none",
        },
    ),
    "sheets": System(
        SheetsCredentials,
        reach=lambda values: _sheets(values, [], {}),
        target=_sheets,
        options=SheetsOptions,
        nowhere={"spreadsheet": "nowhere-at-all", "service_account": "none", "url": NOWHERE},
    ),
    "mongodb": System(
        MongoCredentials,
        reach=lambda values: _mongodb(values, [], {}),
        target=_mongodb,
        options=MongoOptions,
        nowhere={"url": "mongodb://127.0.0.1:9/nothing"},
    ),
    "probe": System(
        ProbeCredentials,
        reach=_probe,
        target=lambda values, _tables, _options, *, read_only=False: _probe(values, read_only=read_only),
        nowhere={"url": NOWHERE},
    ),
    "bigquery": System(
        BigQueryCredentials,
        reach=lambda values: _bigquery(values, [], {}),
        target=_bigquery,
        options=BigQueryOptions,
        nowhere=NOBODY,
    ),
    "model": System(Access),
}


def sources() -> list[str]:
    """The systems that entries can be read from."""
    return sorted(name for name, system in SYSTEMS.items() if system.source)
