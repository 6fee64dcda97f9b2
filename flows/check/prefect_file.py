"""prefect.yaml of a tenant: Prefect's own file, held to what Ferry's deployments need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from connectors.base import Settings
from flows.check.connections import Described
from flows.check.deployment import Look, Written
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, dotted, model, read
from flows.naming import told
from flows.parameters import Mode, Name, Parameters

ENTRYPOINT = "flows/sync.py:sync"


class Given(Settings):
    """What the flow is given."""

    integration: Parameters


class WorkPool(Settings):
    """Where runs are started."""

    name: str
    work_queue_name: str | None = None
    job_variables: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])


class OneAtATime(Settings):
    """Runs of one integration never overlap: a second one is cancelled before it begins."""

    limit: Literal[1]
    collision_strategy: Literal["CANCEL_NEW"]
    grace_period_seconds: int | None = None


class OneDeployment(Settings):
    """One deployment as Prefect's file has it."""

    name: Name
    description: str | None = None
    version: str | None = None
    entrypoint: Literal["flows/sync.py:sync"]
    parameters: Given
    enforce_parameter_schema: Literal[True] = True
    tags: tuple[str, ...]
    schedules: tuple[dict[str, object], ...] = ()
    work_pool: WorkPool
    concurrency_limit: OneAtATime
    paused: bool | None = None
    build: object = None
    push: object = None
    pull: object = None


class Around(Settings):
    """What is around the deployments. `definitions` is for YAML anchors."""

    name: str | None = None
    prefect_version: str | None = Field(default=None, alias="prefect-version")
    definitions: object = None
    build: object = None
    push: object = None
    pull: object = None


class PrefectFile(Around):
    """The file, with its deployments as they were written."""

    deployments: tuple[object, ...]


Deployments = dict[tuple[str, Mode], tuple[int, OneDeployment]]
"""By the name of the integration and its mode: the line of its deployment, and what it says."""


def deployments(
    folder: Path, described: Described | None, integrations: Sequence[str], findings: Findings
) -> Deployments:
    """The deployments of a tenant's prefect.yaml that can be used."""
    marked = read(folder / "prefect.yaml", findings)
    file = model(marked, PrefectFile, findings) if marked else None
    if marked is None or file is None:
        return {}
    found: Deployments = {}
    lines: dict[tuple[str, Mode], int] = {}  # of each deployment, whether it can be used or not
    for at, given in enumerate(file.deployments):
        place: Place = ("deployments", at)
        line = marked.line((*place, "name"))
        one, written = model(marked, OneDeployment, findings, given, place), Written(given)
        Look(marked, place, written, described, findings)
        asked = written.integration, written.mode
        if asked in lines:
            what = f"{dotted(place)} is of {told(*asked)}, as line {lines[asked]} is"
            findings.add(marked.path, line, what, "keep one of them")
        elif one:
            found[asked] = (line, one)
        if written.integration:
            lines.setdefault(asked, line)
    _check_folders(marked, {name: line for (name, _), line in lines.items()}, integrations, findings)
    return found


def _check_folders(
    marked: Marked, lines: Mapping[str, int], integrations: Sequence[str], findings: Findings
) -> None:
    tenant = marked.path.parent
    for name, line in lines.items():
        if name not in integrations:
            findings.add(
                marked.path,
                line,
                f"{tenant.name}/{name} has no folder with an integration.yaml",
                f"make it with: ferry new {tenant.name} {name}, or remove the deployment",
            )
    for name in integrations:
        if name not in lines:
            findings.add(
                marked.path,
                marked.line(("deployments",)),
                f"the folder {name} has no deployment here",
                "add one, or move the folder away",
            )
