"""The practices' integrations, whole, into a spreadsheet."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.sandbox.probe import ProbeServer
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import Sheets
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.practices import arrives
from tests.connectors.sheets.case import whole
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, server: SheetsServer, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        rows = [row for row in server.people.records(table.name) if row[table.patient] == patient]
        assert len(rows) == 1
        cells = held(table, {name: whole(rows[0]).get(name) for name in table.columns})
        return {name: cells[name] for name in table.columns if name != table.patient}

    values = {name: str(value) for name, value in server.values.items()}
    arrives(label, Sheets, values, tmp_path, probe, prefect, holds, lambda: server.counted["write"])

    assert server.counted["write"] > 0
