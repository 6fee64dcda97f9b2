"""The page and the text of a stage in this process, as one person sees them."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from starlette.testclient import TestClient

from flows.ledger.store import Ledger
from flows.review.desk import Desk
from flows.review.door import Door, Role, Session
from flows.review.page import application
from flows.review.text import review
from flows.settings import Settings
from flows.tenants import Deployment, load
from tests.flows.review.decided import LABEL, SHIPPED

HOST = "127.0.0.1:18080"


@dataclass
class Person:
    """Somebody at the page, who came in by its link."""

    client: TestClient

    def see(self, path: str, **query: str) -> str:
        answer = self.client.get(path, params=query or None)
        assert answer.status_code == 200, path
        return answer.text

    def send(self, path: str, *, proof: bool = True, **form: str) -> httpx.Response:
        sent = form | ({"proof": self.proof} if proof else {})
        return self.client.post(path, data=sent, headers={"origin": f"http://{HOST}"}, follow_redirects=False)

    @property
    def proof(self) -> str:
        found = re.search(r'name="proof" value="([^"]+)"', self.see("/sample"))
        assert found
        return found[1]


def shipped() -> Deployment:
    return load(SHIPPED, LABEL)


@contextmanager
def seen_by(role: Role, ledger: Ledger, clock: Callable[[], float] = time.monotonic) -> Iterator[Person]:
    """The page of a filled stage, see `filled.stage`."""
    door = Door(role, "Ana", clock)
    app = application(shipped(), Desk(ledger), door, HOST)
    with TestClient(app, base_url=f"http://{HOST}") as client:
        client.get(f"/enter?token={door.token}")
        yield Person(client)


def as_text(role: Role, ledger: Ledger, **asked: str) -> str:
    """What of a filled stage is asked for, as `ferry review --text` tells it."""
    session = Session(role, "Ana", time.monotonic())
    return "\n".join(review(Settings(), shipped(), Desk(ledger), session, asked))
