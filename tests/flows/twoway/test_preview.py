"""A dry run of a pair shows what a run would do: what stays is told, and nothing is kept."""

from contextlib import closing

import pytest
import sqlalchemy as sa

from flows.ledger.database import connect
from tests.flows.twoway.world import CHART, CRM, World

KEPT = ("link", "delivery", "plan", "entry", "cursor", "run", "lease")


@pytest.fixture
def patient(world: World) -> str:
    """A patient who is a contact already."""
    made = world.patient(
        email="ana@example.com", phone_number="312-555-0101", additional_phone_number="312-555-0102"
    )
    world.settle(1)
    world.writes()
    return made


def kept(world: World) -> list[object]:
    engine = connect(world.url)
    with closing(engine.connect()) as connection:
        rows = [connection.execute(sa.text(f"SELECT * FROM {one} ORDER BY 1")).all() for one in KEPT]
    engine.dispose()
    return rows


def test_what_stays_as_it_is_there_is_shown_so_and_nothing_is_kept(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.edit_patient(
        patient,
        email="chart@example.com",
        phone_number="312-555-0111",
        additional_phone_number="312-555-0999",
        first_name="Anna",
    )
    world.healthie.advance_clock(5)
    world.hubspot.advance_clock(5)
    world.hubspot.edit(contact, email="desk@example.com", phone="312-555-0222")
    before = kept(world)

    shown = world.preview(CRM)

    assert shown[0] == f"patient {patient}: hubspot_upsert_contacts by S1 S3 S4 S5 S6 S7 S8"
    said = {line.split(":")[0].strip(): line.split(": ", 1)[1].split(" ←")[0] for line in shown[1:]}
    assert said["firstname"] == '"Ana" → "Anna"'
    assert said["email"] == '"desk@example.com" (stays, and is not "chart@example.com")'
    assert said["phone"] == '"312-555-0222" (stays, and is not "312-555-0111")'
    assert said["mobilephone"] == '"312-555-0102" (stays, and is not "312-555-0999")'
    assert kept(world) == before
    world.run(CRM)
    there = world.contact(contact)
    assert (there["firstname"], there["email"], there["phone"]) == (
        "Anna",
        "desk@example.com",
        "312-555-0222",
    )


def test_what_has_nothing_left_to_send_is_shown_so(world: World, patient: str) -> None:
    world.edit_patient(patient, additional_phone_number="312-555-0999")

    assert world.preview(CRM)[0].endswith(": nothing is sent, what is there stays")


def test_what_would_wait_for_its_record_is_shown_with_its_reason(world: World, patient: str) -> None:
    world.hubspot.archive(world.contacts()[patient])
    world.edit_patient(patient, first_name="Anna")

    assert world.preview(CRM)[0].endswith(": waits for a person (record_gone)")
    assert world.run(CRM).codes["held record_gone"] == 1


def test_it_is_the_same_the_other_way(world: World, patient: str) -> None:
    contact = world.contacts()[patient]
    world.edit_contact(contact, lastname="Typed", mobilephone="312-555-0333")
    before = kept(world)

    shown = [line for line in world.preview(CHART) if "→" in line or "stays" in line]

    assert len(shown) == 1 and '"312-555-0102" → "312-555-0333"' in shown[0]
    assert kept(world) == before
