"""The practices' integrations, whole, into a workbook."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pydantic import JsonValue

from connectors.excel import Excel
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.excel.case import spelled
from tests.connectors.practices import arrives
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "practice.xlsx"

    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        lines = list(load_workbook(path)[table.name].iter_rows(values_only=True))
        names = [str(name).removesuffix(" (UTC)") for name in lines[0]]
        rows = [
            row
            for line in lines[1:]
            if (row := dict(zip(names, line, strict=True)))[table.patient] == patient
        ]
        assert len(rows) == 1
        cells = held(table, {name: spelled(rows[0].get(name)) for name in table.columns})
        return {name: cells[name] for name in table.columns if name != table.patient}

    arrives(label, Excel, {"file": str(path)}, tmp_path, probe, prefect, holds, path.read_bytes)
