"""What one direction leaves to the other, or cannot read: it comes to an end, and a person is told of it."""

from collections.abc import Sequence

import pytest

from connectors.sandbox.healthie.edits import Edit
from tests.flows.twoway.world import CHART, CRM, World

OLD, CHARTS, DESKS = "312-555-0101", "312-555-0111", "312-555-0222"


@pytest.fixture
def patient(world: World) -> str:
    made = world.patient(email="ana@example.com", phone_number=OLD)
    world.settle(1)
    world.writes()
    return made


def later(world: World) -> None:
    world.healthie.advance_clock(5)
    world.hubspot.advance_clock(5)


def phones(world: World, patient: str) -> tuple[object, object]:
    return world.chart(patient)["phone_number"], world.contact(world.contacts()[patient]).get("phone")


def planned(world: World, names: Sequence[str] = (CRM, CHART, CRM, CHART)) -> list[int]:
    return [world.run(name).counts.get("planned", 0) for name in names]


def contested(world: World) -> list[str]:
    return [line for line in world.status(CRM) if "contested: phone" in line]


@pytest.mark.parametrize("cleared", [["phone_number"], ["phone_number", "last_name"]])
def test_what_the_newer_side_does_not_carry_is_a_persons_and_not_decided_for_ever(
    world: World, patient: str, cleared: list[str]
) -> None:
    """The phone number was taken out of the chart, and what is empty there is not carried (S8)."""
    world.hubspot.edit(world.contacts()[patient], phone=DESKS)
    later(world)
    world.edit_patient(patient, **dict.fromkeys(cleared))

    assert world.run(CHART).counts["yielded"] == 1
    assert world.run(CRM).counts["contested"] == 1

    assert planned(world) == [0] * 4
    assert phones(world, patient) == (None, DESKS)
    assert len(contested(world)) == 1

    world.edit_patient(patient, phone_number=DESKS, last_name="Adler")
    world.settle(1)

    assert contested(world) == []


def test_what_was_left_to_the_other_side_and_taken_back_there_is_carried_after_all(
    world: World, patient: str
) -> None:
    world.edit_patient(patient, phone_number=CHARTS)
    later(world)
    world.hubspot.edit(world.contacts()[patient], phone=DESKS)
    assert world.run(CRM).counts["yielded"] == 1

    world.hubspot.edit(world.contacts()[patient], phone=OLD)
    world.run(CHART)
    world.run(CRM)

    assert phones(world, patient) == (CHARTS, CHARTS)
    assert planned(world) == [0] * 4


def test_what_is_cleared_on_one_side_is_not_filled_again_from_the_other(world: World, patient: str) -> None:
    world.edit_patient(patient, phone_number=None)
    world.settle(1)
    world.hubspot.edit(world.contacts()[patient], mobilephone="312-555-0177")
    world.settle(1)

    assert phones(world, patient) == (None, OLD)
    assert world.chart(patient)["additional_phone_number"] == "312-555-0177"
    assert planned(world) == [0] * 4

    world.hubspot.edit(world.contacts()[patient], phone=DESKS)
    world.settle(1)

    assert phones(world, patient) == (DESKS, DESKS)


def test_what_cannot_be_read_there_is_not_written_over(world: World, patient: str) -> None:
    world.healthie.configure(restricted_shown=True)
    world.healthie.apply([Edit(id=patient, values={"restricted": True, "email": "chart@example.com"})])
    world.hubspot.edit(world.contacts()[patient], phone=DESKS, email="desk@example.com")

    ran = world.run(CHART)

    assert (ran.state, ran.codes["held_up unreadable"] > 0) == ("incomplete", True)
    assert world.chart(patient)["email"] == "chart@example.com"
    assert world.writes() == 0

    world.healthie.apply([Edit(id=patient, values={"restricted": False})])
    world.settle(1)

    assert phones(world, patient) == (DESKS, DESKS)
    assert world.chart(patient)["email"] == "chart@example.com"


@pytest.mark.parametrize("first", [CRM, CHART])
def test_the_newest_is_the_fields_where_a_system_tells(world: World, patient: str, first: str) -> None:
    """A workflow stamps the contact after the chart's edit: that makes the desk's edit no newer."""
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, phone=DESKS)
    later(world)
    world.edit_patient(patient, phone_number=CHARTS)
    later(world)
    world.hubspot.edit(contact, lifecyclestage="lead")

    world.run(first)
    world.settle(1)

    assert phones(world, patient) == (CHARTS, CHARTS)


def test_deciding_everyone_anew_carries_a_persons_edit_all_the_same(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, phone=DESKS, email="desk@example.com")
    later(world)
    world.edit_patient(patient, first_name="Anna")

    anew = world.run(CRM, "resync")
    world.run(CHART)

    assert phones(world, patient) == (DESKS, DESKS)
    assert world.chart(patient)["email"] == "desk@example.com"
    assert anew.counts.get("contested", 0) == 0


def test_an_archived_patient_stays_the_contacts(world: World, patient: str) -> None:
    world.healthie.archive(patient)
    world.hubspot.edit(world.contacts()[patient], phone=DESKS)

    world.settle(1)

    assert world.contact(world.contacts()[patient])["healthie_status"] == "archived"
    assert phones(world, patient) == (DESKS, DESKS)
    assert world.chart(patient)["active"] is False
    assert planned(world) == [0] * 4


def test_what_a_system_spells_otherwise_by_itself_starts_nothing(world: World, patient: str) -> None:
    world.edit_patient(patient, email="Ana.Adler@Example.com", phone_number="(312) 555-0111")
    world.settle(1)
    world.writes()
    world.hubspot.edit(world.contacts()[patient], phone="+13125550111", email="ana.adler@example.com")

    assert planned(world) == [0] * 4
    assert world.writes() == 0
