"""Whose value stands where both sides were edited, and what becomes of an edit that is not the owner's."""

import pytest

from tests.flows.twoway.world import CHART, CRM, World

FIRST = pytest.mark.parametrize("first", [CRM, CHART])
"""Whichever of the two runs comes first."""


def other(name: str) -> str:
    return CHART if name == CRM else CRM


@pytest.fixture
def patient(world: World) -> str:
    """A patient who is a contact already."""
    made = world.patient(
        email="ana@example.com", phone_number="312-555-0101", additional_phone_number="312-555-0102"
    )
    world.settle(1)
    world.writes()
    return made


@FIRST
def test_of_two_edits_of_a_persons_field_neither_is_overwritten(
    world: World, patient: str, first: str
) -> None:
    contact = world.contacts()[patient]
    world.edit_patient(patient, email="chart@example.com")
    world.hubspot.edit(contact, email="desk@example.com")

    ran = [world.run(first), world.run(other(first)), world.run(first), world.run(other(first))]

    assert world.chart(patient)["email"] == "chart@example.com"
    assert world.contact(contact)["email"] == "desk@example.com"
    assert world.writes() == 0
    assert [one.counts.get("contested", 0) for one in ran] == [1, 1, 0, 0]
    told = [line for name in (CRM, CHART) for line in world.status(name) if "contested: email" in line]
    assert len(told) == 2
    assert "example.com" not in " ".join(told)


def test_what_a_person_makes_the_same_is_not_contested_any_more(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.edit_patient(patient, email="chart@example.com")
    world.hubspot.edit(contact, email="desk@example.com")
    world.settle(1)

    world.hubspot.edit(contact, email="chart@example.com")
    world.settle(1)
    world.edit_patient(patient, email="later@example.com")
    world.settle(1)

    assert world.contact(contact)["email"] == "later@example.com"
    assert not [line for line in world.status(CRM) if "contested" in line]


@FIRST
@pytest.mark.parametrize("newest", [CRM, CHART])
def test_of_two_edits_the_newest_holds_on_both_sides(
    world: World, patient: str, first: str, newest: str
) -> None:
    contact = world.contacts()[patient]
    edits = {
        CRM: lambda: world.edit_patient(patient, phone_number="312-555-0111"),
        CHART: lambda: world.hubspot.edit(contact, phone="312-555-0222"),
    }
    edits[other(newest)]()
    world.healthie.advance_clock(5)
    world.hubspot.advance_clock(5)
    edits[newest]()

    ran = [world.run(first), world.run(other(first)), world.run(first)]

    expected = "312-555-0111" if newest == CRM else "312-555-0222"
    assert (world.chart(patient)["phone_number"], world.contact(contact)["phone"]) == (expected, expected)
    assert world.writes() == 1
    assert sum(one.counts.get("overwritten", 0) for one in ran) == 1


def test_what_healthie_owns_is_replaced_with_its_next_change_and_that_is_told(
    world: World, patient: str
) -> None:
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, lastname="Typed")
    assert [world.run(name).counts.get("overwritten", 0) for name in (CRM, CHART)] == [0, 0]
    assert world.contact(contact)["lastname"] == "Typed"
    world.edit_patient(patient, first_name="Anna")

    ran = world.run(CRM)

    assert (world.contact(contact)["firstname"], world.contact(contact)["lastname"]) == ("Anna", "Adler")
    assert ran.counts["overwritten"] == 1


def test_what_hubspot_owns_is_not_written_over_it(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.edit_patient(patient, additional_phone_number="312-555-0999")

    ran = world.run(CRM)
    world.run(CHART)

    assert world.contact(contact)["mobilephone"] == "312-555-0102"
    assert ran.counts["owned_there"] == 1
    assert world.chart(patient)["additional_phone_number"] == "312-555-0999"


def test_an_edit_of_one_field_does_not_carry_another_ones_spelling(world: World) -> None:
    patient = world.patient(email="Ana.Adler@Example.com", phone_number="(312) 555-0101")
    world.settle(1)
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, mobilephone="312-555-0102")

    world.settle(1)

    assert world.chart(patient)["email"] == "Ana.Adler@Example.com"
    assert world.chart(patient)["phone_number"] == "(312) 555-0101"
    assert world.chart(patient)["additional_phone_number"] == "312-555-0102"


def test_edits_of_different_fields_on_both_sides_cross(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.edit_patient(patient, email="new@example.com")
    world.hubspot.edit(contact, phone="312-555-0333")

    world.settle(1)

    assert world.contact(contact)["email"] == "new@example.com"
    assert world.chart(patient)["phone_number"] == "312-555-0333"
    assert world.writes() == 2
