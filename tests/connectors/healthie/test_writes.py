"""What is written back: to this patient only, checked, and never twice."""

import json
from collections.abc import Iterator

import pytest
from pydantic import JsonValue

from connectors.errors import Unknown
from connectors.healthie import Healthie
from connectors.operation import Delivery, Item, Outcome
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.conftest import credentials

KEY = "9f2c4e"


def send(connector: Healthie, write: str, patient: str, key: str = KEY, **arguments: JsonValue) -> Outcome:
    (outcome,) = connector.writes()[write].send([Item(key, patient, arguments)])
    assert outcome.key == key
    return outcome


def look(connector: Healthie, write: str, patient: str, key: str = KEY, **arguments: JsonValue) -> str | None:
    asked = connector.writes()[write].look
    assert asked is not None
    return asked([Item(key, patient, arguments)])[key]


def present(connector: Healthie, write: str, patient: str, **arguments: JsonValue) -> object:
    asked = connector.writes()[write].present
    assert asked is not None
    return asked([Item(KEY, patient, arguments)])[KEY]


@pytest.fixture
def patient(stand_in: StandIn) -> Iterator[str]:
    """A patient of its own for each test."""
    home = stand_in.row("User", stand_in.ids()[0])
    yield stand_in.create(
        "User",
        is_patient=True,
        active=True,
        first_name="Ana",
        last_name="Lima",
        email=None,
        organization_id=home["organization_id"],
        dietitian_id=home["dietitian_id"],
    )


