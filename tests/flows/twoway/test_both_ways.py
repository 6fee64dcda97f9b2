"""Healthie to HubSpot and back: what one side edits arrives once on the other, and then it is quiet."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flows.twoway.world import CHART, CRM, World


@pytest.fixture
def world(world: World, ledger_url: str) -> World:
    """With its ledger in either database."""
    world.url = ledger_url
    return world


def test_a_patient_becomes_a_contact_and_nothing_comes_back(world: World) -> None:
    patient = world.patient(email="Ana@example.com", phone_number="312-555-0101")

    there, back = world.run(CRM), world.run(CHART)

    contact = world.contact(world.contacts()[patient])
    assert (contact["email"], contact["phone"]) == ("ana@example.com", "312-555-0101")
    assert there.state == back.state == "complete"
    assert back.counts.get("planned", 0) == 0
    assert world.healthie.effects() == []


def test_ten_runs_to_and_fro_after_an_edit_in_healthie(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    world.writes()
    world.edit_patient(patient, phone_number="312-555-0199")

    writes: list[tuple[int, int]] = []
    for _ in range(5):
        for name in (CRM, CHART):
            ran = world.run(name)
            writes.append((world.writes(), ran.counts.get("model_requests", 0)))

    assert world.contact(world.contacts()[patient])["phone"] == "312-555-0199"
    assert writes == [(1, 0)] + [(0, 0)] * 9


def test_ten_runs_to_and_fro_after_an_edit_in_hubspot(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle()
    world.writes()
    world.hubspot.edit(world.contacts()[patient], mobilephone="312-555-0177")

    writes: list[tuple[int, int]] = []
    for _ in range(5):
        for name in (CHART, CRM):
            ran = world.run(name)
            writes.append((world.writes(), ran.counts.get("model_requests", 0)))

    assert world.chart(patient)["additional_phone_number"] == "312-555-0177"
    assert writes == [(1, 0)] + [(0, 0)] * 9


def test_both_run_at_the_same_time_and_nothing_is_lost(world: World) -> None:
    patient = world.patient(email="p0@example.com", phone_number="312-555-0000")
    world.settle(1)
    contact = world.contacts()[patient]
    for number in range(1, 4):
        world.edit_patient(patient, first_name=f"Ana{number}", phone_number=f"312-555-010{number}")
        world.healthie.advance_clock(2)
        world.hubspot.advance_clock(4)
        world.edit_contact(contact, phone=f"312-555-020{number}", mobilephone=f"312-555-030{number}")

        with ThreadPoolExecutor(2) as at_once:
            ran = list(at_once.map(world.run, (CRM, CHART)))
        world.settle(1)

        chart, there = world.chart(patient), world.contact(contact)
        assert [one.state for one in ran] == ["complete"] * 2
        assert (there["firstname"], there["mobilephone"]) == (f"Ana{number}", f"312-555-030{number}")
        assert chart["additional_phone_number"] == f"312-555-030{number}"
        assert chart["phone_number"] == there["phone"] == f"312-555-020{number}"
