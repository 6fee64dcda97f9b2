"""The practices' integrations, whole, into a bucket."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.s3 import S3
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.bucket import moto
from tests.connectors.every import held
from tests.connectors.practices import arrives
from tests.connectors.s3.case import current
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    bucket = moto.new_bucket()

    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        rows = [row for row in current(bucket, table.name) if row[table.patient] == patient]
        assert len(rows) == 1
        cells = held(table, {name: rows[0].get(name) for name in table.columns})
        return {name: cells[name] for name in table.columns if name != table.patient}

    values = {**moto.KEYS, "bucket": bucket, "url": moto.server()}
    arrives(label, S3, values, tmp_path, probe, prefect, holds, lambda: moto.keys(bucket))
