"""Going live: an integration's checklist, and its approval once every point is done."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from flows import acts, approval, pins
from flows.approval import Approval, Signed
from flows.ledger import stages
from flows.ledger.database import connect
from flows.ledger.store import now
from flows.opening import open_ledger
from flows.promote import REASONS, NotPromoted
from flows.review import checklist, door
from flows.review.checklist import Point
from flows.review.desk import Desk
from flows.settings import PRODUCTION, Settings
from flows.tenants import Deployment, load


def points(settings: Settings, deployment: Deployment) -> list[Point]:
    """The checklist, with what the integration's stage shows, if there is one."""
    with _stage(settings, deployment) as desk:
        return checklist.points(settings, deployment, desk)


@dataclass(frozen=True, slots=True)
class Looked:
    """An integration's files as they were when its checklist was worked out. version: names them."""

    deployment: Deployment
    version: str
    points: list[Point]

    @property
    def beside(self) -> str:
        """The command by which the version beside these files goes live; "" if none is named."""
        names = "--author NAME --approver NAME"
        return f"ferry promote {self.deployment.label} {names}" if self.deployment.integration.shadow else ""


def looked(settings: Settings, label: str, desk: Desk | None = None) -> Looked:
    """The checklist of the files as they are now; of this desk, if the stage is open already.

    Raises:
        IntegrationInvalid, InstructionsError.
    """
    version = pins.version(settings.deployments / label)  # before they are read: a later change is noticed
    deployment = load(settings.deployments, label)
    found = checklist.points(settings, deployment, desk) if desk else points(settings, deployment)
    return Looked(deployment, version, found)


def promote(settings: Settings, found: Looked, author: str, approver: str) -> Approval:
    """Approve the integration's files as they were looked at, with the reasons that explain them.

    Raises:
        NotAdmitted: the approver is none. NotPromoted: a point is open, or a shadow is named. NotApproved:
            see `approval.approve`.
    """
    deployment, number = found.deployment, sum(bool(one.open) for one in found.points)
    if approver:
        door.approves(settings, deployment.label, approver)
    if found.beside:
        raise NotPromoted(
            f"{deployment.label}: integration.yaml names a shadow, so the version beside these files is what "
            f"goes live; run: {found.beside}"
        )
    if number:
        what = "a point of the checklist is" if number == 1 else f"{number} points of the checklist are"
        raise NotPromoted(
            f"{deployment.label}: integration.yaml names no shadow, so its files are to go live as they are, "
            f"and {what} open; put that right and promote again"
        )
    folder = settings.deployments / deployment.label
    made = approval.approve(
        folder,
        deployment.integration,
        deployment.connections,
        Signed(author, approver, datetime.now(UTC).date(), reasons=checklist.reasons_of(folder)),
        production=settings.env == PRODUCTION,
        looked=found.version,
        note=lambda act: acts.note(settings, deployment.tenant, act, *pins.files(folder).values()),
    )
    (folder / REASONS).unlink(missing_ok=True)
    return made


@contextmanager
def _stage(settings: Settings, deployment: Deployment) -> Generator[Desk | None]:
    """What lies on the desk of a stage that goes on. Looking begins none."""
    engine = connect(settings.ledger())
    try:
        latest = stages.latest(engine, deployment.tenant, deployment.name)
    finally:
        engine.dispose()
    if latest is None or latest.destroyed is not None or latest.ends <= now():
        yield None
        return
    with closing(open_ledger(settings, deployment, "staging")) as ledger:
        yield Desk(ledger)
