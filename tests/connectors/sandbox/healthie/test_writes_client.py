"""What the mutations of patients do, and how they fail: with messages and HTTP 200."""

import json

import pytest

from connectors.sandbox.healthie import StandIn
from tests.connectors.sandbox.healthie.conftest import Client

UPDATE = """mutation($input: updateClientInput!) { updateClient(input: $input) {
  user { id first_name last_name email active archived_at updated_at metadata user_group_id other_provider_ids
    dob policies { id num priority_type } locations { id city } client_source { ref_source } }
  messages { field message } } }"""
CREATE = """mutation($input: createClientInput!) { createClient(input: $input) {
  user { id first_name email dietitian_id active } messages { field message } } }"""
BULK = """mutation($input: bulkUpdateClientsInput!) { bulkUpdateClients(input: $input) {
  users { id active user_group_id } messages { field message } } }"""


def update(client: Client, **values):
    return client.data(UPDATE, input=values)["updateClient"]


def test_an_update_changes_the_patient_and_bumps_its_stamp(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    before = healthie.row("User", patient)["updated_at"]
    answer = update(client, id=patient, first_name="Zoë", dob="1990-02-28", metadata=json.dumps({"a": 1}))
    stored = healthie.row("User", patient)

    assert answer["messages"] is None
    assert (answer["user"]["first_name"], answer["user"]["dob"]) == ("Zoë", "1990-02-28")
    assert stored["updated_at"] > before and stored["metadata"] == '{"a": 1}'
    assert client.data("query($i: [ID]) { users(ids: $i) { nodes { first_name } } }", i=[patient])["users"][
        "nodes"
    ] == [{"first_name": "Zoë"}]


def test_an_update_that_changes_nothing_leaves_the_stamp(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    before = healthie.row("User", patient)
    update(client, id=patient, first_name=before["first_name"])

    assert healthie.row("User", patient)["updated_at"] == before["updated_at"]
    assert healthie.effects("updateClient")[-1]["applied"] is False


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"dob": "31.01.1990"}, "dob"),
        ({"email": "no address"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "staff0@example.com"}, "email"),
        ({"first_name": ""}, "first_name"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"user_group_id": "42"}, "user_group_id"),
        ({"dietitian_id": "42"}, "dietitian_id"),
        ({"other_provider_ids": ["1000002", "42"]}, "other_provider_ids"),
        ({"metadata": "x" * 128_001}, "metadata"),
    ],
)
def test_a_refused_update_says_why_and_changes_nothing(values, field, client: Client, healthie: StandIn):
    patient = healthie.ids()[1]
    before = healthie.row("User", patient)
    answer = update(client, id=patient, legal_name="Changed", **values)

    assert [one["field"] for one in answer["messages"]] == [field]
    assert healthie.row("User", patient) == before


def test_the_same_name_and_email_cannot_be_taken_twice(client: Client, healthie: StandIn):
    first, second = healthie.ids()[10:12]
    healthie.edit("User", first, first_name="Ana", last_name="Núñez", email="Ana@example.com")
    shared = update(client, id=second, email="ana@example.com")
    same = update(client, id=second, first_name="Ana", last_name="Núñez")

    assert shared["messages"] is None
    assert same["messages"][0]["message"] == "Email has already been taken"


def test_an_unknown_client_is_a_message(client: Client):
    answer = update(client, id="42", first_name="Zoë")

    assert (answer["user"], answer["messages"][0]["field"]) == (None, "id")


def test_a_narrow_key_cannot_write_what_it_cannot_see(narrow: Client, healthie: StandIn):
    hidden = healthie.create("User", first_name="Ana", last_name="Hidden", dietitian_id="1000005")

    assert update(narrow, id=hidden, first_name="Zoë")["user"] is None
    assert healthie.row("User", hidden)["first_name"] == "Ana"


def test_archiving_and_restoring(client: Client, healthie: StandIn):
    patient = healthie.ids()[2]
    archived = update(client, id=patient, active=False)["user"]
    restored = update(client, id=patient, active=True)["user"]

    assert archived["active"] is False and archived["archived_at"]
    assert restored["active"] is True and restored["archived_at"] is None


def test_a_mailing_flag_sends_mail_and_drops_the_demographics(client: Client, healthie: StandIn):
    patient = healthie.ids()[3]
    answer = update(client, id=patient, first_name="Ignored", resend_welcome=True)

    assert answer["user"]["first_name"] != "Ignored"
    assert healthie.mails() == [[patient, "resend_welcome"]]


def test_groups_and_care_team(client: Client, healthie: StandIn):
    patient = healthie.ids()[4]
    set_ = update(client, id=patient, user_group_id="6000002", other_provider_ids=["1000003"])["user"]
    cleared = update(client, id=patient, user_group_id="")["user"]

    assert (set_["user_group_id"], set_["other_provider_ids"]) == ("6000002", ["1000003"])
    assert cleared["user_group_id"] is None


