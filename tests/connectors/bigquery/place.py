"""A running stand-in with one dataset, and what the tests ask of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import JsonValue, SecretStr

from connectors.bigquery import BigQuery, BigQueryCredentials, BigQueryOptions
from connectors.http import Patience
from connectors.operation import Item, Outcome
from connectors.sandbox.bigquery import BigQueryServer
from connectors.tabular import Column, Table
from connectors.values import as_json

QUICK = Patience(attempts=4, first_wait=0.01, longest_wait=1.5, back_off=0.05, connect=1.0, answer=1.0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place:
    """One stand-in, through `url` where a proxy is before it."""

    def __init__(self, server: BigQueryServer, url: str = "") -> None:
        self.server = server
        self.state = server.state
        self.url = url or server.url

    def values(self) -> dict[str, JsonValue]:
        """A connection's values."""
        return {
            "project": self.state.project,
            "dataset": self.state.dataset,
            "url": self.url,
            "service_account": self.server.service_account(self.url),
            "patience": QUICK.model_dump(mode="json"),
        }

    def connect(self, *tables: Table, **layouts: Any) -> BigQuery:
        """A new connector. `layouts`: of tables, by their names."""
        credentials = BigQueryCredentials(
            project=self.state.project,
            dataset=self.state.dataset,
            url=self.url,
            service_account=SecretStr(self.server.service_account(self.url)),
            patience=QUICK,
        )
        return BigQuery(credentials, tables, BigQueryOptions.model_validate({"tables": layouts}))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What the table holds, past the connector, in Python's own values."""
        with self.state.lock:
            kinds = {
                field.name: field.kind
                for field in (self.state.tables[table].fields if table in self.state.tables else ())
            }
        return [
            {name: moment(value) if kinds[name] == "TIMESTAMP" else value for name, value in row.items()}
            for row in self.state.held(table)
        ]

    def jobs(self) -> list[str]:
        """The kinds of the jobs that were run."""
        return sorted(
            "read" if id_.startswith("query_") else job["configuration"]["jobType"].lower()
            for id_, job in self.state.jobs.items()
        )

    def staged(self) -> list[str]:
        """The staging tables that are there."""
        return [name for name in self.state.tables if name.startswith("ferry_staging_")]


def moment(micros: str | None) -> JsonValue:
    return None if micros is None else as_json(EPOCH + timedelta(microseconds=int(micros)))


def table(**columns: Column) -> Table:
    """A table of patients with these columns."""
    return Table(
        name="patients",
        key=("patient_id",),
        patient="patient_id",
        columns={"patient_id": Column(type="str"), **columns},
    )


def send(connector: BigQuery, *rows: tuple[str, dict[str, JsonValue]]) -> list[Outcome]:
    items = [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]
    return list(connector.writes()["upsert_patients"].send(items))


def spoken(outcomes: Sequence[Outcome]) -> list[str]:
    return [f"{outcome.state} {outcome.code}".strip() for outcome in outcomes]


def held(connector: BigQuery, patient: str, *names: str) -> Any:
    """What `present` says of the patient's row."""
    present = connector.writes()["upsert_patients"].present
    assert present is not None
    return present([Item("k", patient, dict.fromkeys(names, "?"))])["k"]
