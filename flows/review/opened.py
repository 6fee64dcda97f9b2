"""Opening the review: the ledger, the page's server on loopback, and the link that works once."""

import socket
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

import uvicorn

from flows.opening import open_ledger
from flows.parameters import Mode
from flows.review.desk import Desk
from flows.review.door import HERE, Door, Session, admitted
from flows.review.page import application
from flows.settings import Settings
from flows.tenants import load


@contextmanager
def desk(settings: Settings, label: str, mode: Mode) -> Generator[Desk]:
    """What there is to review. Raises IntegrationInvalid, StageOver, LedgerUnavailable, TenantForgotten."""
    with closing(open_ledger(settings, load(settings.deployments, label), mode)) as ledger:
        yield Desk(ledger)


def session(settings: Settings, label: str, person: str, asked: str = "") -> Session:
    """Who looks at an integration, as tenant.yaml lets them. Raises NotAdmitted, IntegrationInvalid."""
    return Session(admitted(settings, label, person, asked), person, time.monotonic())


def serve(
    settings: Settings, label: str, mode: Mode, asked: str, person: str, told: Callable[[str], None]
) -> None:
    """Serve the page on loopback until interrupted; `told` gets the link.

    asked: as what the person looks; "": as all that they may.

    Raises:
        NotAdmitted, and as `desk`.
    """
    deployment, looks = load(settings.deployments, label), session(settings, label, person, asked)
    with desk(settings, label, mode) as made, closing(_listening(settings.review_port)) as listening:
        made.lines()  # read before anybody waits for it
        host = f"{HERE}:{listening.getsockname()[1]}"
        door = Door(looks.role, person)
        config = uvicorn.Config(
            application(deployment, made, door, host),
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
        )
        told(f"http://{host}/enter?token={door.token}")
        uvicorn.Server(config).run(sockets=[listening])


def _listening(port: int) -> socket.socket:
    """At the port that links name, or at a free one where another review has it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((HERE, port))
    except OSError:
        made.bind((HERE, 0))
    return made
