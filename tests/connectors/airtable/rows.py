"""What the tests of Airtable share: a table, its connector, and short ways to write and to look."""

from collections.abc import Mapping

from pydantic import JsonValue, SecretStr

from connectors.airtable import Airtable, AirtableCredentials, AirtableOptions, TableOptions
from connectors.operation import Item, Outcome
from connectors.sandbox.airtable import TOKEN, AirtableStandIn
from connectors.tabular import Column, Table

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "status": Column(type="str"),
        "active": Column(type="bool"),
        "balance": Column(type="decimal"),
    },
)
KEY: Mapping[str, JsonValue] = {"name": "patient_id", "type": "singleLineText"}


def airtable(
    stand_in: AirtableStandIn, place: TableOptions | None = None, table: Table = PATIENTS
) -> Airtable:
    options = AirtableOptions(tables={table.name: place} if place else {})
    credentials = AirtableCredentials(url=stand_in.url, token=SecretStr(TOKEN), base=stand_in.base.id)
    return Airtable(credentials, [table], options)


def upsert(connector: Airtable, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[Outcome]:
    items = [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]
    return sorted(connector.writes()["upsert_patients"].send(items), key=lambda outcome: outcome.key)


def codes(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code or outcome.state for outcome in outcomes]