def test_update_client_changes_only_what_is_given(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    before = stand_in.row("User", patient)
    outcome = send(writer, "update_client", patient, phone_number="(212) 555-0100", dob="1980-01-02")
    after = stand_in.row("User", patient)
    changed = {name for name in after if after[name] != before.get(name)} - {"updated_at"}

    assert outcome == Outcome(KEY, "done", reference=patient)
    assert changed == {"phone_number", "dob"}
    (effect,) = stand_in.effects()
    assert effect["input"] == {"id": patient, "phone_number": "(212) 555-0100", "dob": "1980-01-02"}
    assert stand_in.mails() == []


def test_a_null_group_takes_the_patient_out(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    group = stand_in.ids("UserGroup")[0]

    assert send(writer, "update_client", patient, user_group_id=group).state == "done"
    assert stand_in.row("User", patient)["user_group_id"] == group
    assert send(writer, "update_client", patient, user_group_id=None).state == "done"
    assert stand_in.row("User", patient)["user_group_id"] is None


def test_archiving_is_an_update(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    assert send(writer, "update_client", patient, active=False).state == "done"
    assert stand_in.row("User", patient)["active"] is False


def test_a_refusal_names_the_field_and_no_value(writer: Healthie, patient: str) -> None:
    for arguments, code in [
        ({"email": "not-an-address"}, "refused_by_healthie.email"),
        ({"timezone": "Mars/Olympus"}, "refused_by_healthie.timezone"),
        ({"user_group_id": "1"}, "refused_by_healthie.user_group_id"),
    ]:
        assert send(writer, "update_client", patient, **arguments) == Outcome(KEY, "rejected", code)
    assert send(writer, "update_client", "999", first_name="X") == Outcome(
        KEY, "rejected", "refused_by_healthie"
    )


def test_arguments_that_do_not_exist_are_rejected_unsent(
    writer: Healthie, stand_in: StandIn, patient: str
) -> None:
    for arguments in ({"ssn": "1"}, {"resend_welcome": True}, {"metadata": "{}"}, {"id": "2"}, {}):
        assert send(writer, "update_client", patient, **arguments).code == "bad_arguments"
    assert stand_in.requests()["count"] == 0


def test_what_the_patient_holds_is_told_in_the_arguments_names(writer: Healthie, patient: str) -> None:
    send(writer, "update_client", patient, email="Ana@Example.com", pronouns="")

    assert present(writer, "update_client", patient, email="ana@example.com", pronouns=None, sex="x") == {
        "email": "ana@example.com",
        "pronouns": None,
        "sex": None,
    }
    assert present(writer, "update_client", "999", email="x") is None


def test_create_client_is_silent_findable_and_explicit(writer: Healthie, stand_in: StandIn) -> None:
    provider = str(stand_in.row("User", stand_in.ids()[0])["dietitian_id"])
    outcome = send(
        writer, "create_client", "src-1", "k-create-1", first_name="Bo", last_name="Ek", dietitian_id=provider
    )
    assert outcome.reference is not None
    made = stand_in.row("User", outcome.reference)

    assert outcome.state == "done"
    assert made["record_identifier"] == "k-create-1" and made["dietitian_id"] == provider
    assert stand_in.mails() == []
    assert look(writer, "create_client", "src-1", "k-create-1") == outcome.reference
    assert look(writer, "create_client", "src-1", "k-create") is None  # found by Healthie, but not ours


def test_a_create_that_was_cut_off_is_found_by_a_look(writer: Healthie, stand_in: StandIn) -> None:
    provider = str(stand_in.row("User", stand_in.ids()[0])["dietitian_id"])
    before = len(stand_in.ids())
    stand_in.fault("reset_applied", root="createClient")
    with pytest.raises(Unknown):
        send(
            writer, "create_client", "src-2", "k-cut", first_name="Cy", last_name="Om", dietitian_id=provider
        )

    assert look(writer, "create_client", "src-2", "k-cut") is not None
    assert len(stand_in.ids()) == before + 1


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


def test_metadata_is_merged_under_our_own_key(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    stand_in.edit(
        "User", patient, metadata=json.dumps({"mrn": "7", "ferry": {"old": 1}, "list": [1, {"x": None}]})
    )
    assert send(writer, "set_metadata", patient, name="status", value="active").state == "done"
    assert send(writer, "set_metadata", patient, name="seen", value=None).state == "done"
    held = json.loads(str(stand_in.row("User", patient)["metadata"]))

    assert held == {
        "mrn": "7",
        "ferry": {"old": 1, "status": "active", "seen": None},
        "list": [1, {"x": None}],
    }
    assert present(writer, "set_metadata", patient, name="seen") == {"name": "seen", "value": None}
    assert present(writer, "set_metadata", patient, name="nope") is None


@pytest.mark.parametrize("text", ["{broken", "[]", '{"ferry": 3}'])
def test_a_metadata_that_cannot_be_merged_is_left_alone(
    writer: Healthie, stand_in: StandIn, patient: str, text: str
) -> None:
    stand_in.edit("User", patient, metadata=text)

    assert send(writer, "set_metadata", patient, name="a", value=1) == Outcome(
        KEY, "rejected", "metadata_malformed"
    )
    assert stand_in.row("User", patient)["metadata"] == text


def test_a_metadata_that_would_be_too_long_is_not_sent(
    writer: Healthie, stand_in: StandIn, patient: str
) -> None:
    stand_in.edit("User", patient, metadata=json.dumps({"x": "y" * 127_990}))

    assert send(writer, "set_metadata", patient, name="a", value="b").code == "metadata_too_large"
    assert stand_in.effects() == []


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


def test_a_200_that_changed_nothing_is_no_success(writer: Healthie, stand_in: StandIn, patient: str) -> None:
    stand_in.fault("partial", root="updateClient")
    with pytest.raises(Unknown):
        send(writer, "update_client", patient, first_name="New")
    stand_in.faults()
    # the stand-in reads a birthday's first ten characters only; what was asked for is not what is there
    assert send(writer, "update_client", patient, first_name="  ").state == "rejected"


def test_every_write_says_how_often_it_may_arrive(writer: Healthie) -> None:
    writes = writer.writes()

    assert set(writes) == {
        *("update_client", "create_client", "set_metadata", "apply_tag", "remove_tag"),
        *("create_location", "update_location", "create_task", "update_task", "complete_task"),
    }
    for write in writes.values():
        assert (write.look is not None) == (write.delivery is Delivery.SEARCHABLE)
        assert write.record("1", {}) != write.record("2", {})
        assert "id" not in write.arguments.model_fields and "patient" not in write.arguments.model_fields


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


def test_a_client_is_found_only_if_all_is_equal(writer: Healthie, stand_in: StandIn) -> None:
    home = stand_in.row("User", stand_in.ids()[0])["organization_id"]
    made = stand_in.create(
        "User",
        is_patient=True,
        active=True,
        first_name="Zoë",
        last_name="Quill",
        dob="1990-05-06",
        email="zoe.quill@example.com",
        organization_id=home,
    )
    find = writer.lookups()["find_client"].answer

    assert find("", {"last_name": "quill", "dob": "1990-05-06"}) == [{"id": made, "active": True}]
    assert find("", {"last_name": "Quil", "dob": "1990-05-06"}) == []
    assert find("", {"last_name": "Quill", "dob": "1990-05-06", "first_name": "Zoe"}) == []
    assert find("", {"last_name": "Quill", "dob": "1990-05-06", "email": "ZOE.quill@example.com"}) != []
    shown = writer.lookups()["get_client"].answer(made, {})
    assert isinstance(shown, dict) and shown["dob"] == "1990-05-06"
    assert writer.lookups()["get_client"].answer("999", {}) is None
