"""Going live: an integration's checklist, and its approval once every point is done."""

from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from flows import acts, approval, pins
from flows.approval import Approval, Signed
from flows.ledger import stages
from flows.ledger.database import connect
from flows.ledger.store import now
from flows.opening import open_ledger
from flows.promote import REASONS, NotPromoted
from flows.review import checklist
from flows.review.checklist import Point
from flows.review.desk import Desk
from flows.settings import PRODUCTION, Settings
from flows.tenants import Deployment


def points(settings: Settings, deployment: Deployment) -> list[Point]:
    """The checklist, with what the integration's stage shows, if there is one."""
    with _stage(settings, deployment) as desk:
        return checklist.points(settings, deployment, desk)


def promote(
    settings: Settings, deployment: Deployment, found: list[Point], author: str, approver: str
) -> Approval:
    """Approve the integration's files as they are, with the reasons that explain them.

    Raises:
        NotPromoted: a point is open. NotApproved: see `approval.approve`.
    """
    number = sum(bool(one.open) for one in found)
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
