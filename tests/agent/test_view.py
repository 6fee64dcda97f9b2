"""What of an entry is told to a model: handles, presence, and the values of kinds that are revealed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.identifiers import is_identifier
from agent.prompt import View
from connectors.entry import Category, leaves, without_positions
from connectors.healthie.fields import catalogue
from tests.agent.desk import ANA, CATEGORIES, TODAY

REVEALED = {Category.STATUS, Category.SCHEDULE, Category.TAGS}
VIEW = View({**CATEGORIES, "tags.name": Category.TAGS}.get, REVEALED, [*CATEGORIES, "tags.name"])
SHOWN = View(CATEGORIES.get, {*REVEALED, Category.IDENTITY, Category.CONTACT}, CATEGORIES, "shown")


def told(entry: dict[str, JsonValue], view: View = VIEW) -> list[str]:
    return view.case(entry, {}, TODAY, {}).split("\n")[1:]


def test_what_identifies_is_a_handle_and_whether_it_is_there() -> None:
    entry = {**ANA, "first_name": "", "last_name": None}
    del entry["phone"]

    assert told(entry) == [
        "@id: <present>",
        "@active: true",
        "@first_name: <empty>",
        "@last_name: null",
        "@dob: <present>",
        "@email: <present>",
        '@next_visit: "2026-12-01"',
        "@policies.0.num: <present>",
        "@policies.0.plan.name: <present>",
        "@phone: <missing>",
        "@tags.name: <missing>",
    ]


texts = st.text(min_size=1)


@given(texts, texts, st.dates(), texts, texts)
def test_no_two_patients_can_be_told_apart_by_what_identifies_them(
    name: str, email: str, born: object, phone: str, number: str
) -> None:
    other = {**ANA, "first_name": name, "email": email, "dob": str(born), "phone": phone}
    other |= {"id": number, "next_visit": None, "policies": [{"num": number, "plan": {"name": name}}]}

    assert told(other) == told({**ANA, "next_visit": None})


def test_a_list_without_elements_and_a_record_without_fields_are_empty() -> None:
    lines = told({"policies": [], "tags": None})

    assert lines[:2] == ["@policies: <empty>", "@tags: null"]
    assert not [line for line in lines if line.startswith(("@policies.", "@tags."))]


def test_names_that_nobody_declared_are_told_to_nobody() -> None:
    view = View({"metadata": Category.SCHEDULE}.get, REVEALED, ["metadata"])

    assert told({"metadata": {"Ana Silva": {"her mother": "Eva"}}, "Eva": 1}, view) == [
        "@metadata: <present>"
    ]


@pytest.mark.parametrize(
    "tag", ["Ana Silva-Example", "for ANA", "mail ana@EXAMPLE.com!", "call 512 555 0142", "1-(512) 555-0142"]
)
def test_a_value_that_may_not_be_seen_is_not_seen_in_another_either(tag: str) -> None:
    assert '@tags.0.name: "<hidden>"' in told({**ANA, "tags": [{"name": tag}]})


@pytest.mark.parametrize("tag", ["banana", "VIP", "Blue", "2026"])
def test_other_values_are_seen(tag: str) -> None:
    assert f'@tags.0.name: "{tag}"' in told({**ANA, "tags": [{"name": tag}]})


def test_where_identifiers_may_be_shown_ids_still_are_not() -> None:
    lines = told(ANA, SHOWN)

    assert '@email: "ana@example.com"' in lines and '@dob: "1990-04-02"' in lines
    assert "@id: <present>" in lines and "@policies.0.num: <present>" in lines


IDENTIFIERS = """\
id human_id dietitian_id record_identifier first_name last_name full_legal_name dob email phone_number
additional_phone_number location.line1 location.zip location.city locations.name
notification_contacts.last_name
policies.num policies.group_num policies.holder_dob policies.holder_first policies.holder_phone policies.id
policies.insurance_plan.name_and_id appointments.location appointments.id appointments.provider.full_name
dietitian.npi stripe_id billing_items.stripe_charge_id billing_items.sender_id metadata metadata.nickname
referrals.referring_physician.full_name tasks.content appointments.metadata user_group_id"""
OTHERS = """\
active archived_at created_at next_appt_date appointments.date appointments.pm_status active_tags.name
user_group.name appointments.appointment_type.name policies.insurance_plan.payer_name policies.priority_type
money_owed_minor billing_items.currency cms1500s.status has_completed_intake_forms client_source.ref_type"""


def test_of_healthies_fields_the_identifiers_are_known() -> None:
    fields = catalogue()

    assert [p for p in IDENTIFIERS.split() if not is_identifier(p, fields[p].category)] == []
    assert [p for p in OTHERS.split() if is_identifier(p, fields[p].category)] == []


def test_nothing_of_healthies_that_identifies_is_seen_whatever_is_revealed() -> None:
    fields = catalogue()
    view = View(lambda path: fields[path].category, list(Category), list(fields))
    seen = {path for path in fields if view.visible(path)}

    assert seen.isdisjoint(IDENTIFIERS.split())
    assert {without_positions(path) for path, _ in leaves({"active": True})} <= seen
    assert len(seen) > 50
