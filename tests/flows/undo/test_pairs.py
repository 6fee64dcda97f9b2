"""An undo where two integrations go to and fro: the other direction does not carry back what was put back."""

from tests.flows.twoway.conftest import world
from tests.flows.twoway.world import CHART, CRM, World

__all__ = ["world"]


def test_what_goes_both_ways_is_put_back_and_stays_so(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    world.edit_patient(patient, email="Anna@Example.com", phone_number="(312) 555-0199")
    bad = world.run(CRM)
    contact = world.contacts()[patient]
    assert world.contact(contact)["email"] == "anna@example.com"  # as HubSpot writes it
    world.writes()

    undone = world.run(CRM, "undo", bad.id)

    assert (undone.state, undone.counts["undo_kept"]) == ("complete", 0)
    there = world.contact(contact)
    assert (there["email"], there["phone"]) == ("ana@example.com", "312-555-0101")
    assert world.writes() == 1
    for name in (CHART, CRM, CHART, CRM):
        assert world.run(name).state == "complete"
    assert world.writes() == 0
    chart = world.chart(patient)
    assert (chart["email"], chart["phone_number"]) == ("Anna@Example.com", "(312) 555-0199")


def test_an_edit_of_either_side_after_an_undo_is_carried(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    world.edit_patient(patient, phone_number="312-555-0199")
    bad = world.run(CRM)
    world.run(CRM, "undo", bad.id)
    contact = world.contacts()[patient]

    world.hubspot.edit(contact, phone="312-555-0122")
    world.settle(2)
    assert world.chart(patient)["phone_number"] == "312-555-0122"

    world.edit_patient(patient, phone_number="312-555-0133")
    world.settle(2)
    assert world.contact(contact)["phone"] == "312-555-0133"


def test_what_a_person_edited_there_since_stays(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    world.edit_patient(patient, first_name="Anna", phone_number="312-555-0199")
    bad = world.run(CRM)
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, phone="312-555-0122")

    undone = world.run(CRM, "undo", bad.id)

    assert undone.counts["undo_kept"] == 1
    assert (world.contact(contact)["firstname"], world.contact(contact)["phone"]) == ("Ana", "312-555-0122")


def test_what_the_other_direction_wrote_into_the_chart_is_put_back_there(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, phone="312-555-0177")
    bad = world.run(CHART)
    assert world.chart(patient)["phone_number"] == "312-555-0177"

    undone = world.run(CHART, "undo", bad.id)

    assert undone.state == "complete"
    assert world.chart(patient)["phone_number"] == "312-555-0101"
    world.writes()
    for name in (CRM, CHART, CRM, CHART):
        assert world.run(name).state == "complete"
    assert world.writes() == 0
    assert world.contact(contact)["phone"] == "312-555-0177"
