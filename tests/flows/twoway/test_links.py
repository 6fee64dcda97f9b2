"""Which contact is which patient: learned from what was written, never from what a person may type."""

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from connectors.sandbox.hubspot import StandInError
from flows.ledger import holds, lease
from flows.ledger.tables import DELIVERY, LINK
from tests.flows.twoway.world import CHART, CRM, World


@pytest.fixture
def patient(world: World) -> str:
    made = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle(1)
    world.writes()
    return made


def released(world: World, name: str) -> None:
    """A person lets go what is held."""
    ledger = world.ledger(name)
    lease.take(ledger, "release")
    holds.release(ledger)
    lease.give_back(ledger)
    ledger.close()


def held(world: World, name: str) -> dict[str, int]:
    ledger = world.ledger(name)
    try:
        return holds.by_code(ledger)
    finally:
        ledger.close()


def test_a_contact_that_is_no_patients_is_left_alone_and_told(world: World, patient: str) -> None:
    world.hubspot.create(email="lead@example.com", phone="312-555-0404")

    ran = world.run(CHART)

    assert (ran.state, ran.counts["unlinked"]) == ("complete", 1)
    assert world.writes() == 0
    assert any("1 entries unlinked" in line for line in world.status(CHART))


def test_an_id_that_a_person_typed_links_nothing(world: World, patient: str) -> None:
    other = world.patient(last_name="Other", phone_number="312-555-0505")
    typed = world.hubspot.create(phone="312-555-0666", healthie_id=other)

    back, there = world.run(CHART), world.run(CRM)

    assert back.codes["review not_our_link"] == 1
    assert held(world, CRM) == {"not_our_link": 1}
    assert world.chart(other)["phone_number"] == "312-555-0505"
    assert "lastname" not in world.contact(typed)
    assert there.state == "incomplete"

    released(world, CRM)  # a person has looked: it is that patient
    world.settle(1)

    assert world.contact(typed)["lastname"] == "Other"


def test_a_contact_whose_id_was_changed_goes_to_review_both_ways(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, healthie_id="4711", phone="312-555-0777")
    world.edit_patient(patient, first_name="Anna")

    back, there = world.run(CHART), world.run(CRM)

    assert back.codes["review identity_differs"] == 1
    assert held(world, CRM) == {"identity_differs": 1}
    assert there.state == "incomplete"
    assert world.writes() == 0
    assert world.chart(patient)["phone_number"] == "312-555-0101"
    assert len(world.hubspot.records()) == 1

    world.hubspot.edit(contact, healthie_id=patient)
    released(world, CRM)
    world.settle(1)

    assert world.contact(contact)["firstname"] == "Anna"
    assert world.chart(patient)["phone_number"] == "312-555-0777"


def test_two_contacts_whose_ids_were_swapped_get_nobodys_data(world: World, patient: str) -> None:
    other = world.patient(last_name="Other", email="other@example.com")
    world.settle(1)
    world.writes()
    one, two = world.contacts()[patient], world.contacts()[other]
    world.hubspot.edit(one, healthie_id="")
    world.hubspot.edit(two, healthie_id=patient)
    world.hubspot.edit(one, healthie_id=other)
    world.edit_patient(patient, phone_number="312-555-0888")

    back, there = world.run(CHART), world.run(CRM)

    assert back.codes["review identity_differs"] == 2
    assert there.codes["held identity_differs"] == 1
    assert world.writes() == 0


def test_a_contact_that_was_archived_is_not_made_again_unseen(world: World, patient: str) -> None:
    world.hubspot.archive(world.contacts()[patient])
    world.edit_patient(patient, phone_number="312-555-0111")

    world.settle(1)

    assert held(world, CRM) == {"record_gone": 1}
    assert world.writes() == 0

    released(world, CRM)
    world.settle(1)

    assert world.contact(world.contacts()[patient])["phone"] == "312-555-0111"


def test_a_contact_that_is_adopted_keeps_what_a_person_typed(world: World) -> None:
    typed = world.hubspot.create(email="ana@example.com", firstname="Ana", phone="312-555-0222")
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")

    ran = world.run(CRM)
    world.run(CHART)

    assert world.contacts() == {patient: typed}
    assert world.contact(typed)["phone"] == "312-555-0222"
    assert ran.counts["contested"] == 1
    assert world.chart(patient)["phone_number"] == "312-555-0101"
    assert world.contact(typed)["lastname"] == "Adler"


