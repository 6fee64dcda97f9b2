"""Approve on the page: only what was staged and looked at, as it is, by who still may."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from starlette.testclient import TestClient

from flows import pins
from flows.approval import NotApproved
from flows.opening import open_ledger
from flows.review import going_live
from flows.review.desk import Desk
from flows.review.door import Door, Role
from flows.review.page import application
from flows.settings import Settings
from flows.tenants import load
from tests.faults.terminal import ferry
from tests.faults.world import Practice
from tests.flows.review.test_going_live import LABEL, correct, folder, here, judge, opened
from tests.flows.test_sync import rename

__all__ = ["folder", "here"]
HOST = "127.0.0.1:18080"
ALERT = re.compile(r'role="alert">(.*?)<')


class Browser:
    """Ben, an approver, at the page of the stage."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def checklist(self) -> str:
        return self._client.get("/checklist").text

    def promote(self) -> httpx.Response:
        proof = re.search(r'name="proof" value="([^"]+)"', self._client.get("/questions").text)
        form = {"proof": proof[1] if proof else "", "author": "Ana"}
        return self._client.post(
            "/promote", data=form, headers={"origin": f"http://{HOST}"}, follow_redirects=False
        )


@contextmanager
def page() -> Iterator[Browser]:
    settings = Settings()
    deployment = load(settings.deployments, LABEL)
    with closing(open_ledger(settings, deployment, "staging")) as ledger:
        door = Door(Role.APPROVER, "Ben")
        app = application(deployment, Desk(ledger), door, HOST)
        with TestClient(app, base_url=f"http://{HOST}") as client:
            client.get(f"/enter?token={door.token}")
            yield Browser(client)


@pytest.fixture
def done(here: Practice, folder: Path) -> Path:
    """The folder of an integration of which every point is done."""
    here.healthie.apply([rename(here.healthie.ids()[0], "Changed")])
    correct(here, folder)
    assert here.run(TEST_MODE="staging") == 0
    judge(here, "right")
    assert opened() == {}
    return folder


def test_what_was_staged_is_approved_on_the_page(done: Path) -> None:
    with page() as browser:
        assert "Approve as Ben" in browser.checklist()
        assert browser.promote().status_code == 303

    made = yaml.safe_load((done / "approval.yaml").read_text())
    assert (made["author"], made["approver"]) == ("Ana", "Ben")
    assert made["files"] == pins.files(done) and made["reasons"]
    assert not (done / "reasons.yaml").exists()


def test_files_that_changed_since_the_page_was_opened_are_not_approved(here: Practice, done: Path) -> None:
    with page() as browser:
        assert "Approve as Ben" in browser.checklist()
        program = done / "program.py"
        program.write_text(program.read_text() + "\n# never staged\n")
        assert ferry(here, "test", LABEL).code == 0

        assert 'action="/promote"' not in browser.checklist()
        refused = browser.promote()

    assert refused.status_code == 409
    assert "a point of the checklist is open" in ALERT.findall(refused.text)[0]
    assert not (done / "approval.yaml").exists()


def test_files_that_change_while_the_points_are_looked_at_are_not_approved(
    here: Practice, done: Path
) -> None:
    found = going_live.looked(Settings(), LABEL)
    assert not any(one.open for one in found.points)
    program = done / "program.py"
    program.write_text(program.read_text() + "\n# never staged\n")
    assert ferry(here, "test", LABEL).code == 0

    with pytest.raises(NotApproved, match=f"^{LABEL}: its files changed while they were looked at; "):
        going_live.promote(Settings(), found, "Ana", "Ben")
    assert not (done / "approval.yaml").exists()


def test_who_is_an_approver_no_more_approves_nothing(done: Path) -> None:
    tenant = done.parent / "tenant.yaml"
    text = tenant.read_text()
    tenant.write_text(f"people: {{Ben: approver}}\n{text}")
    with page() as browser:
        assert "Approve as Ben" in browser.checklist()
        tenant.write_text(f"people: {{Ben: reviewer}}\n{text}")

        assert 'action="/promote"' not in browser.checklist()
        assert browser.promote().status_code == 403
        tenant.write_text(f"people: {{Ana: approver}}\n{text}")
        assert browser.promote().status_code == 403

    assert not (done / "approval.yaml").exists()


def test_where_a_shadow_is_named_the_page_names_the_command_and_approves_nothing(done: Path) -> None:
    with page() as browser:
        path = done / "integration.yaml"
        path.write_text(path.read_text() + "shadow: {version: next, runs: 3}\n")
        (done / "next").mkdir()
        (done / "next" / "program.py").write_text((done / "program.py").read_text())

        told = browser.checklist()
        assert 'action="/promote"' not in told and f"ferry promote {LABEL}" in told
        refused = browser.promote()

    assert refused.status_code == 409
    assert f"run: ferry promote {LABEL} --author NAME --approver NAME" in ALERT.findall(refused.text)[0]
    assert (done / "reasons.yaml").exists() and not (done / "approval.yaml").exists()
