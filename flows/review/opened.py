"""Opening the review: the ledger, the page's server on loopback, and the link that works once."""

import socket
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager

import uvicorn

from flows.opening import open_ledger
from flows.parameters import Mode
from flows.review.desk import Desk
from flows.review.door import Door, Role
from flows.review.page import application
from flows.settings import Settings
from flows.tenants import load


@contextmanager
def desk(settings: Settings, label: str, mode: Mode) -> Generator[Desk]:
    """What there is to review. Raises IntegrationInvalid, StageOver, LedgerUnavailable, TenantForgotten."""
    with closing(open_ledger(settings, load(settings.deployments, label), mode)) as ledger:
        yield Desk(ledger)


def serve(
    settings: Settings, label: str, mode: Mode, role: Role, person: str, told: Callable[[str], None]
) -> None:
    """Serve the page on a free port of loopback until interrupted; `told` gets the link."""
    deployment = load(settings.deployments, label)
    with desk(settings, label, mode) as made, closing(socket.socket()) as listening:
        made.lines()  # read before anybody waits for it
        listening.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{listening.getsockname()[1]}"
        door = Door(role, person)
        config = uvicorn.Config(
            application(deployment, made, door, host),
            log_level="critical",
            access_log=False,
            server_header=False,
            date_header=False,
        )
        told(f"http://{host}/enter?token={door.token}")
        uvicorn.Server(config).run(sockets=[listening])
