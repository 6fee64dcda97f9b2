"""What the tests of Sheets share: a table, its connector, and short ways to write and to look."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from connectors.operation import Item, Outcome, Write
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import Sheets, SheetsCredentials, SheetsOptions
from connectors.tabular import Column, Table

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "phone": Column(type="str"),
        "visits": Column(type="int"),
    },
)
HEADER = list(PATIENTS.columns)
Row = tuple[str, Mapping[str, JsonValue]]


def reached(server: SheetsServer, table: Table = PATIENTS, options: SheetsOptions | None = None) -> Sheets:
    return Sheets(SheetsCredentials.model_validate(server.values), [table], options)


def write_to(server: SheetsServer, table: Table = PATIENTS, options: SheetsOptions | None = None) -> Write:
    return reached(server, table, options).writes()[table.write]


def items_of(*rows: Row) -> list[Item]:
    return [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]


def upsert(write: Write, *rows: Row) -> list[str]:
    """The outcomes in the items' order, each as its state and code."""
    items = items_of(*rows)
    found = {outcome.key: outcome for outcome in write.send(items)}
    return [spoken(found[item.key]) for item in items]


def spoken(outcome: Outcome) -> str:
    return f"{outcome.state} {outcome.code}".strip()


def numbered(count: int, version: int = 0) -> list[Row]:
    return [(f"p{at:05}", {"name": f"Name {version}", "visits": version + at}) for at in range(count)]


def by_key(rows: Sequence[Mapping[str, JsonValue]]) -> dict[JsonValue, Mapping[str, JsonValue]]:
    """The rows by their key, which none has twice."""
    found = {row["patient_id"]: row for row in rows if "patient_id" in row}
    assert len(found) == sum("patient_id" in row for row in rows), "a key is there twice"
    return found
