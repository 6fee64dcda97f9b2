"""Tags, addresses and tasks: of this patient only, and never twice."""

import pytest
from pydantic import JsonValue

from connectors.errors import Unknown
from connectors.healthie import Healthie
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.conftest import credentials
from tests.connectors.healthie.writing import look, present, send


def test_a_tag_is_put_on_and_taken_off_once(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    tag = stand_in.ids("Tag")[0]
    for _ in range(2):
        assert send(writer, "apply_tag", patient, tag_id=tag).state == "done"
    assert present(writer, "apply_tag", patient, tag_id=tag) == {"tag_id": tag}
    for _ in range(2):
        assert send(writer, "remove_tag", patient, tag_id=tag).state == "done"

    assert present(writer, "apply_tag", patient, tag_id=tag) is None
    assert [effect["root"] for effect in stand_in.effects()] == ["bulkApply", "removeAppliedTag"]
    assert send(writer, "apply_tag", patient, tag_id="5").code.startswith("refused_by_healthie")
    assert send(writer, "apply_tag", "999", tag_id=tag).code == "unknown_patient"


def test_the_same_address_is_not_added_twice(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    lines: dict[str, JsonValue] = {"line1": "1 Main St", "city": "Austin", "state": "TX", "zip": "78701"}
    first = send(writer, "create_location", patient, **lines)
    second = send(writer, "create_location", patient, "other-key", **{**lines, "line1": "1  MAIN st"})

    assert first.state == second.state == "done" and first.reference == second.reference
    assert len(stand_in.rows_of("Location", patient)) == 1
    assert look(writer, "create_location", patient, **lines) == first.reference
    assert look(writer, "create_location", patient, **{**lines, "zip": "78702"}) is None


def test_an_address_of_another_patient_is_not_touched(
    writer: Healthie, stand_in: StandIn, patient: str
) -> None:
    other = next(id_ for id_ in stand_in.ids() if stand_in.rows_of("Location", id_))
    foreign = str(stand_in.rows_of("Location", other)[0]["id"])
    own = send(
        writer, "create_location", patient, line1="2 Elm", city="Reno", state="NV", zip="89501"
    ).reference

    assert send(writer, "update_location", patient, location_id=foreign, city="X").code == "not_this_patient"
    assert send(writer, "update_location", patient, location_id=own, city="Ely", line2=None).state == "done"
    assert present(writer, "update_location", patient, location_id=own, city="x") == {
        "location_id": own,
        "city": "Ely",
    }
    assert stand_in.row("Location", foreign)["city"] != "X"


def test_a_task_is_created_once_and_found_by_our_key(
    writer: Healthie, stand_in: StandIn, patient: str
) -> None:
    staff = str(stand_in.row("User", patient)["dietitian_id"])
    asked: dict[str, JsonValue] = {
        "content": "Call about intake",
        "assignee_id": staff,
        "due_date": "2026-12-01T15:00:00Z",
    }
    stand_in.fault("bad_gateway_applied", root="createTask")
    with pytest.raises(Unknown):
        send(writer, "create_task", patient, **asked)
    found = look(writer, "create_task", patient, **asked)

    assert found is not None and look(writer, "create_task", patient, "another") is None
    assert stand_in.row("Task", found)["content"] == "Call about intake"
    assert (
        send(
            writer, "update_task", patient, task_id=found, priority=1, due_date="2026-12-02T10:00:00-05:00"
        ).state
        == "done"
    )
    assert send(writer, "complete_task", patient, task_id=found).state == "done"
    assert stand_in.row("Task", found)["complete"] is True
    assert send(writer, "complete_task", stand_in.ids()[0], task_id=found).code == "not_this_patient"
    assert send(writer, "complete_task", patient, task_id="1").code == "not_this_patient"


def test_nothing_that_bears_a_note_was_selected_or_written(
    stand_in: StandIn, shared_stand_in: StandIn
) -> None:
    connector = Healthie(credentials(stand_in), read_only=False)
    patient = stand_in.ids()[3]
    for write, arguments in [
        ("update_client", {"pronouns": "x"}),
        ("set_metadata", {"name": "a", "value": 1}),
        ("apply_tag", {"tag_id": stand_in.ids("Tag")[0]}),
        ("create_location", {"line1": "a", "city": "b", "state": "TX", "zip": "1"}),
        (
            "create_task",
            {"content": "call", "assignee_id": str(stand_in.row("User", patient)["dietitian_id"])},
        ),
    ]:
        assert send(connector, write, patient, **arguments).state == "done"
    connector.close()

    assert len(stand_in.effects()) == 5
    assert shared_stand_in.notes() == {}
