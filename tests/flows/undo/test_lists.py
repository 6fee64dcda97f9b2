"""Into a list and out of a list: what a run did is taken back by the opposite write, if that is granted."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from connectors.hubspot import HubSpot, HubSpotCredentials
from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.hubspot import StandIn as Portal
from tests.connectors.deploying import LABEL, deployed
from tests.connectors.every import PEOPLE, Case, World
from tests.connectors.hubspot.case import OPTIONS, TABLE
from tests.flows.undo.office import Office

PROGRAM = """def decide(entry, today):
    row = target_upsert_people(because=["S1"], full_name=entry["last_name"])
    if entry["active"]:
        return [row, target_add_to_list(because=["S2"], list_id="5")]
    return [row, target_remove_from_list(because=["S2"], list_id="5")]
"""
INSTRUCTIONS = """S1. Each patient is one contact with the last name.

S2. Active patients are in the newsletter's list, archived ones are not.
"""
GRANT = {"arguments": {"list_id": {"constants": ["5"]}}}


@dataclass(frozen=True)
class Newsletter:
    office: Office
    healthie: StandIn
    portal: Portal

    def members(self) -> int:
        return len(self.portal.members("5"))

    def set_active(self, patient: str, *, active: bool) -> None:
        self.healthie.apply([Edit(act="restore" if active else "archive", id=patient)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Newsletter]:
    with StandIn(3, seed=4) as healthie, Portal() as portal:
        portal.make_list("5", "Newsletter")
        healthie.apply([Edit(act="restore", id=one) for one in healthie.ids()])
        described(tmp_path, portal, monkeypatch)
        monkeypatch.setenv("TEST_HEALTHIE_URL", healthie.endpoint)
        monkeypatch.setenv("TEST_HEALTHIE_KEY", healthie.api_key)
        office = Office(tmp_path / "deployments", LABEL, tmp_path, f"sqlite:///{tmp_path / 'ledger.db'}")
        yield Newsletter(office, healthie, portal)


def described(folder: Path, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("hubspot", HubSpot, HubSpotCredentials, lambda _: iter(()))  # type: ignore[arg-type,return-value]  # never opened
    values = {"url": portal.url, "access_token": portal.token}
    options = OPTIONS.model_dump(mode="json")
    world = World(lambda: HubSpot, [PEOPLE], lambda _: [], values, options, TABLE)  # type: ignore[arg-type,return-value]  # likewise
    for name, value in deployed(case, world, folder / "deployments").items():
        monkeypatch.setenv(name, value)
    files = folder / "deployments" / LABEL
    integration = yaml.safe_load((files / "integration.yaml").read_text())
    integration["targets"]["target"]["writes"] = {"add_to_list": GRANT, "remove_from_list": GRANT}
    (files / "integration.yaml").write_text(yaml.safe_dump(integration))
    (files / "program.py").write_text(PROGRAM)
    (files / "instructions.md").write_text(INSTRUCTIONS)


def test_who_was_put_into_a_list_is_taken_out_of_it(here: Newsletter) -> None:
    patient = here.healthie.ids()[0]
    here.set_active(patient, active=False)
    assert here.office.run().state == "complete"
    assert here.members() == 2
    here.set_active(patient, active=True)
    added = here.office.run()
    assert here.members() == 3

    undone = here.office.run("undo", added.id)

    assert (undone.state, undone.counts["calls"], here.members()) == ("complete", 1, 2)
    assert here.office.run("undo", undone.id).state == "complete"
    assert here.members() == 3


def test_who_was_taken_out_of_a_list_is_put_into_it_again(here: Newsletter) -> None:
    assert here.office.run().state == "complete"
    here.set_active(here.healthie.ids()[1], active=False)
    removed = here.office.run()
    assert here.members() == 2

    assert here.office.run("undo", removed.id).state == "complete"

    assert here.members() == 3
    assert "0 values are put back; 0 were written since, and are kept" in here.office.foretold(removed.id)


def test_what_a_later_run_did_to_the_membership_stays(here: Newsletter) -> None:
    patient = here.healthie.ids()[0]
    here.set_active(patient, active=False)
    assert here.office.run().state == "complete"
    here.set_active(patient, active=True)
    added = here.office.run()
    here.set_active(patient, active=False)
    removed = here.office.run()
    here.set_active(patient, active=True)
    last = here.office.run()

    undone = [here.office.run("undo", one.id) for one in (added, removed)]

    assert [one.counts["undo_kept"] for one in undone] == [1, 0]  # the latter is as it was before
    assert here.members() == 3
    assert here.office.run("undo", last.id).state == "complete"
    assert here.members() == 2
    assert here.office.run("undo", removed.id).state == "complete"  # what came later is taken back
    assert here.members() == 3


def test_a_membership_that_a_later_run_found_so_is_no_later_one(here: Newsletter) -> None:
    """As a field that is written again as it was."""
    patient = here.healthie.ids()[0]
    here.set_active(patient, active=False)
    assert here.office.run().state == "complete"
    here.set_active(patient, active=True)
    added = here.office.run()
    here.healthie.apply([Edit(id=patient, values={"last_name": "Later"})])
    later = here.office.run()

    assert here.office.run("undo", later.id).state == "complete"
    assert here.members() == 3  # it made no difference
    assert here.office.run("undo", added.id).state == "complete"
    assert here.members() == 2
