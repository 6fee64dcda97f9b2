"""Two integrations that carry to and fro, each tried in staging beside what is live."""

from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import StandIn as HubSpotStandIn
from flows import accounts, other
from flows.connections import Connections
from flows.ledger import lease, runs, stages
from flows.ledger.database import connect
from flows.ledger.store import Ledger, seal_of
from flows.parameters import Parameters
from flows.run import _assemble, new_id
from flows.tenants import load
from flows.vault import KeyFile
from tests.flows.twoway.conftest import world
from tests.flows.twoway.world import CHART, CRM, Ran, World, _carry

__all__ = ["HealthieStandIn", "HubSpotStandIn", "world"]


def staged(world: World, name: str) -> Ran:
    """One staged run, to its end."""
    kek, tenant = KeyFile(world.folder / "ferry.key"), "meadow"
    with ExitStack() as stack:
        engine = connect(world.url)
        key = stages.current(engine, kek, "test", tenant, name)
        ledger = Ledger(engine, kek, environment="test", tenant=tenant, name=stages.named(name), key=key)
        stack.callback(ledger.close)
        lease.take(ledger, new_id())
        stack.callback(lease.give_back, ledger)
        stages.begin(ledger)
        deployment = load(world.root, f"{tenant}/{name}")
        seal = seal_of(engine, kek, "test", tenant)
        own = Connections(tenant, deployment.connections, seal, environment="test")
        run = _assemble(
            stack, deployment, ledger, Parameters(tenant=tenant, integration=name, mode="staging"), own
        )
        accounts.confirm(own, deployment, run.source, run.targets)
        run.paired = other.opened(stack, world.root, deployment, ledger, own, run.targets, keep=False)
        runs.begin(ledger, "changes", run.versions)
        _carry(run)
    return Ran(run.state, dict(run.counts), dict(run.codes), run.id)


def links(world: World) -> list[tuple[object, ...]]:
    engine = sa.create_engine(world.url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text("SELECT * FROM link ORDER BY ref"))]


@pytest.fixture
def patient(world: World) -> str:
    """A patient who is a contact, by live runs."""
    made = world.patient(email="ana@example.com", phone_number="312-555-0101")
    world.settle(1)
    world.writes()
    return made


def test_the_keeper_is_staged_beside_its_live_links(world: World, patient: str) -> None:
    before = links(world)
    assert len(before) == 1
    first = staged(world, CRM)
    assert first.state == "complete", first
    for number in (2, 3):
        world.edit_patient(patient, phone_number=f"312-555-010{number}")

        ran = staged(world, CRM)

        assert (ran.state, ran.counts["planned"], ran.counts.get("contested", 0)) == ("complete", 1, 0), ran
        assert ran.counts.get("held", 0) == ran.counts.get("review", 0) == 0
    assert world.writes() == 0
    assert links(world) == before
    assert world.contact(world.contacts()[patient])["phone"] == "312-555-0101"


def test_the_reader_is_staged_beside_its_live_links(world: World, patient: str) -> None:
    before, contact = links(world), world.contacts()[patient]
    staged(world, CHART)
    for number in (2, 3):
        world.hubspot.edit(contact, mobilephone=f"312-555-017{number}")

        ran = staged(world, CHART)

        assert (ran.state, ran.counts["planned"]) == ("complete", 1), ran
        assert ran.counts.get("unlinked", 0) == ran.counts.get("review", 0) == 0
    assert world.writes() == 0
    assert links(world) == before
    assert not world.chart(patient)["additional_phone_number"]


def test_a_pair_that_is_not_live_yet_learns_what_its_stage_made(world: World) -> None:
    patient = world.patient(email="ana@example.com", phone_number="312-555-0101")
    assert staged(world, CRM).counts["planned"] == 1
    world.edit_patient(patient, phone_number="312-555-0102")

    ran = staged(world, CRM)

    assert (ran.state, ran.counts["planned"], ran.counts.get("contested", 0)) == ("complete", 1, 0), ran
    assert links(world) == []
    assert world.contacts() == {}
    assert staged(world, CHART).counts.get("planned", 0) == 0
    assert world.writes() == 0


def test_live_runs_go_on_as_if_nothing_was_staged(world: World, patient: str) -> None:
    world.edit_patient(patient, phone_number="312-555-0109")
    staged(world, CRM)
    staged(world, CHART)

    there, back = world.run(CRM), world.run(CHART)

    assert (there.state, back.state, world.writes()) == ("complete", "complete", 1)
    assert world.contact(world.contacts()[patient])["phone"] == "312-555-0109"
