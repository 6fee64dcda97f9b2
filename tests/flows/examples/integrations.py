"""An integration's files as what decides: no server, no connection."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from agent.agent import Decider
from agent.case import Case
from agent.gate import Gate
from agent.golden import FOLDER, Golden
from agent.instructions import Instructions
from agent.plan import Plan, Refused
from connectors.entry import EntryField
from connectors.operation import Write
from flows.check import offers
from flows.tenants import Deployment, load

ROOT = Path(__file__).parents[3]
DEPLOYMENTS = ROOT / "deployments"
LABELS = ("harbor/recall", "juniper/accounts", "lakeside/intake")
MACHINE: Mapping[str, Mapping[str, str]] = {
    "healthie": {"url": "$TEST_HEALTHIE_URL", "api_key": "$TEST_HEALTHIE_KEY"},
    "sql": {"url": "$TEST_TARGET_URL"},
    "csv": {"folder": "$TEST_TARGET_FOLDER"},
}
"""A connection's settings where it is this machine's."""


@dataclass(frozen=True)
class Files:
    """What a deployment's files offer a program."""

    deployment: Deployment
    writes: Mapping[str, Write]
    fields: tuple[EntryField, ...]

    def decide(self, instructions: Instructions, golden: Sequence[Golden]) -> list[Plan | Refused]:
        """What the gate says of what the instructions' program decides of each example's entry."""
        policy = self.deployment.integration.policy(instructions, self.deployment.timezone)
        known = offers.fields(self.deployment.integration, self.deployment.connections)
        decider = Decider(
            gate=Gate(policy, self.writes, offers.categories(known)),
            policy=policy,
            instructions=instructions,
            writes=self.writes,
        )
        try:
            decided = decider.decide(
                [Case("1", one.entry, one.known, one.today, one.judgements) for one in golden]
            )
        finally:
            decider.close()
        return [one.outcome for one in decided]


def files(label: str) -> Files:
    deployment = load(DEPLOYMENTS, label)
    writes: dict[str, Write] = {}
    for name, target in deployment.integration.targets.items():
        offered = offers.offered(deployment.connections[target.connection].connector, target).writes
        writes |= {f"{name}_{short}": write for short, write in offered.items()}
    known = offers.fields(deployment.integration, deployment.connections)
    return Files(deployment, writes, tuple(known[path] for path in deployment.manifest.paths))


def examples(label: str) -> dict[str, Golden]:
    """The golden examples of an integration, by name."""
    paths = sorted((DEPLOYMENTS / label / FOLDER).iterdir())
    return {path.stem: Golden.model_validate(yaml.safe_load(path.read_text())) for path in paths}


def on_this_machine(tenant: str, folder: Path) -> Path:
    """A copy of a tenant's deployments as they are, but that its connections are this machine's."""
    there = shutil.copytree(DEPLOYMENTS / tenant, folder / "deployments" / tenant)
    described = yaml.safe_load((there / "tenant.yaml").read_text())
    for connection in described["connections"].values():
        connection["settings"] = dict(MACHINE[connection["connector"]])
    (there / "tenant.yaml").write_text(yaml.safe_dump(described))
    return there.parent
