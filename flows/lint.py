"""Lint of an integration's folder: its sentences, each finding with its file and line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent import manifest
from agent.lint import Finding, Subject
from agent.lint import lint as of_subject
from agent.lint.subject import GRANTS_FILE
from connectors.operation import Write
from flows.check import offers
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, read
from flows.declared import fields
from flows.tenants import Deployment, IntegrationInvalid, load


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with the place in the files."""

    path: Path
    line: int
    finding: Finding

    def __str__(self) -> str:
        one = self.finding
        return f"{self.path}:{self.line}: {one.sentence} is {one.kind}: {one.what}; {one.todo}"


def lint(root: Path, label: str) -> list[Told]:
    """What is wrong with the sentences of `tenant/integration`.

    Raises:
        IntegrationInvalid: a file cannot be used as it is; `ferry check` says all that is wrong with it.
    """
    deployment, folder = load(root, label), root / label
    places = {name: read(folder / name, Findings()) for name in (manifest.FILE, GRANTS_FILE)}
    return [_told(folder, places, deployment, one) for one in of_subject(subject(deployment))]


def subject(deployment: Deployment) -> Subject:
    """What lint looks at of a deployment.

    Raises:
        IntegrationInvalid: a grant is for what no target has.
    """
    policy = deployment.policy()
    offered = dict(_writes(deployment))
    for operation, grant in policy.operations.items():
        if operation not in offered:
            raise IntegrationInvalid(f"{deployment.label}: no target has {operation}; see: ferry check")
        known = {field.alias or name for name, field in offered[operation].arguments.model_fields.items()}
        if unknown := sorted(grant.arguments.keys() - known):
            raise IntegrationInvalid(f"{deployment.label}: {operation} has no {unknown[0]}; see: ferry check")
    granted = {name: offered[name] for name in policy.operations}
    return Subject(deployment.instructions, deployment.manifest, policy, granted, fields(deployment))


def _writes(deployment: Deployment) -> Iterator[tuple[str, Write]]:
    for name, target in deployment.integration.targets.items():
        try:
            writes = offers.offered(deployment.connections[target.connection].connector, target).writes
        except ValueError as error:
            first = str(error).splitlines()[0]
            raise IntegrationInvalid(
                f"{deployment.label}: targets.{name} ({first}); see: ferry check"
            ) from None
        for short, write in writes.items():
            yield f"{name}_{short}", write


def _told(folder: Path, places: dict[str, Marked | None], deployment: Deployment, finding: Finding) -> Told:
    marked = places.get(finding.file)
    if finding.line or marked is None:
        return Told(folder / finding.file, finding.line or 1, finding)
    place = finding.place if finding.file == manifest.FILE else _granted(deployment, *map(str, finding.place))
    return Told(folder / finding.file, marked.line(place), finding)


def _granted(deployment: Deployment, operation: str, argument: str) -> Place:
    """Where integration.yaml grants an argument."""
    for name, target in deployment.integration.targets.items():
        for at, table in enumerate(target.tables):
            if operation == f"{name}_upsert_{table.name}":
                return ("targets", name, "tables", at, "columns", argument)
        for write in target.writes:
            if operation == f"{name}_{write}":
                return ("targets", name, "writes", write, "arguments", argument)
    return ()
