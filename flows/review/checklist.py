"""The checklist before an integration goes live: what is open is said with what to do, and keeps it back.

A sentence with a reason in reasons.yaml explains what changes by it, and why no entry took a branch of it;
the approval keeps the reasons.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.instructions import InstructionsError
from flows import approval, models, pins, proof
from flows.check import check, offers
from flows.check.targets import objections
from flows.errors import Spoken
from flows.lint import lint
from flows.promote import REASONS, Reasons
from flows.review import questions, seen
from flows.review.desk import Desk
from flows.review.reaching import Reached, reached
from flows.settings import PRODUCTION, Settings
from flows.tenants import Deployment
from flows.written import parsed


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that has to be so. open: why it is not, and what to do; done: what is so, in words."""

    name: str
    open: tuple[str, ...]
    done: str


def points(settings: Settings, deployment: Deployment, desk: Desk | None) -> list[Point]:
    """Every point, in the order in which they are best worked off. The systems are asked who answers.

    desk: of the integration's stage; None if there is none, which is open.
    """
    folder = settings.deployments / deployment.label
    reasons, found = reasons_of(folder), reached(settings, deployment)
    never = (f"was never staged, or its stage ended; run: ferry run {deployment.label} --staging",)
    return [
        _point("files", _files(settings, deployment), "ferry check finds nothing wrong"),
        _point("golden set", _golden(settings, deployment, folder), "every golden example is answered right"),
        _point("lint", _lint(settings, deployment), "no sentence is contradictory, vague or impossible"),
        _point("questions", _questions(folder), "every question is answered"),
        _point(
            "branches",
            seen.untaken(deployment, desk.ledger, reasons) if desk else never,
            "real entries took every branch, or it is said why not",
        ),
        _point(
            "changes",
            seen.unexplained(deployment, desk, reasons) if desk else never,
            "of every kind of change a write was found right, and none is wrong",
        ),
        _point("permissions", _permissions(found), "each key may do what is needed"),
        _point("accounts", _pins(settings, found), "the accounts that answer are those that were pinned"),
        _point("agreements", _agreements(deployment), "each target may hold what goes there"),
    ]


def lines(found: Iterable[Point]) -> Iterator[str]:
    """The same as text: each point, and below it what is open."""
    for one in found:
        yield f"{'open' if one.open else 'done'}  {one.name}{'' if one.open else f': {one.done}'}"
        yield from (f"      {line}" for line in one.open)


def reasons_of(folder: Path) -> Mapping[str, str]:
    """What reasons.yaml says, by sentence. Raises IntegrationInvalid."""
    path = folder / REASONS
    return parsed(path, Reasons).root if path.is_file() else {}


def _point(name: str, wrong: Iterable[str], done: str) -> Point:
    """What cannot be looked at is open, too."""
    try:
        return Point(name, tuple(wrong), done)
    except (Spoken, InstructionsError) as error:
        return Point(name, (str(error),), done)


def _files(settings: Settings, deployment: Deployment) -> Iterator[str]:
    folder = settings.deployments / deployment.label
    found = check(
        settings.deployments,
        [deployment.tenant],
        production=settings.env == PRODUCTION,
        memory=settings.home / "checked",
    )
    for one in found:
        if one.path.parent == folder and one.path.name != approval.FILE:
            yield str(one)


def _golden(settings: Settings, deployment: Deployment, folder: Path) -> Iterator[str]:
    """As production asks for it, wherever this is: it is to go live."""
    asked = pins.models(deployment.integration, deployment.connections, models.load(settings.deployments))
    for what, todo in proof.missing(folder, deployment.integration, asked, production=True):
        yield f"{what}; {todo}"


def _lint(settings: Settings, deployment: Deployment) -> Iterator[str]:
    yield from (str(one) for one in lint(settings.deployments, deployment.label))


def _questions(folder: Path) -> Iterator[str]:
    for one in questions.still_open(folder):
        count = f" ({one.count.rstrip('.')})" if one.count else ""
        yield f"{one.number} is open{count}: {one.asks}"


def _permissions(found: Iterable[Reached]) -> Iterator[str]:
    for one in found:
        if one.trouble:
            yield one.trouble
        elif one.account and one.account.missing:
            lacking = ", ".join(one.account.missing)
            yield f"connection {one.connection}: the key's account lacks {lacking}; grant it at the system"


def _pins(settings: Settings, found: Iterable[Reached]) -> Iterator[str]:
    """In production each is pinned; everywhere, a pin has to be of the account that answers."""
    for one in found:
        again = f"run: ferry connect {one.tenant} {one.connection}"
        if one.pin is None and settings.env == PRODUCTION:
            yield f"connection {one.connection} has no pinned account; {again}"
        if one.pin and one.account and not one.is_pinned:
            yield f"connection {one.connection} reaches another account than it was made for; {again}"


def _agreements(deployment: Deployment) -> Iterator[str]:
    for name, target in deployment.integration.targets.items():
        connector = deployment.connections[target.connection].connector
        try:
            holds = offers.offered(connector, target).holds
        except ValueError as error:
            yield f"targets.{name}: {str(error).splitlines()[0]}; see: ferry check"
            continue
        for _, what, todo in objections(connector, holds, target):
            yield f"targets.{name}: {what}; {todo}"
