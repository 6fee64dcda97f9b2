"""The model that an integration names, held against deployments/models.yaml."""

from collections.abc import Iterator
from pathlib import Path

from agent import allowed
from agent.access import Access
from flows import models
from flows.deciding import Deciding
from flows.tenants import ConnectionSettings
from flows.values import is_reference
from flows.written import IntegrationInvalid

REACHED_BY = ("base_url", "project", "location")


def objections(
    root: Path, deciding: Deciding, reached: ConnectionSettings | None, *, production: bool
) -> Iterator[tuple[str, str, str]]:
    """Why a model may not be asked so: the key below `decide`, what, and what to do."""
    path = root / models.FILE
    try:
        listed = models.load(root).root
    except IntegrationInvalid as error:
        yield "by", f"cannot be looked up ({error})", f"correct {path}"
        return
    model = listed.get(deciding.by)
    if model is None:
        there = ", ".join(sorted(listed)) or "none"
        yield "by", f"is {deciding.by}, which {path} does not allow", f"write program, or one of: {there}"
        return
    access = _access(reached) if reached else None
    for what in allowed.objections(deciding.by, model, access, production=production):
        problem, _, todo = what.partition("; ")
        yield "by", f"is {deciding.by}: {problem}", f"{todo or 'correct it'} (in {path})"
    if deciding.batch and (model.price is None or model.price.batch is None):
        yield "batch", "is set, and the model has no price for batches", f"remove it, or write one in {path}"


def _access(reached: ConnectionSettings) -> Access | None:
    """How the model is reached, as far as the file itself says; None if it does not."""
    if reached.connector != "model" or any(is_reference(text) for text in reached.settings.values()):
        return None
    given = {name: text for name, text in reached.settings.items() if name in REACHED_BY}
    return Access.model_validate(given)
