"""The traps of reading: defaults that bite, quirks of arguments, notes, notifications, soft deletion."""

import json
from datetime import timedelta
from pathlib import Path

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.language import Language
from connectors.sandbox.healthie.notes import is_note
from tests.connectors.sandbox.healthie.conftest import Client

EVERY = 'filter: "all", is_org: true, with_all_statuses: true, include_suborganizations: true'


def appointment(healthie: StandIn, **values) -> str:
    """An appointment of the narrow key's provider in an hour, or as `values` say."""
    when = (healthie.now() + timedelta(hours=1)).isoformat()
    patient = healthie.ids()[0]
    plain = {"date": when, "attendee_ids": [patient], "user_id": patient, "provider_ids": ["1000002"]}
    home = {"organization_id": "19000001", "is_blocker": False, "appointment_type_id": "7700001"}
    return healthie.create("Appointment", **{**plain, **home, **values})


def listed(client: Client, arguments: str) -> set[str]:
    document = f"{{ appointments({arguments} first: 100, order_by: UPDATED_AT_DESC) {{ nodes {{ id }} }} }}"
    return {row["id"] for row in client.data(document)["appointments"]["nodes"]}


def test_appointments_default_to_future_own_active_ones_with_blockers(
    client: Client, narrow: Client, healthie: StandIn
):
    past = (healthie.now() - timedelta(days=1)).isoformat()
    made = {
        "own": appointment(healthie),
        "past": appointment(healthie, date=past),
        "other": appointment(healthie, provider_ids=["1000005"]),
        "cancelled": appointment(healthie, pm_status="Cancelled"),
        "blocker": appointment(healthie, is_blocker=True, attendee_ids=[], user_id=None),
        "below": appointment(healthie, organization_id="19000002"),
    }

    def seen(arguments: str, by: Client = narrow) -> set[str]:
        found = listed(by, arguments)
        return {name for name, id_ in made.items() if id_ in found}

    assert seen("") == {"own", "blocker"}
    assert seen("", client) == set()
    assert seen('filter: "all",') == {"own", "blocker", "past"}
    assert seen("with_all_statuses: true,") == {"own", "blocker", "cancelled"}
    assert seen("is_org: true, include_blockers: false,", client) == {"own", "other"}
    assert seen(EVERY + ", include_blockers: false,", client) == set(made) - {"blocker"}


def test_a_soft_deleted_appointment_vanishes_from_lists_and_can_still_be_asked_for(
    client: Client, healthie: StandIn
):
    id_ = appointment(healthie)
    healthie.delete("Appointment", id_)
    document = "query($id: ID, $d: Boolean) { appointment(id: $id, include_deleted: $d) { id deleted_at } }"

    assert id_ not in listed(client, EVERY + ",")
    assert client.data(document, id=id_, d=False)["appointment"] is None
    assert client.data(document, id=id_, d=True)["appointment"]["deleted_at"]


def test_a_group_appointment_has_no_user_but_attendees(client: Client, healthie: StandIn):
    guests = healthie.ids()[:3]
    id_ = appointment(healthie, attendee_ids=guests, user_id=None, is_group=True)
    found = client.data(
        "query($id: ID) { appointment(id: $id) { user_id user { id } is_group attendees { id }"
        " attended_clients { user { id } } } }",
        id=id_,
    )["appointment"]
    of_second = client.data(
        'query($u: ID) { appointments(user_id: $u, filter: "all", is_org: true) { nodes { id } } }',
        u=guests[1],
    )["appointments"]["nodes"]

    assert (found["user_id"], found["user"], found["is_group"]) == (None, None, True)
    assert [one["id"] for one in found["attendees"]] == guests
    assert [one["user"]["id"] for one in found["attended_clients"]] == guests
    assert {"id": id_} in of_second