def test_links_are_learned_from_deliveries_of_before(world: World) -> None:
    """The integration went one way at first."""
    path = world.root / "meadow" / "crm" / "integration.yaml"
    two_ways = path.read_text()
    one_way, rest = two_ways.split("pair:\n")[0], two_ways.split("targets:\n")[1]
    for owner in ("healthie", "person", "newest", "hubspot"):
        rest = rest.replace(f", owner: {owner}", "")
    path.write_text(f"{one_way}targets:\n{rest}")
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.run(CRM)
    path.write_text(two_ways)
    world.hubspot.edit(world.contacts()[patient], mobilephone="312-555-0177")

    ran = world.run(CHART)

    assert ran.counts.get("unlinked", 0) == 0
    assert world.chart(patient)["additional_phone_number"] == "312-555-0177"


def test_a_second_contact_cannot_take_a_patients_id(world: World, patient: str) -> None:
    with pytest.raises(StandInError):
        world.hubspot.create(email="twin@example.com", healthie_id=patient)


def waiting(world: World) -> list[str]:
    """What the status of chart says that a person is to look at, or that nobody wrote."""
    return [line for line in world.status(CHART) if "review" in line or "unlinked" in line]


def test_a_contact_that_became_a_patients_is_not_told_as_unlinked_any_more(
    world: World, patient: str
) -> None:
    world.hubspot.create(email="lea@example.com", firstname="Lea", phone="312-555-0404")
    world.run(CHART)
    assert len(waiting(world)) == 1
    world.patient(first_name="Lea", email="lea@example.com", phone_number="312-555-0404")

    world.settle(1)

    assert waiting(world) == []


def cut_off(world: World) -> None:
    """The run of crm ended after its write arrived, and before it knew."""
    ledger = world.ledger(CRM)
    with ledger.engine.begin() as connection:
        connection.execute(sa.delete(LINK))
        connection.execute(sa.update(DELIVERY).values(state="sent", reference_sealed=None))
    ledger.close()


def met_unlinked(world: World, **typed: str) -> str:
    """A patient whose contact chart met before it was linked; gives the patient's id."""
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.run(CRM)
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, None, **typed)
    cut_off(world)
    world.run(CHART)
    assert len(waiting(world)) == 1
    world.run(CRM)
    long_ago = datetime(2026, 1, 5, tzinfo=UTC)  # to write what is there already makes it no newer
    world.hubspot.edit(contact, long_ago)
    return patient


def test_a_contact_that_was_met_before_it_was_linked_is_told_until_it_is(world: World) -> None:
    met_unlinked(world)

    world.run(CHART)

    assert waiting(world) == []


def test_what_was_put_right_is_not_told_as_in_review_any_more(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.hubspot.edit(contact, healthie_id="4711")
    world.run(CHART)
    assert waiting(world)

    world.hubspot.edit(contact, healthie_id=patient)
    world.settle(1)

    assert waiting(world) == []


def test_what_goes_one_way_is_carried_from_a_contact_that_was_met_before(world: World) -> None:
    folder = world.root / "meadow" / CHART
    for name, old, new in (
        ("fields.yaml", "S3: [phone]", "S3: [phone, jobtitle]"),
        (
            "program.py",
            "phone_number=phone",
            'record_identifier=entry["jobtitle"] or MISSING, phone_number=phone',
        ),
        ("integration.yaml", "categories: [status,", "categories: [identity, status,"),
        (
            "integration.yaml",
            "          phone_number:",
            "          record_identifier: {because: [S3], from: [jobtitle]}\n          phone_number:",
        ),
    ):
        text = (folder / name).read_text()
        (folder / name).write_text(text.replace(old, new))
    patient = met_unlinked(world, jobtitle="MRN 7")

    world.run(CHART)

    assert world.chart(patient)["record_identifier"] == "MRN 7"


def test_a_contact_that_was_merged_away_is_followed_when_a_person_has_looked(
    world: World, patient: str
) -> None:
    winner = world.hubspot.create(email="desk@example.com", firstname="Ana", phone="312-555-0444")
    world.hubspot.merge(world.contacts()[patient], into=winner)
    world.edit_patient(patient, first_name="Anna")

    world.run(CHART)
    world.run(CRM)

    assert held(world, CRM) == {"record_gone": 1}
    assert len(waiting(world)) == 1
    assert not [line for line in world.status(CRM) if "identity_differs" in line]
    assert world.writes() == 0

    released(world, CRM)
    world.settle(1)

    assert world.contacts() == {patient: winner}
    assert world.contact(winner)["firstname"] == "Anna"
    assert world.contact(winner)["phone"] == "312-555-0444"
    assert world.chart(patient)["phone_number"] == "312-555-0101"
    assert waiting(world) == []
