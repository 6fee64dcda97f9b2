"""The practices' integrations, whole, into HubSpot: every golden example is a contact."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.hubspot.portals import value_of
from tests.connectors.practices import arrives
from tests.faults.conftest import prefect, probe
from tests.flows.examples.integrations import LABELS

__all__ = ["prefect", "probe"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, portal: StandIn, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
        properties = [record["properties"] for record in portal.records()]
        (its,) = [one for one in properties if isinstance(one, dict) and one.get(table.patient) == patient]
        return {name: value_of(its.get(name), table.columns[name].type) for name in table.plain}

    def written() -> int:
        return portal.counts().get("write", 0)

    values = {"url": portal.url, "access_token": portal.token}
    arrives(
        label,
        HubSpot,
        values,
        tmp_path,
        probe,
        prefect,
        holds,
        written,
        lambda tables: {"objects": dict.fromkeys(tables, "contacts")},
    )

    assert written() > 0
