"""One person at the page, without a browser: forms are sent as the page has them."""

import re
from dataclasses import dataclass

import httpx
from starlette.testclient import TestClient

from flows.ledger.store import Ledger
from flows.settings import Settings

HOST = "127.0.0.1:18080"


@dataclass
class Person:
    """One person at the page."""

    client: TestClient
    ledger: Ledger
    settings: Settings

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path)

    def post(self, path: str, *, proof: bool = True, **form: str) -> httpx.Response:
        sent = form | ({"proof": self.proof} if proof else {})
        return self.client.post(path, data=sent, headers={"origin": f"http://{HOST}"}, follow_redirects=False)

    def shown(self) -> str:
        """By what the page names the deliveries that it shows as held."""
        found = re.search(r'name="shown" value="([^"]+)"', self.get("/held").text)
        return found[1] if found else ""

    def settle(self, verdict: str, shown: str) -> httpx.Response:
        return self.post("/held", code="too_many_creates", verdict=verdict, shown=shown)

    @property
    def proof(self) -> str:
        found = re.search(r'name="proof" value="([^"]+)"', self.get("/sample").text)
        return found[1] if found else ""
