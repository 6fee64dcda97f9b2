"""How the tests reach a stand-in."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

from pydantic import JsonValue, SecretStr
from pymongo import MongoClient
from pymongo.database import Database

from connectors.mongodb import Mongo, MongoCredentials, MongoOptions
from connectors.operation import Item, Outcome
from connectors.sandbox.mongodb import DATABASE, StandIn
from connectors.tabular import Column, Table

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "first_name": Column(type="str", max_length=20),
        "email": Column(type="str"),
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
        "active": Column(type="bool"),
        "born_on": Column(type="date"),
        "seen_at": Column(type="datetime"),
        "policies": Column(type="json"),
    },
)
POLICIES = Table(
    name="policies",
    key=("patient_id", "policy_id"),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "policy_id": Column(type="int"),
        "payer": Column(type="str", free_text=True),
    },
)
FULL: dict[str, JsonValue] = {
    "first_name": "Ana",
    "email": "ana@example.com",
    "visits": -(2**63),
    "balance": "1234567890123456789012345.123456789",
    "active": True,
    "born_on": "1990-02-28",
    "seen_at": "2026-03-01T23:59:59.999000Z",
    "policies": [{"payer": "Aetna", "since": 2026, "share": 0.8, "ended": None}, {"payer": "Cigna"}],
}
Row = tuple[str, Mapping[str, JsonValue]]


def mongo(
    server: StandIn,
    *tables: Table,
    newest: Mapping[str, str] | None = None,
    answer: float = 5.0,
    read_only: bool = False,
) -> Mongo:
    credentials = MongoCredentials(url=SecretStr(url_of(server)), answer=answer)
    options = MongoOptions(newest=dict(newest or {}))
    return Mongo(credentials, tables or [PATIENTS, POLICIES], options, read_only=read_only)


def url_of(server: StandIn) -> str:
    for name, password in server.server.state.users.items():
        return f"mongodb://{name}:{quote(password)}@{server.address}/{DATABASE}?authSource=admin"
    return f"mongodb://{server.address}/{DATABASE}"


def database(server: StandIn) -> closing[Any]:
    """The practice's own client, which is closed with the block."""
    user = next(iter(server.server.state.users.items()), (None, None))
    client: MongoClient[dict[str, Any]] = MongoClient(
        server.address, username=user[0], password=user[1], tz_aware=True
    )
    return closing(_Own(client))


class _Own:
    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self.client = client
        self.database: Database[dict[str, Any]] = client[DATABASE]

    def close(self) -> None:
        self.client.close()


def upsert(connector: Mongo, *rows: Row, table: str = "patients") -> list[Outcome]:
    write = connector.writes()[f"upsert_{table}"]
    return list(write.send([Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]))


def states(outcomes: Sequence[Outcome]) -> list[str]:
    """One for each item, in the order of the items."""
    told = {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes}
    assert len(told) == len(outcomes)
    return [told[f"k{at}"] for at in range(len(told))]


def held(connector: Mongo, patient: str, names: Sequence[str] = tuple(FULL)) -> object:
    present = connector.writes()["upsert_patients"].present
    assert present is not None
    return present([Item("k", patient, dict.fromkeys(names))])["k"]
