"""The practices' integrations, whole, into HubSpot: every golden example is a contact."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from agent.golden import Golden
from connectors.hubspot import HubSpot
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.tabular import Table
from tests.connectors.hubspot.portals import value_of
from tests.connectors.practices import arrives
from tests.faults.conftest import prefect, probe
from tests.flows.examples.integrations import LABELS

__all__ = ["prefect", "probe"]


def alone(name: str, example: Golden) -> Golden:
    """The example with an e-mail of its own: others have the same, and a portal has one contact for it."""

    def own(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        return {**values, "email": f"{name}.{values['email']}"} if values.get("email") else dict(values)

    calls = tuple(call.model_copy(update={"arguments": own(call.arguments)}) for call in example.plan.calls)
    plan = example.plan.model_copy(update={"calls": calls})
    return example.model_copy(update={"entry": own(example.entry), "plan": plan})


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
        label, HubSpot, values, tmp_path, probe, prefect, holds, written,
        options=lambda tables: {"objects": dict.fromkeys(tables, "contacts")}, alone=alone,
    )  # fmt: skip

    assert written() > 0
