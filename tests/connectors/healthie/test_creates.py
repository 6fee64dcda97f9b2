"""What was created is never called refused: sent again, it would be there twice."""

import pytest
from pydantic import JsonValue

from connectors.errors import Unknown
from connectors.healthie import Healthie
from connectors.operation import Item, Outcome
from tests.connectors.healthie.canned import Canned, answering

PERSON: dict[str, JsonValue] = {
    "first_name": "Bo",
    "last_name": "Ek",
    "dietitian_id": "3",
    "phone_number": "+15125550100",
}
LINES: dict[str, JsonValue] = {"line1": "1 Elm", "city": "Reno", "state": "NV", "zip": "89501"}
TASK: dict[str, JsonValue] = {"content": "Call", "assignee_id": "3"}
WHOLE: dict[str, JsonValue] = {"id": "9", "record_identifier": "k", **PERSON}


def create(
    *answers: JsonValue, write: str = "create_client", arguments: dict[str, JsonValue] = PERSON
) -> Outcome:
    with answering(*map(Canned, answers)) as server:
        connector = Healthie(server.credentials, read_only=False)
        try:
            (outcome,) = connector.writes()[write].send([Item("k", "7", arguments)])
        finally:
            connector.close()
    return outcome


def answer(payload: JsonValue, *faults: JsonValue, root: str = "createClient") -> JsonValue:
    return {"data": {root: payload}, **({"errors": [*faults]} if faults else {})}


@pytest.mark.parametrize(
    ("user", "code"),
    [
        (WHOLE, ""),
        ({**WHOLE, "phone_number": "(512) 555-0100"}, ""),  # the same number, without its country
        ({**WHOLE, "phone_number": "(512) 555-0199"}, "differs.phone_number"),
        ({**WHOLE, "first_name": "bo", "last_name": "EK"}, "differs.first_name"),
        ({**WHOLE, "record_identifier": None}, "differs.record_identifier"),  # no look would find it
        ({"id": "9"}, "differs.dietitian_id"),
    ],
)
def test_a_client_that_came_back_is_done_and_a_difference_is_named(user: JsonValue, code: str) -> None:
    assert create(answer({"user": user, "messages": None})) == Outcome("k", "done", code, "9")


def test_a_fault_beside_the_id_is_a_difference_and_no_refusal() -> None:
    fault: JsonValue = {"path": ["createClient", "user", "phone_number"], "extensions": {"code": "FORBIDDEN"}}
    user: JsonValue = {**WHOLE, "phone_number": None}

    assert create(answer({"user": user, "messages": None}, fault)) == Outcome(
        "k", "done", "differs.phone_number", "9"
    )


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({"user": None, "messages": None}, {"path": ["createClient", "user", "id"], "message": "x"}),
        (None, {"path": ["createClient", "user", "id"], "extensions": {"code": "FORBIDDEN"}}),
        (None, {"path": ["createClient"], "message": "something"}),
        ({"user": None, "messages": []}, None),
        ({"user": {"first_name": "Bo"}, "messages": []}, None),
        ({"user": WHOLE, "messages": [{"field": "email"}]}, None),
        (None, None),
    ],
)
def test_what_nobody_can_tell_is_for_a_look(payload: JsonValue, fault: JsonValue) -> None:
    with pytest.raises(Unknown) as failure:
        create(answer(payload, *([fault] if fault else [])))

    assert failure.value.code == "not_shown"


@pytest.mark.parametrize(
    ("payload", "fault", "code"),
    [
        ({"user": None, "messages": [{"field": "phone_number"}]}, None, "refused_by_healthie.phone_number"),
        ({"user": {"id": None}, "messages": [{"field": None}]}, None, "refused_by_healthie"),
        (None, {"path": ["createClient"], "extensions": {"code": "FORBIDDEN"}}, "forbidden"),
    ],
)
def test_a_refusal_that_shows_no_record_is_one(payload: JsonValue, fault: JsonValue, code: str) -> None:
    assert create(answer(payload, *([fault] if fault else []))) == Outcome("k", "rejected", code)


def test_an_address_and_a_task_that_came_back_are_done() -> None:
    there: JsonValue = {"data": {"users": {"nodes": [{"id": "7", "locations": []}]}}}
    location = answer({"location": {"id": "4", **LINES, "state": "Nevada"}}, root="createLocation")
    task: JsonValue = {"id": "5", "client_id": "7", "content": "Call", "metadata": "{}"}
    kept: JsonValue = {"id": "5", "client_id": "7", "content": "Call", "metadata": '{"ferry": "k"}'}

    assert create(there, location, write="create_location", arguments=LINES) == Outcome(
        "k", "done", "differs.state", "4"
    )
    for found, code in [(task, "differs.metadata"), (kept, "")]:
        made = answer({"task": found}, root="createTask")
        assert create(made, write="create_task", arguments=TASK) == Outcome("k", "done", code, "5")
