"""A stage over warehouses: columns that may not be null are kept as the warehouse itself keeps them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.bigquery import BigQuery, BigQueryCredentials
from connectors.operation import Item
from connectors.redshift import Redshift, RedshiftCredentials
from connectors.sandbox.bigquery import BigQueryServer
from connectors.tabular import Column, Table
from flows.ledger.store import Ledger
from tests.connectors.bigquery.place import Place
from tests.connectors.redshift import places
from tests.connectors.sql import servers
from tests.flows.ledgers import held
from tests.flows.staging.alike import Step, ends_alike

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        **{name: Column(type="str") for name in ("patient_id", "name", "kind")},
        "visits": Column(type="int"),
        "balance": Column(type="decimal"),
    },
)
STEPS: list[Step] = [
    ("upsert_patients", Item(key, patient, arguments))
    for key, patient, arguments in (
        ("lacks", "new", {"visits": 1}),
        ("null", "new", {"name": None}),
        ("made", "new", {"name": "Ana"}),
        ("partly", "new", {"visits": 2}),  # the stage's own record has a name
        ("blanked", "new", {"name": None}),
        ("theirs", "old", {"visits": 3}),
        ("kind", "old", {"kind": None}),
        ("wide", "old", {"name": "x" * 21}),
        ("precise", "old", {"name": "Ana", "balance": "1.234"}),
    )
]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


def test_in_redshift(book: Ledger) -> None:
    with servers.postgresql() as server, places.opened(server) as warehouse:
        warehouse.run(
            "CREATE TABLE patients (patient_id VARCHAR(200) NOT NULL, name VARCHAR(20) NOT NULL, "
            "kind VARCHAR(10) NOT NULL DEFAULT 'plain', visits BIGINT, balance NUMERIC(10, 2))",
            "INSERT INTO patients (patient_id, name) VALUES ('old', 'Theirs')",
        )
        made = RedshiftCredentials.model_validate(warehouse.values())

        ended = ends_alike(
            lambda: Redshift(made, [PATIENTS], read_only=True),
            lambda: Redshift(made, [PATIENTS]),
            book,
            STEPS,
            lambda: (warehouse.rows("SELECT * FROM patients"), list(warehouse.stand_in.writes)),
        )

    assert ended == {"done", *(f"rejected {code}" for code in ("not_null", "too_long", "too_precise"))}


def test_in_bigquery(book: Ledger) -> None:
    with BigQueryServer() as server:
        place = Place(server)
        server.state.by_hand(
            "patients",
            [
                {"name": "patient_id", "type": "STRING", "mode": "REQUIRED"},
                {"name": "name", "type": "STRING", "mode": "REQUIRED", "maxLength": "20"},
                {"name": "kind", "type": "STRING", "mode": "NULLABLE"},
                {"name": "visits", "type": "INTEGER", "mode": "NULLABLE"},
                {"name": "balance", "type": "NUMERIC", "mode": "NULLABLE", "precision": "10", "scale": "2"},
            ],
        )
        made = BigQueryCredentials.model_validate(place.values())

        ended = ends_alike(
            lambda: BigQuery(made, [PATIENTS], read_only=True),
            lambda: BigQuery(made, [PATIENTS]),
            book,
            STEPS,
            lambda: (place.rows("patients"), place.jobs().count("load"), len(server.state.tables)),
        )

    assert ended == {"done", *(f"rejected {code}" for code in ("not_null", "too_long", "too_precise"))}