def test_care_team_is_added_to_where_the_setting_says_so(client: Client, healthie: StandIn):
    patient = healthie.ids()[4]
    update(client, id=patient, other_provider_ids=["1000003"])
    healthie.configure(other_provider_ids_replace=False)
    added = update(client, id=patient, other_provider_ids=["1000004"])["user"]

    assert added["other_provider_ids"] == ["1000003", "1000004"]


def test_policies_and_addresses_ride_on_the_update(client: Client, healthie: StandIn):
    patient = healthie.create("User", first_name="Ana", last_name="Policy", skipped_email=True)
    plan = {"insurance_plan_id": "4000001", "num": "W1", "priority_type": "primary"}
    made = update(client, id=patient, policies=[plan], locations=[{"city": "Boston"}])["user"]
    first = made["policies"][0]["id"]
    second = update(client, id=patient, policies=[{"num": "W2"}, {"id": first, "num": "W9"}])["user"]
    gone = update(
        client,
        id=patient,
        policies=[{"id": first, "_destroy": True}],
        locations=[{"id": made["locations"][0]["id"], "_destroy": True}],
    )["user"]

    assert {one["num"] for one in second["policies"]} == {"W9", "W2"}
    assert [one["num"] for one in gone["policies"]] == ["W2"]
    assert gone["locations"] == []


def test_policies_left_out_go_where_the_setting_says_so(client: Client, healthie: StandIn):
    patient = healthie.create("User", first_name="Ana", last_name="Omitted", skipped_email=True)
    update(client, id=patient, policies=[{"num": "W1"}])
    healthie.configure(omitted_policies_survive=False)
    left = update(client, id=patient, policies=[{"num": "W2"}])["user"]

    assert [one["num"] for one in left["policies"]] == ["W2"]


def test_foreign_policies_are_refused_and_location_is_silently_ignored(client: Client, healthie: StandIn):
    first, second = healthie.ids()[:2]
    foreign = healthie.create("Policy", user_id=second, num="W5")
    answer = update(client, id=first, policies=[{"id": foreign, "num": "W6"}])
    ignored = update(client, id=first, location={"city": "Nowhere"})

    assert answer["messages"][0]["message"].startswith("Couldn't find Policy")
    assert ignored["messages"] is None
    assert "Nowhere" not in [one["city"] for one in ignored["user"]["locations"]]


def test_creating_sends_a_welcome_unless_declined_and_defaults_the_provider(
    client: Client, healthie: StandIn
):
    plain = {"first_name": "Ana", "last_name": "New", "email": "ana.new@example.com"}
    loud = client.data(CREATE, input=plain)["createClient"]
    quiet = client.data(
        CREATE,
        input={**plain, "email": "quiet@example.com", "dont_send_welcome": True, "dietitian_id": "1000003"},
    )["createClient"]

    assert healthie.mails() == [[loud["user"]["id"], "welcome"]]
    assert (loud["user"]["dietitian_id"], quiet["user"]["dietitian_id"]) == ("1000001", "1000003")
    assert loud["user"]["id"] in healthie.ids()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"last_name": "X", "email": "x@example.com"}, "first_name"),
        ({"first_name": "X", "last_name": "X"}, "email"),
        ({"first_name": "X", "last_name": "X", "email": "x@example.com", "dob": "soon"}, "dob"),
    ],
)
def test_a_refused_creation_makes_nobody(values, field, client: Client, healthie: StandIn):
    before = healthie.ids()
    answer = client.data(CREATE, input=values)["createClient"]

    assert (answer["user"], [one["field"] for one in answer["messages"]]) == (None, [field])
    assert healthie.ids() == before


def test_a_bulk_update_moves_to_a_group_and_archives_without_one(client: Client, healthie: StandIn):
    ids = healthie.ids()[20:22]
    for patient in ids:
        healthie.restore(patient)
    moved = client.data(BULK, input={"ids": ids, "user_group_id": "6000003"})["bulkUpdateClients"]
    trapped = client.data(BULK, input={"ids": ids, "other_provider_ids": ["1000003"]})["bulkUpdateClients"]
    restored = client.data(BULK, input={"ids": ids, "active_status": True})["bulkUpdateClients"]

    assert {(row["active"], row["user_group_id"]) for row in moved["users"]} == {(True, "6000003")}
    assert {row["active"] for row in trapped["users"]} == {False}
    assert {row["active"] for row in restored["users"]} == {True}


def test_effects_name_the_input_and_what_changed(client: Client, healthie: StandIn):
    patient = healthie.ids()[6]
    update(client, id=patient, first_name="Noted", policies=[{"num": "W7"}])
    effect = healthie.effects("updateClient")[-1]

    assert effect["input"]["first_name"] == "Noted" and effect["applied"] is True
    assert [(one["act"], one["type"], one["fields"]) for one in effect["changes"]] == [
        ("changed", "User", ["first_name"]),
        ("created", "Policy", ["num", "user_id"]),
    ]


def test_writing_a_note_is_recorded(client: Client, healthie: StandIn):
    update(client, id=healthie.ids()[0], quick_notes="never")

    assert healthie.notes() == {"updateClientInput.quick_notes": 1}
