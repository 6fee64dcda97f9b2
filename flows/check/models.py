"""The model that an integration names, held against deployments/models.yaml."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from agent import allowed
from agent.access import Access
from flows import models
from flows.check.findings import Findings
from flows.check.marked import model, read
from flows.check.prefect_file import Deployments, OneDeployment
from flows.deciding import Deciding
from flows.schedules import ScheduleUnsupported, parse
from flows.tenants import ConnectionSettings, Integration
from flows.values import is_reference
from flows.written import IntegrationInvalid

DAY = timedelta(days=1)
REACHED_BY = ("base_url", "project", "location")


def objections(
    root: Path, deciding: Deciding, reached: ConnectionSettings | None, *, production: bool
) -> Iterator[tuple[str, str, str]]:
    """Why a model may not be asked so: the key below `decide`, what, and what to do."""
    path = root / models.FILE
    named = deciding.models()
    try:
        listed = models.load(root).root
    except IntegrationInvalid as error:
        yield next(iter(named)), f"cannot be looked up ({error})", f"correct {path}"
        return
    access = _access(reached) if reached else None
    for key, id_ in named.items():
        if id_ not in listed:
            there = ", ".join(sorted(listed)) or "none"
            yield key, f"is {id_}, which {path} does not allow", f"write program, or one of: {there}"
            continue
        for what in allowed.objections(id_, listed[id_], access, production=production):
            problem, _, todo = what.partition("; ")
            yield key, f"is {id_}: {problem}", f"{todo or 'correct it'} (in {path})"
        price = listed[id_].price
        if deciding.batch and key != "judge" and (price is None or price.batch is None):
            yield (
                "batch",
                "is set, and the model has no price for batches",
                f"remove it, or write one in {path}",
            )


def too_often(folder: Path, deployed: Deployments, findings: Findings) -> None:
    """Integrations that wait for batches, up to a day, and are to run more often than once a day."""
    for (name, _), (line, deployment) in deployed.items():
        marked = read(folder / name / "integration.yaml", Findings())  # its own mistakes were told
        integration = model(marked, Integration, Findings()) if marked else None
        if integration and integration.decide.batch and _shortest(deployment) < DAY:
            what = f"{folder.name}/{name} waits for batches, and its schedule is not daily or weekly"
            findings.add(folder / "prefect.yaml", line, what, "run it once a day, or remove decide.batch")


def _shortest(deployment: OneDeployment) -> timedelta:
    """The time between two runs by the schedules that can be read; the others were told."""
    periods = [DAY]
    for schedule in deployment.schedules:
        with suppress(ScheduleUnsupported):
            periods.append(parse(schedule).period)
    return min(periods)


def _access(reached: ConnectionSettings) -> Access | None:
    """How the model is reached, as far as the file itself says; None if it does not."""
    if reached.connector != "model" or any(is_reference(text) for text in reached.settings.values()):
        return None
    given = {name: text for name, text in reached.settings.items() if name in REACHED_BY}
    return Access.model_validate(given)
