"""The practices' integrations, whole, into MongoDB."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.mongodb import Mongo
from connectors.sandbox.mongodb import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.mongodb.reaching import url_of
from tests.connectors.practices import arrives
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, server: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        (document,) = (one for one in server.documents(table.name) if one["_id"] == patient)
        cells = held(table, {name: document.get(name) for name in table.columns})
        return {name: cells[name] for name in table.columns if name != table.patient}

    values = {"url": url_of(server)}
    arrives(label, Mongo, values, tmp_path, probe, prefect, holds, lambda: server.commands["update"])

    assert server.commands["update"] > 0
