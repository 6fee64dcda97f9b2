"""Where a model decides: it is asked for each edit once, and never because of what Ferry wrote."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.agent.openai_server import Body, Endpoint, Reply, serving, submits
from tests.faults.world import DEPLOYMENTS as FAULTS
from tests.flows.twoway.world import CHART, CRM, World

THERE = {
    "firstname": "@first_name",
    "lastname": "@last_name",
    "email": "@email|lower",
    "phone": "@phone_number",
    "mobilephone": "@additional_phone_number",
}
BACK = {"email": "@email", "phone_number": "@phone", "additional_phone_number": "@mobilephone"}


def plan(record: str) -> Any:
    """What the instructions of meadow ask for: everything that is there."""
    there = "@last_name" in record
    given = THERE if there else BACK
    arguments = {name: how for name, how in given.items() if f"{how.split('|')[0]}: <present>" in record}
    operation = "hubspot_upsert_contacts" if there else "healthie_update_client"
    because = ["S1", "S2", "S3", "S4", "S5"] + (["S6", "S7", "S8"] if there else [])
    if there:
        arguments |= {"healthie_status": "=active"}
    return {"kind": "write", "calls": [{"op": operation, "because": because, "arguments": arguments}]}


def behaving(body: Body) -> Reply:
    return submits(plan(str(body["messages"][-1]["content"])))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving(behaving) as served:
        yield served


@pytest.fixture
def modelled(world: World, endpoint: Endpoint) -> World:
    """The example practice with a model in the programs' place."""
    (world.root / "models.yaml").write_text((FAULTS / "models.yaml").read_text())
    tenant = world.root / "meadow" / "tenant.yaml"
    described = yaml.safe_load(tenant.read_text())
    settings = {"base_url": "$TEST_MODEL_URL", "api_key": "$TEST_MODEL_KEY", "request_timeout": "20"}
    described["connections"]["model"] = {"connector": "model", "settings": settings}
    tenant.write_text(yaml.safe_dump(described))
    for name in (CRM, CHART):
        path = world.root / "meadow" / name / "integration.yaml"
        text = path.read_text()
        path.write_text(
            text.replace("  by: program\n", "  by: openai-compatible:test\n  connection: model\n")
        )
        path.with_name("program.py").unlink()
    os.environ.update({"TEST_MODEL_URL": endpoint.url, "TEST_MODEL_KEY": "test-key"})
    return world


@pytest.mark.parametrize("side", [CRM, CHART])
def test_ten_runs_after_an_edit_ask_the_model_once(modelled: World, side: str) -> None:
    patient = modelled.patient(email="Ana@example.com", phone_number="312-555-0101")
    modelled.settle(1)
    modelled.writes()
    if side == CRM:
        modelled.edit_patient(patient, phone_number="312-555-0199")
    else:
        modelled.hubspot.edit(modelled.contacts()[patient], phone="312-555-0199")

    ran = [
        (modelled.run(name).counts.get("model_requests", 0), modelled.writes())
        for _ in range(5)
        for name in ((CRM, CHART) if side == CRM else (CHART, CRM))
    ]

    assert ran == [(1, 1)] + [(0, 0)] * 9
    assert modelled.chart(patient)["phone_number"] == "312-555-0199"
    assert modelled.contact(modelled.contacts()[patient])["phone"] == "312-555-0199"
