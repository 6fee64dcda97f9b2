"""Staging with an account of the vendor's for trials: it is written to, and the live one is not."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from connectors.base import Account
from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.probe import ProbeServer
from connectors.sandbox.proxy import Proxy
from flows import instead
from flows.approval import NotApproved
from flows.boundary import CodedFailure
from flows.check import check
from flows.parameters import Parameters
from flows.run import _written
from flows.settings import Settings
from flows.tenants import load
from tests.connectors.deploying import LABEL, deployed
from tests.connectors.every import World, cases
from tests.connectors.hubspot.portals import hubspot
from tests.faults.conftest import MakeLedger
from tests.faults.scenes import awake, rename
from tests.faults.terminal import ferry
from tests.faults.world import Practice

TRIALS, READING = {"connection": "trials", "sandbox": True}, {"connection": "trials"}
LIVE_PORTAL, OTHER_PORTAL = 4711, 4712


@dataclass
class Here:
    """A practice, its portal, and one for trials."""

    practice: Practice
    root: Path
    world: World
    trials: StandIn

    def stage(self) -> int:
        return self.practice.run(TEST_MODE="staging")

    def live(self) -> object:
        return self.world.records(self.world.samples[0].write)

    def reach(self, url: str) -> None:
        """From now on the connection for trials leads there."""
        self.practice.extra["TEST_TRIALS_URL"] = url

    def said(self) -> str:
        return (self.practice.folder / "engine.log").read_text()


@pytest.fixture
def here(
    healthie: HealthieStandIn,
    probe: ProbeServer,
    prefect: Mapping[str, str],
    ledger: MakeLedger,
    tmp_path: Path,
) -> Iterator[Here]:
    case, root, folder = next(one for one in cases() if one.name == "hubspot"), tmp_path / "d", tmp_path / "h"
    folder.mkdir()
    with ExitStack() as stack:
        world, trials = stack.enter_context(case.opened(tmp_path)), stack.enter_context(StandIn())
        trials.configure(portal_id=OTHER_PORTAL, account_type="DEVELOPER_TEST")
        extra = {**deployed(case, world, root), "FERRY_DEPLOYMENTS": str(root), "TEST_TRIALS_URL": trials.url}
        practice = Practice(healthie, probe, prefect, folder, ledger(folder), label=LABEL, extra=extra)
        staging(root, TRIALS)
        awake(practice)
        rename(practice, "Before")
        assert practice.run() == 0
        rename(practice, "After")
        yield Here(practice, root, world, trials)


def staging(root: Path, instead_of_it: Mapping[str, object]) -> None:
    """The target is reached so in staging, by a connection `trials`."""
    tenant, integration = root / "acme" / "tenant.yaml", root / LABEL / "integration.yaml"
    described = yaml.safe_load(tenant.read_text())
    settings = {"url": "$TEST_TRIALS_URL", "access_token": "$TEST_TARGET_ACCESS_TOKEN"}
    described["connections"]["trials"] = {"connector": "hubspot", "settings": settings}
    tenant.write_text(yaml.safe_dump(described))
    said = yaml.safe_load(integration.read_text())
    target = said["targets"]["target"]
    confirmed = {"confirmed": target["confirmed"]} if instead_of_it.get("sandbox") else {}
    target["staging"] = {**instead_of_it, **confirmed}
    integration.write_text(yaml.safe_dump(said))


def names(portal: StandIn) -> set[str]:
    found = [record["properties"] for record in portal.records()]
    return {str(one["full_name"]) for one in found if isinstance(one, dict)}


def test_an_account_for_trials_is_written_to_and_the_live_one_is_not(here: Here) -> None:
    patients, before = here.practice.healthie.ids(), here.live()
    assert here.world.writes is not None
    written = here.world.writes()

    assert here.stage() == 0, here.said()

    assert len(names(here.trials)) == len(patients)
    assert all(name.startswith("After") for name in names(here.trials))
    assert (here.live(), here.world.writes()) == (before, written)
    assert here.practice.ledger("SELECT count(*) FROM staged") == [(0,)]


def test_a_live_portal_is_none_by_whatever_address(here: Here) -> None:
    assert here.world.proxy is not None
    before = here.live()
    with Proxy(here.world.proxy.url) as forwarder:
        here.reach(forwarder.url)

        assert here.stage() == 1

    assert "not_a_sandbox: acme/target: target target reaches" in here.said()
    assert here.live() == before
    here.trials.configure(account_type="STANDARD")
    here.reach(here.trials.url)
    assert here.stage() == 1
    assert names(here.trials) == set()


def test_live_runs_know_nothing_of_it(here: Here) -> None:
    assert here.practice.run() == 0

    assert here.trials.records() == []
    assert ferry(here.practice, "status", LABEL).code == 0


def test_it_is_no_mistake(here: Here) -> None:
    assert [str(one) for one in check(here.root, ["acme"], production=False) if "staging" in str(one)] == []


def test_in_production_an_account_for_trials_needs_an_approval(here: Here) -> None:
    asked = Parameters(tenant="acme", integration="target", mode="staging")
    settings = Settings(deployments=here.root, env="production")

    with pytest.raises(NotApproved):
        _written(settings, asked)

    staging(here.root, READING)
    files, carried = _written(settings, asked)
    there = [one.integration.targets["target"].connection for one in (files, carried)]
    assert there == ["target", "trials"]


def account(host: str, portal: int, *, sandbox: bool) -> Account:
    return Account(system="hubspot", identity=f"{host}/portal/{portal}", sandbox=sandbox)


HOST, OTHER_HOST = "api.hubapi.com", "api-na2.hubapi.com"
LIVE = account(HOST, LIVE_PORTAL, sandbox=False)


@pytest.mark.parametrize(
    ("instead_of_it", "live", "reached", "code"),
    [
        (TRIALS, LIVE, account(HOST, OTHER_PORTAL, sandbox=True), ""),
        (TRIALS, LIVE, account(HOST, OTHER_PORTAL, sandbox=False), "not_a_sandbox"),
        # one that live runs write to, too; also by another host, and under a pin of before
        (
            TRIALS,
            account(HOST, OTHER_PORTAL, sandbox=True),
            account(OTHER_HOST, OTHER_PORTAL, sandbox=True),
            "not_a_sandbox",
        ),
        (TRIALS, account(OTHER_HOST, LIVE_PORTAL, sandbox=True), LIVE, "not_a_sandbox"),
        (READING, LIVE, LIVE, ""),
        (READING, LIVE, account(OTHER_HOST, LIVE_PORTAL, sandbox=False), ""),
        (READING, LIVE, account(HOST, OTHER_PORTAL, sandbox=True), "account_mismatch"),
    ],
)
def test_the_account_that_answers_says_what_it_is(
    here: Here, instead_of_it: Mapping[str, object], live: Account, reached: Account, code: str
) -> None:
    staging(here.root, instead_of_it)
    deployment, pins = load(here.root, LABEL), {"target": live, "trials": reached}
    with closing(hubspot(here.trials)) as there:
        if not code:
            instead.confirm(pins.get, deployment, {"target": there}, {"target": reached})
            return
        with pytest.raises(CodedFailure) as stopped:
            instead.confirm(pins.get, deployment, {"target": there}, {"target": reached})
    assert stopped.value.code == code
