"""Two systems on this machine, and the two integrations of deployments/meadow that carry between them.

A run here is the real one, step by step, without Prefect around it: it takes the lease, reads, decides,
delivers and judges its own numbers. tests/flows/twoway/test_with_prefect.py has the whole.
"""

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from connectors.sandbox.healthie import StandIn as HealthieStandIn
from connectors.sandbox.healthie.edits import Edit
from connectors.sandbox.hubspot import StandIn as HubSpotStandIn
from flows import accounts, certify, decide, deliver, detect, other, preview, undo
from flows.connections import Connections
from flows.ledger import deliveries, lease, runs
from flows.ledger.database import connect
from flows.ledger.store import Ledger
from flows.parameters import Kind, Parameters
from flows.run import OBSERVER, Observer, Run, _assemble, new_id
from flows.status import status
from flows.tenants import load
from flows.vault import KeyFile

DEPLOYMENTS = Path(__file__).parents[3] / "deployments"
TENANT = """
timezone: America/Chicago
connections:
  healthie:
    connector: healthie
    settings: {url: $TEST_HEALTHIE_URL, api_key: $TEST_HEALTHIE_KEY, timezone: America/Chicago}
  hubspot:
    connector: hubspot
    settings: {url: $TEST_HUBSPOT_URL, access_token: $TEST_HUBSPOT_TOKEN}
"""
CRM, CHART = "crm", "chart"


def deployments(folder: Path) -> Path:
    """The example practice with its connections on this machine."""
    root = folder / "deployments"
    shutil.copytree(DEPLOYMENTS / "meadow", root / "meadow")
    shutil.copy(DEPLOYMENTS / "models.yaml", root)
    (root / "meadow" / "tenant.yaml").write_text(TENANT)
    return root


@dataclass(frozen=True)
class Ran:
    """How one run ended."""

    state: str
    counts: Mapping[str, int]
    codes: Mapping[str, int]
    id: str


@dataclass
class World:
    """One Healthie, one HubSpot, one ledger."""

    healthie: HealthieStandIn
    hubspot: HubSpotStandIn
    folder: Path
    url: str = ""
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = deployments(self.folder)
        self.url = self.url or f"sqlite:///{self.folder / 'ledger.db'}"
        os.environ.update(self.environment())

    def environment(self) -> dict[str, str]:
        return {
            "TEST_HEALTHIE_URL": self.healthie.endpoint,
            "TEST_HEALTHIE_KEY": self.healthie.api_key,
            "TEST_HUBSPOT_URL": self.hubspot.url,
            "TEST_HUBSPOT_TOKEN": self.hubspot.token,
        }

    def ledger(self, name: str) -> Ledger:
        key = KeyFile(self.folder / "ferry.key")
        return Ledger(connect(self.url), key, environment="test", tenant="meadow", name=name)

    def run(self, name: str, kind: Kind = "changes", of: str = "") -> Ran:
        """One run of crm or chart, to its end. of: the run that is undone."""
        with ExitStack() as stack:
            ledger = self.ledger(name)
            stack.callback(ledger.close)
            lease.take(ledger, new_id())
            stack.callback(lease.give_back, ledger)
            deployment = load(self.root, f"meadow/{name}")
            own = Connections("meadow", deployment.connections, ledger.seal, environment="test")
            asked = Parameters.of(deployment.label, kind).model_copy(update={"run": of})
            run = _assemble(stack, deployment, ledger, asked, own)
            accounts.confirm(own, deployment, run.source, run.targets)
            run.paired = other.opened(stack, self.root, deployment, ledger, own, run.targets, keep=True)
            runs.begin(ledger, kind, run.versions)
            _carry(run)
        return Ran(run.state, dict(run.counts), dict(run.codes), run.id)

    def preview(self, name: str) -> list[str]:
        """What a dry run of crm or chart shows."""
        shown: list[str] = []
        with ExitStack() as stack:
            ledger = self.ledger(name)
            stack.callback(ledger.close)
            deployment = load(self.root, f"meadow/{name}")
            own = Connections("meadow", deployment.connections, ledger.seal, environment="test")
            asked = Parameters.of(deployment.label, "changes", dry_run=True)
            run = _assemble(stack, deployment, ledger, asked, own)
            run.paired = other.opened(stack, self.root, deployment, ledger, own, run.targets, keep=False)
            told = OBSERVER.set(Observer(decided=lambda run, group: shown.extend(preview.lines(run, group))))
            stack.callback(OBSERVER.reset, told)
            for page in detect.pages(run):
                for group in decide.groups(run, detect.changed(run, page)):
                    decide.decide(run, group)
        return shown

    def settle(self, rounds: int = 4) -> None:
        """Runs to and fro until both are quiet."""
        for _ in range(rounds):
            self.run(CRM)
            self.run(CHART)

    def status(self, name: str) -> list[str]:
        ledger = self.ledger(name)
        try:
            return list(status(ledger))
        finally:
            ledger.close()

    def patient(self, **values: str | None) -> str:
        """A new patient; gives the id."""
        given = {"first_name": "Ana", "last_name": "Adler", "email": None, "phone_number": None}
        given |= {"additional_phone_number": None, **values}
        (made,) = self.healthie.apply([Edit(act="create", values={**given})])
        return made

    def edit_patient(self, patient: str, **values: str | None) -> None:
        self.healthie.apply([Edit(id=patient, values={**values})])

    def edit_contact(self, contact: str, **values: str) -> None:
        self.hubspot.edit(contact, None, **values)

    def chart(self, patient: str) -> Mapping[str, object]:
        return self.healthie.row("User", patient)

    def contacts(self) -> dict[str, str]:
        """The contacts of patients: {patient: contact}."""
        named = {one["id"]: cast(Mapping[str, str], one["properties"]) for one in self.hubspot.records()}
        return {its["healthie_id"]: str(id_) for id_, its in named.items() if its.get("healthie_id")}

    def contact(self, id_: str) -> Mapping[str, str]:
        found = self.hubspot.record(id_)
        assert found is not None
        return cast(Mapping[str, str], found["properties"])

    def writes(self) -> int:
        """How many writes left for the two systems since the last call."""
        sent = [
            one for one in self.hubspot.requests() if one["kind"] == "write"
        ]  # check() sends an empty one
        applied = [one for one in sent if cast(Mapping[str, object], one["body"]).get("inputs")]
        number = len(applied) + len(self.healthie.effects())
        self.hubspot.reset()
        self.healthie.reset()
        return number


def _carry(run: Run) -> None:
    if run.kind == "undo":
        undo.plan(run, run.asked.run)
    else:
        _plan_pages(run)
    deliver.finish(run)
    settled = deliveries.counts(run.ledger, run=run.id)
    certify._read_back(run)
    run.state, run.code = certify._judgement(run, settled, deliver.unsettled(run))
    runs.end(run.ledger, run.state, run.code, dict(run.counts), run.cursors)


def _plan_pages(run: Run) -> None:
    deliver.settle(run)
    deliver.meanwhile(run, full=False)
    for page in detect.pages(run):
        for group in decide.groups(run, detect.changed(run, page)):
            decide.decide(run, group)
        deliver.meanwhile(run, full=True)
