"""What Healthie would refuse is known without sending, with the same code; and only queries leave."""

from collections.abc import Mapping

import pytest
from pydantic import JsonValue

from connectors.healthie import Healthie
from connectors.operation import Item
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.writing import KEY, send

LINES: Mapping[str, JsonValue] = {"line1": "1 Main St", "city": "Austin", "state": "TX", "zip": "78701"}
REFUSED: list[tuple[str, str, Mapping[str, JsonValue]]] = [
    ("update_client", "", {"ssn": "1"}),
    ("update_client", "", {}),
    ("update_client", "", {"email": "not-an-address"}),
    ("update_client", "", {"timezone": "Mars/Olympus"}),
    ("update_client", "999", {"first_name": "X"}),
    ("set_metadata", "999", {"name": "surname", "value": "X"}),
    ("set_metadata", "", {"name": "a b", "value": "X"}),
    ("set_metadata", "", {"name": "surname", "value": "x" * 2001}),
    ("create_client", "", {"first_name": "Ana"}),
    ("apply_tag", "999", {"tag_id": "1"}),
    ("apply_tag", "", {"tag_id": "999999"}),
    ("remove_tag", "999", {"tag_id": "1"}),
    ("create_location", "999", LINES),
    ("update_location", "", {"location_id": "999999", "city": "X"}),
    ("update_task", "", {"task_id": "999999", "priority": 1}),
    ("complete_task", "", {"task_id": "999999"}),
    ("create_task", "", {"content": "", "assignee_id": "1"}),
]
TAKEN: list[tuple[str, Mapping[str, JsonValue]]] = [
    ("update_client", {"legal_name": "Ana Lima", "email": None}),
    ("set_metadata", {"name": "surname", "value": "Lima"}),
    ("create_location", LINES),
    ("create_task", {"content": "call", "assignee_id": "1"}),
    ("remove_tag", {"tag_id": "1"}),
]


def refusals(connector: Healthie, write: str, patient: str, arguments: Mapping[str, JsonValue]) -> list[str]:
    asked = connector.writes()[write].refuses
    assert asked is not None
    return [f"{one.key} {one.state} {one.code}" for one in asked([Item(KEY, patient, arguments)])]


@pytest.mark.parametrize(("write", "whom", "arguments"), REFUSED)
def test_a_stage_refuses_what_healthie_does(
    healthie: Healthie,
    writer: Healthie,
    stand_in: StandIn,
    patient: str,
    write: str,
    whom: str,
    arguments: Mapping[str, JsonValue],
) -> None:
    foretold = refusals(healthie, write, whom or patient, arguments)
    assert stand_in.effects() == []

    sent = send(writer, write, whom or patient, **arguments)

    assert sent.state == "rejected"
    assert foretold == [f"{KEY} rejected {sent.code}"]


@pytest.mark.parametrize(("write", "arguments"), TAKEN)
def test_what_would_be_sent_is_not_refused_and_not_sent(
    healthie: Healthie, stand_in: StandIn, patient: str, write: str, arguments: Mapping[str, JsonValue]
) -> None:
    assert refusals(healthie, write, patient, arguments) == []
    assert stand_in.effects() == []


def test_metadata_that_is_none_is_refused(healthie: Healthie, stand_in: StandIn, patient: str) -> None:
    stand_in.edit("User", patient, metadata="no JSON")

    said = refusals(healthie, "set_metadata", patient, {"name": "surname", "value": "Lima"})

    assert said == [f"{KEY} rejected metadata_malformed"]


def test_whoever_may_write_is_not_asked(writer: Healthie) -> None:
    assert {(write.refuses, write.rules) for write in writer.writes().values()} == {(None, None)}
