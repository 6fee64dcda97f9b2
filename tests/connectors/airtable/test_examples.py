"""The practices' integrations, whole, into Airtable."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.airtable import Airtable
from connectors.sandbox.airtable import TOKEN, AirtableStandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.practices import arrives
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, stand_in: AirtableStandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        rows = [row for row in stand_in.base.rows(table.name) if row[table.patient] == patient]
        assert len(rows) == 1
        cells = held(table, {name: rows[0].get(name) for name in table.columns})
        return {name: cells[name] for name in table.columns if name != table.patient}

    values = {"url": stand_in.url, "token": TOKEN, "base": stand_in.base.id}
    arrives(label, Airtable, values, tmp_path, probe, prefect, holds, stand_in.writes)

    assert stand_in.writes() > 0