def test_ids_are_numbers_where_healthie_gives_numbers(client: Client, healthie: StandIn):
    id_ = appointment(healthie)
    document = """query($id: ID, $u: ID!) { appointment(id: $id) { user_id appointment_type_id }
        users(ids: [$u]) { nodes { dietitian_id user_group_id } } }"""
    found = client.data(document, id=id_, u=healthie.ids()[0])

    assert found["appointment"]["user_id"] == int(healthie.ids()[0])
    assert isinstance(found["users"]["nodes"][0]["dietitian_id"], str)


def test_reading_a_user_clears_notifications_unless_told_not_to(client: Client, healthie: StandIn):
    me, patient = "1000001", next(iter(healthie.unseen()["1000001"]))
    document = "query($id: ID, $c: Boolean!) { user(id: $id, clear_notifs: $c) { id } }"
    count = "{ currentUser { unseen_notifications_count } }"
    before = client.data(count)["currentUser"]["unseen_notifications_count"]
    waiting = healthie.unseen()[me][patient]
    client.data(document, id=patient, c=False)
    client.data("query($ids: [ID]) { users(ids: $ids) { nodes { id } } }", ids=[patient])
    kept = healthie.unseen()[me]
    client.data("query($id: ID) { user(id: $id) { id } }", id=patient)

    assert kept[patient] == waiting
    assert patient not in healthie.unseen()[me]
    assert client.data(count)["currentUser"]["unseen_notifications_count"] == before - waiting


def test_an_unknown_user_is_null_or_the_keys_own_user(client: Client):
    document = 'query($o: Boolean) { user(id: "42", or_current_user: $o) { id } }'

    assert client.data(document, o=False)["user"] is None
    assert client.data(document, o=True)["user"] == {"id": "1000001"}


