"""The practices' integrations, whole, into HubSpot: each of their tables is contacts, by the patient's id."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.every import held
from tests.connectors.hubspot.portals import contacts
from tests.connectors.practices import arrives
from tests.flows.examples.integrations import LABELS


@pytest.mark.timeout(300)
@pytest.mark.parametrize("label", LABELS)
def test_every_example_arrives(
    label: str, probe: ProbeServer, prefect: Mapping[str, str], tmp_path: Path
) -> None:
    with StandIn() as portal:

        def holds(table: Table, patient: str) -> Mapping[str, JsonValue]:
            (found,) = (one for one in contacts(portal).values() if one.get(table.patient) == patient)
            cells = held(table, {name: found.get(name) or None for name in table.columns})
            return {name: cells[name] for name in table.columns if name != table.patient}

        values = {"url": portal.url, "access_token": portal.token}
        arrives(
            label, HubSpot, values, tmp_path, probe, prefect, holds,
            sent=lambda: portal.counts().get("write", 0),
            options=lambda tables: {"objects": dict.fromkeys(tables, "contacts")},
            shares=False,  # what a person must settle is in test_adoption.py
        )  # fmt: skip

        assert portal.counts().get("write", 0) > 0
