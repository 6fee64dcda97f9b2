"""The practices' integrations, whole, into a warehouse."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.redshift import Redshift
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.practices import arrives
from tests.connectors.redshift.places import Warehouse
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, warehouse: Warehouse, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        names = ", ".join(f'"{name.lower()}"' for name in table.columns)
        found = warehouse.rows(f"SELECT {names} FROM {table.name} WHERE {table.patient} = '{patient}'")
        assert len(found) == 1
        cells = held(table, dict(zip(table.columns, found[0], strict=True)))
        return {name: cells[name] for name in table.columns if name != table.patient}

    values = {name: str(value) for name, value in warehouse.values().items() if name != "patience"}
    sent = lambda: len(warehouse.stand_in.writes)  # noqa: E731
    arrives(label, Redshift, values, tmp_path, probe, prefect, holds, sent)