def test_invoices_are_found_by_sender_or_recipient_under_one_argument(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    sent = healthie.create("RequestedPayment", sender_id=patient, recipient_id="1000003", price="1.00")
    got = healthie.create("RequestedPayment", sender_id="1000003", recipient_id=patient, price="2.50")
    document = """query($id: ID) { requestedPayments(sender_id: $id, first: 50) {
        nodes { id price balance_due } } }"""
    nodes = {row["id"]: row for row in client.data(document, id=patient)["requestedPayments"]["nodes"]}

    assert {sent, got} <= nodes.keys()
    assert nodes[got]["price"] == "2.50"


def test_money_is_text_here_a_float_there_and_cents_elsewhere(client: Client, healthie: StandIn):
    document = """{ billingItems(first: 1) { nodes { amount_paid } }
        requestedPayments(first: 20, status_filter: "Not Yet Paid") { nodes { price balance_due } }
        users(first: 60) { nodes { money_owed policies { copay_value } } } }"""
    found = client.data(document)
    copays = [one["copay_value"] for row in found["users"]["nodes"] for one in row["policies"]]

    assert isinstance(found["billingItems"]["nodes"][0]["amount_paid"], str)
    assert {type(row["balance_due"]) for row in found["requestedPayments"]["nodes"]} == {float}
    assert {type(one) for one in copays} == {int} and 2000 in copays


def test_recurring_payments_hide_the_cancelled_ones(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    gone = healthie.create("RecurringPayment", sender_id=patient, is_canceled=True)
    document = (
        "query($u: ID!, $s: String) { recurringPayments(user_id: $u, active_status: $s) { nodes { id } } }"
    )
    plain = "query($u: ID!) { recurringPayments(user_id: $u) { nodes { id } } }"

    assert {"id": gone} not in client.data(plain, u=patient)["recurringPayments"]["nodes"]
    assert {"id": gone} in client.data(document, u=patient, s="all")["recurringPayments"]["nodes"]


def test_metadata_of_users_is_text_and_may_be_malformed(client: Client, healthie: StandIn):
    patient = healthie.ids()[0]
    healthie.edit("User", patient, metadata="{not json")
    users = client.data("{ users(first: 60) { nodes { id metadata } } }")["users"]["nodes"]
    texts = {row["id"]: row["metadata"] for row in users}

    assert texts[patient] == "{not json"
    assert any(
        isinstance(text, str) and "plan" in json.loads(text) for text in texts.values() if text != "{not json"
    )
    assert None in texts.values()


def test_child_writes_touch_their_patient_only_where_the_setting_says_so(client: Client, healthie: StandIn):
    patient = next(one for one in healthie.ids() if healthie.rows_of("Location", one))
    place = healthie.rows_of("Location", patient)[0]["id"]
    before = healthie.row("User", patient)["updated_at"]
    healthie.edit("Location", place, city="Elsewhere")
    untouched = healthie.row("User", patient)["updated_at"]
    healthie.configure(child_writes_touch_user=True)
    healthie.edit("Location", place, city="Nowhere")

    assert untouched == before < healthie.row("User", patient)["updated_at"]


def test_tags_may_share_a_name_and_applied_tags_can_be_asked_for_since_an_instant(
    client: Client, healthie: StandIn
):
    tags = client.data("{ tagsPaginated(first: 50) { nodes { id name } } }")["tagsPaginated"]["nodes"]
    patient = next(one for one in healthie.ids() if not healthie.rows_of("AppliedTag", one))
    since = healthie.now().isoformat()
    healthie.tag(patient, tags[0]["id"])
    document = """query($s: ISO8601DateTime!) { appliedTags(updated_after: $s, order_by: UPDATED_AT_ASC) {
        nodes { tag_id user_id } total_count } }"""
    found = client.data(document, s=since)["appliedTags"]
    healthie.untag(patient, tags[0]["id"])

    assert [tag["name"] for tag in tags].count("Follow-up") == 2
    assert found == {"nodes": [{"tag_id": tags[0]["id"], "user_id": patient}], "total_count": 1}
    assert client.data(document, s=since)["appliedTags"]["nodes"] == []


def test_notes_are_served_as_canaries_and_every_request_for_one_is_recorded(
    client: Client, healthie: StandIn
):
    document = """query($id: ID!) {
      user(id: $id, clear_notifs: false) { quick_notes current_summary { summary }
        form_answer_groups { name form_answers { answer } } policies { notes } }
      chartNotes(user_id: $id, first: 2) { nodes { form_answers { displayed_answer } } }
      appointments(filter: "all", is_org: true, first: 1) { nodes { notes reason } }
      tasks(first: 1) { nodes { note { content } } } }"""
    found = client.data(document, id=healthie.ids()[0])

    assert found["user"]["quick_notes"].startswith("CANARY_NOTE_User_quick_notes_")
    assert found["user"]["form_answer_groups"][0]["form_answers"][0]["answer"].startswith("CANARY_NOTE_")
    assert found["chartNotes"]["nodes"][0]["form_answers"][0]["displayed_answer"].startswith("CANARY_NOTE_")
    assert found["appointments"]["nodes"][0]["reason"].startswith("CANARY_NOTE_Appointment_reason_")
    assert {
        *("User.quick_notes", "User.current_summary", "GeneratedSummary.summary", "User.form_answer_groups"),
        *("FormAnswerGroup.name", "FormAnswer.answer", "Policy.notes", "Query.chartNotes", "Task.note"),
        *("Note.content", "Appointment.notes", "Appointment.reason"),
    } <= healthie.notes().keys()


def test_an_innocent_request_records_no_note(client: Client, healthie: StandIn):
    client.data("{ users(first: 5) { nodes { id policies { num } appointments { id } } } }")

    assert healthie.notes() == {}


def test_every_note_root_and_field_of_the_exclusions_is_recorded(shared: Path):
    denied = json.loads((shared / "specs/healthie/exclusions.json").read_text())
    schema = Language().schema
    types = {name for group in denied["deny_types"].values() for name in group} & schema.type_map.keys()
    unmarked = [
        f"{name}.{field}"
        for name, fields in {**denied["deny_fields"], "Query": denied["deny_root_fields"]}.items()
        for field in fields
        if name in schema.type_map
        and (made := schema.type_map[name].fields.get(field)) is not None
        and not is_note(schema, name, field, made)
    ]

    assert unmarked == []
    assert len(types) > 20 and all(
        is_note(schema, name, field, made)
        for name in types
        for field, made in schema.type_map[name].fields.items()
    )
