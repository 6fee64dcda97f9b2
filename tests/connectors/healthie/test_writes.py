"""What is written back to the patient: checked, silent, and never twice."""

import json

import pytest

from connectors.entry import Category
from connectors.errors import Unknown
from connectors.healthie import Healthie
from connectors.operation import Delivery, Outcome
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.writing import KEY, look, present, send


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
    assert stand_in.effects()[-1]["input"] == {"id": patient, "user_group_id": ""}  # null would leave it


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


def test_every_write_says_how_often_it_may_arrive(writer: Healthie) -> None:
    writes = writer.writes()

    assert set(writes) == {
        *("update_client", "create_client", "set_metadata", "apply_tag", "remove_tag"),
        *("create_location", "update_location", "create_task", "update_task", "complete_task"),
    }
    assert writes["remove_tag"].opposite == "apply_tag"
    for write in writes.values():
        assert (write.look is not None) == (write.delivery is Delivery.SEARCHABLE)
        assert write.record("1", {}) != write.record("2", {})
        assert "id" not in write.arguments.model_fields and "patient" not in write.arguments.model_fields


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


def test_every_field_of_a_lookups_answer_says_what_kind_it_is(writer: Healthie, patient: str) -> None:
    lookups = writer.lookups()
    shown = lookups["get_client"].answer(patient, {})

    assert isinstance(shown, dict) and set(shown) == set(lookups["get_client"].categories)
    assert lookups["get_client"].categories["dob"] is Category.IDENTITY
    assert lookups["get_client"].categories["email"] is Category.CONTACT
    assert dict(lookups["find_client"].categories) == {"id": Category.STATUS, "active": Category.STATUS}
