"""Both directions as they are run in earnest: the real flow, in processes that are killed."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from connectors.sandbox.probe import ProbeServer
from tests.campaign import FULL
from tests.faults.world import Practice
from tests.flows.twoway.world import CHART, CRM, World

POINTS = ("sent", "after settle", "before link")
MORE = (
    *("before agree", "after agree", "before set aside", "after link", "before mark links"),
    *("send", "after journal", "after leave out"),
)


class Runs(Protocol):
    """One run of crm or chart in a process of its own, killed at a crash point if one is named."""

    def __call__(self, name: str, point: str = "") -> int: ...


@pytest.fixture
def run(
    world: World, probe: ProbeServer, prefect: Mapping[str, str], ledger: Callable[[Path], str]
) -> Iterator[Runs]:
    world.url = ledger(world.folder)
    made = Practice(world.healthie, probe, prefect, world.folder, world.url)
    made.extra = {"FERRY_DEPLOYMENTS": str(world.root), **world.environment()}

    def ran(name: str, point: str = "") -> int:
        made.label = f"meadow/{name}"
        return made.run(**({"FERRY_CRASH_AT": point} if point else {}))

    yield ran


@pytest.mark.parametrize("point", (*POINTS, *MORE) if FULL else POINTS)
def test_killed_anywhere_each_edit_arrives_once_and_then_it_is_quiet(
    world: World, run: Runs, point: str
) -> None:
    """Killed where it comes to that point first, be it while the contact is made or after the edits."""
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    codes = [run(CRM, point)]
    codes.append(run(CHART, "" if -9 in codes else point))
    assert [run(CRM), run(CHART)] == [0, 0]
    contact = world.contacts()[patient]
    world.edit_patient(patient, first_name="Anna", email="chart@example.com")
    world.hubspot.edit(contact, phone="312-555-0199")

    codes += [run(name, "" if -9 in codes else point) for name in (CRM, CHART)]

    assert -9 in codes
    assert [run(name) for name in (CRM, CHART)] == [0, 0]
    assert world.contacts() == {patient: contact}
    assert world.contact(contact)["email"] == world.chart(patient)["email"] == "chart@example.com"
    assert world.contact(contact)["phone"] == world.chart(patient)["phone_number"] == "312-555-0199"
    assert world.contact(contact)["firstname"] == "Anna"
    world.writes()
    assert [run(name) for name in (CRM, CHART)] == [0, 0]
    assert world.writes() == 0
