"""prefect.yaml of a tenant: Prefect's own file, held to what Ferry's deployments need."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import Field, JsonValue

from connectors.base import Settings
from flows import schedules
from flows.check.connections import Described
from flows.check.findings import Findings
from flows.check.marked import Marked, Place, dotted, model, read
from flows.parameters import Name, Parameters

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


class PrefectFile(Settings):
    """The file around the deployments. `definitions` is for YAML anchors."""

    name: str | None = None
    prefect_version: str | None = Field(default=None, alias="prefect-version")
    definitions: object = None
    build: object = None
    push: object = None
    pull: object = None
    deployments: tuple[object, ...]


Deployments = dict[str, tuple[int, OneDeployment]]
"""By the name of the integration: the line of its deployment, and what it says."""


def deployments(
    folder: Path, described: Described | None, integrations: Sequence[str], findings: Findings
) -> Deployments:
    """The deployments of a tenant's prefect.yaml that can be used."""
    marked = read(folder / "prefect.yaml", findings)
    file = model(marked, PrefectFile, findings) if marked else None
    if marked is None or file is None:
        return {}
    found: Deployments = {}
    lines: dict[str, int] = {}  # of each integration's deployment, whether it can be used or not
    for at, given in enumerate(file.deployments):
        place: Place = ("deployments", at)
        line = marked.line((*place, "name"))
        one = model(marked, OneDeployment, findings, given, place)
        asked = one.parameters.integration.integration if one else _integration_of(given)
        if asked in lines:
            what = f"{dotted(place)} is of {asked}, as line {lines[asked]} is"
            findings.add(marked.path, line, what, "keep one of them")
        elif one:
            found[asked] = (line, one)
        if one:
            _check(marked, place, one, described, findings)
        if asked:
            lines.setdefault(asked, line)
    _check_folders(marked, lines, integrations, findings)
    return found


def _integration_of(given: object) -> str:
    """Which integration a deployment with mistakes is of, as far as it says so."""
    for key in ("parameters", "integration", "integration"):
        given = cast("Mapping[str, Any]", given).get(key) if isinstance(given, dict) else None
    return given if isinstance(given, str) else ""


def _check(
    marked: Marked, place: Place, one: OneDeployment, described: Described | None, findings: Findings
) -> None:
    tenant, asked = marked.path.parent.name, one.parameters.integration

    def say(where: Place, what: str, todo: str) -> None:
        there = (*place, *where)
        findings.add(marked.path, marked.line(there), f"{dotted(there)} {what}", todo)

    if asked.tenant != tenant:
        say(
            ("parameters", "integration", "tenant"),
            f"is {asked.tenant}, in {tenant}'s file",
            f"write {tenant}",
        )
    if one.name != (wanted := f"{tenant}-{asked.integration}"):
        say(("name",), f"is {one.name}", f"write {wanted}")
    for tag in ("ferry", f"tenant:{tenant}"):
        if tag not in one.tags:
            say(("tags",), f"lack {tag}", "add it there")
    for at, tag in enumerate(one.tags):
        if tag.startswith("tenant:") and tag != f"tenant:{tenant}":
            say(("tags", at), f"is {tag}, another tenant's", "remove it")
    for where, text in _templates(one):
        say(where, f"is a template, {text}", "write the value itself")
    _check_schedules(one, described, say)


def _templates(one: OneDeployment) -> Iterator[tuple[Place, str]]:
    texts: list[tuple[Place, str]] = [(("work_pool", "name"), one.work_pool.name)]
    texts += [(("tags", at), tag) for at, tag in enumerate(one.tags)]
    for where, text in texts:
        if "{{" in text or text.startswith("$"):
            yield where, text


def _check_schedules(one: OneDeployment, described: Described | None, say: Any) -> None:
    emit, rhythms = one.parameters.integration.emit, set[str]()
    for at, given in enumerate(one.schedules):
        place: Place = ("schedules", at)
        try:
            schedule = schedules.parse(given)
        except schedules.ScheduleUnsupported as error:
            what, _, todo = str(error).partition("; ")
            say((*place, "cron"), f"({what})", todo)
            continue
        rhythms.add(schedule.rhythm)
        if described and described.timezone and schedule.timezone != described.timezone:
            where = (*place, "timezone")
            say(where, f"is {schedule.timezone}, not tenant.yaml's", f"write {described.timezone}")
    if len(one.schedules) > 1:
        say(("schedules", 1), "is a second schedule of one integration", "keep one of them")
    if emit != "always" and rhythms - {"weekly"}:
        say(
            ("parameters", "integration", "emit"),
            f"is {emit}, which needs a weekly schedule",
            'write a weekly cron, such as "0 6 * * 5"',
        )


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
