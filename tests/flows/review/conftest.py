"""Chromium, and a person at the page, for every test of this folder that looks at one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.testclient import TestClient

from flows.review.desk import Desk
from flows.review.door import Door, Role
from flows.review.page import application
from tests.flows.review.browser import PATIENCE
from tests.flows.review.decided import stage
from tests.flows.review.person import HOST, Person


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def role() -> Role:
    return Role.APPROVER


@pytest.fixture
def browser(tmp_path: Path, role: Role, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    with stage(tmp_path) as (settings, deployment, ledger):
        environment = {
            "FERRY_HOME": tmp_path,
            "FERRY_ENV": "local",
            "FERRY_DEPLOYMENTS": settings.deployments,
            "DEMO_HEALTHIE_URL": "http://127.0.0.1:9",
            "DEMO_HEALTHIE_KEY": "key",
            "DEMO_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'warehouse.db'}",
        }
        for name, value in environment.items():
            monkeypatch.setitem(os.environ, name, str(value))
        door = Door(role, "Ana")
        page = application(deployment, Desk(ledger), door, HOST)
        with TestClient(page, base_url=f"http://{HOST}", raise_server_exceptions=False) as client:
            client.get(f"/enter?token={door.token}")
            yield Person(client, ledger, settings)
