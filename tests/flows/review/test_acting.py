"""Acting on the page: who may do what, by the page's own forms alone, and what comes of it."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from typer.testing import CliRunner

from flows import golden
from flows.cli import acting, app
from flows.ledger import holds, waiting, words
from flows.ledger.store import Ledger
from flows.review import acts, examples
from flows.review.desk import Desk
from flows.review.door import Door, Role
from flows.review.examples import Proposal
from flows.review.page import application
from flows.settings import Settings
from flows.tenants import Deployment
from tests.flows.review.decided import LABEL, REFUSED, key_of, ref_of, stage

HOST = "127.0.0.1:18080"
PAGES = ("/waiting", "/held", "/questions", "/checklist")
SECRET = ("Albany", "two-primaries", "Reyes")  # values and ids of the demo's patients


@dataclass
class Browser:
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


class Fields(HTMLParser):
    """The fields of a form as a browser sends them: a first line end is none, the others are CR LF."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = str(dict(attrs)["name"]) if tag == "textarea" else ""
        if self._open:
            self.found[self._open] = ""

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self.found[self._open] += data


def fields(page: str) -> dict[str, str]:
    parser = Fields()
    parser.feed(page)
    return {name: text.removeprefix("\n").replace("\n", "\r\n") for name, text in parser.found.items()}


@pytest.fixture
def role() -> Role:
    return Role.APPROVER


@pytest.fixture
def browser(tmp_path: Path, role: Role, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
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
            yield Browser(client, ledger, settings)


def hold(browser: Browser, patients: Sequence[str]) -> None:
    """As a run does whose limit is reached."""
    keys = [key_of(browser.ledger, patient) for patient in patients]
    with acts.acting(browser.ledger, "Ana"):
        holds.hold(browser.ledger, keys, "too_many_creates", dict.fromkeys(keys))


def test_nothing_is_shown_or_done_without_a_session(browser: Browser) -> None:
    browser.client.cookies.clear()

    assert {browser.get(page).status_code for page in (*PAGES, "/example?key=x")} == {403}
    assert {browser.post(page, proof=False).status_code for page in ("/waiting", "/held", "/promote")} == {
        403
    }


def test_who_comes_from_another_site_keeps_their_session(browser: Browser) -> None:
    """A strict cookie is not sent from there: the answer offers to go on, and takes nothing away."""
    kept = dict(browser.client.cookies)
    browser.client.cookies.clear()

    come = {path: browser.get(path) for path in (*PAGES, "/writes", "/example?key=x", "/enter?token=x")}
    sent = [browser.post(path, proof=False) for path in ("/waiting", "/held", "/promote", "/leave")]

    assert all("set-cookie" not in answer.headers for answer in (*come.values(), *sent))
    assert all(f'href="{path}"' in come[path].text for path in PAGES)
    browser.client.cookies.update(kept)
    assert browser.get("/waiting").status_code == 200
    left = browser.post("/leave", proof=False)
    assert "Max-Age=0" in left.headers["set-cookie"]


def test_what_is_wrong_in_the_files_is_one_line(browser: Browser) -> None:
    (browser.settings.deployments / LABEL / "answers.md").write_text("Q77: yes\n")

    told = browser.get("/questions")

    assert told.status_code == 409 and "answers.md" in told.text and "Not done" in told.text


@pytest.mark.parametrize("path", ["/mark", "/waiting", "/held"])
def test_a_body_that_is_no_text_is_not_understood(browser: Browser, path: str) -> None:
    sent = browser.client.post(path, content=b"proof=\xff", headers={"origin": f"http://{HOST}"})

    assert sent.status_code == 403


def test_an_answer_that_fails_says_where_and_is_not_kept_either(browser: Browser) -> None:
    with browser.ledger.engine.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET state = 'odd'"))

    failed = browser.get("/writes")

    assert failed.status_code == 500
    assert re.fullmatch(r"internal_error: KeyError at flows/[a-z_/]+\.py:\d+; report this line", failed.text)
    for answer in (failed, browser.client.get("/writes", headers={"host": "evil.example.com"})):
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_form_of_another_page_does_nothing(browser: Browser) -> None:
    ref = ref_of(browser.ledger, "two-primaries")

    assert browser.post("/waiting", proof=False, entry=ref, verdict="leave", reason="x").status_code == 403
    assert browser.post("/held", proof=False, code="too_many_creates", verdict="discard").status_code == 403
    assert waiting.number(browser.ledger) == 1 and holds.by_code(browser.ledger) == {"too_many_creates": 2}


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_a_viewer_sees_what_waits_and_no_value_and_does_nothing(browser: Browser) -> None:
    told = {page: browser.get(page) for page in PAGES}

    assert {page.status_code for page in told.values()} == {200}
    assert "1 entry waits" in told["/waiting"].text and "two_primaries" in told["/waiting"].text
    for page in told.values():
        assert not [word for word in SECRET if word in page.text]
        assert 'method="post" action="/waiting"' not in page.text and 'action="/held"' not in page.text
    assert browser.get("/example?key=x").status_code == 403
    assert browser.post("/waiting", verdict="leave", entry="e", reason="x").status_code == 403


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_a_reviewer_decides_what_waits_with_a_reason_and_releases_nothing(browser: Browser) -> None:
    ref = ref_of(browser.ledger, "two-primaries")
    assert "patient two-primaries" in browser.get("/waiting").text

    unsaid = browser.post("/waiting", entry=ref, verdict="leave", reason="")
    assert unsaid.status_code == 409 and "say why" in unsaid.text
    assert browser.post("/waiting", entry=ref, verdict="leave", reason="twice <there>").status_code == 303

    assert words.of(browser.ledger, [ref])[ref].reason == "twice <there>"
    assert "No entry waits" in browser.get("/waiting").text
    assert browser.post("/held", code="too_many_creates", verdict="release").status_code == 403
    assert browser.post("/promote", author="Ben").status_code == 403


def test_an_approver_lets_go_and_drops_what_is_held(browser: Browser) -> None:
    page = browser.get("/held").text
    assert "too_many_creates" in page and "would make more new records" in page
    assert "held" in browser.get("/writes?state=held").text

    assert browser.settle("release", browser.shown()).status_code == 303
    assert holds.by_code(browser.ledger) == {}
    hold(browser, REFUSED)
    assert browser.settle("discard", browser.shown()).status_code == 303

    assert "Nothing is held" in browser.get("/held").text
    assert "<h1>0 writes</h1>" in browser.get("/writes?state=held").text


def test_what_was_held_after_the_page_was_shown_is_not_released_with_it(browser: Browser) -> None:
    shown = browser.shown()
    hold(browser, ["whole-row"])

    refused = browser.settle("release", shown)
    assert refused.status_code == 409 and "is not what was shown; look at it again" in refused.text
    assert holds.by_code(browser.ledger) == {"too_many_creates": 3}
    assert browser.settle("release", browser.shown()).status_code == 303
    assert holds.by_code(browser.ledger) == {}


@pytest.mark.parametrize("verdict", ["", "relase"])
def test_a_word_that_is_not_known_decides_nothing(browser: Browser, verdict: str) -> None:
    ref = ref_of(browser.ledger, "two-primaries")

    held = browser.settle(verdict, browser.shown())
    waits = browser.post("/waiting", entry=ref, verdict=verdict, reason="why not")

    assert held.status_code == 409 and "say release or discard" in held.text
    assert waits.status_code == 409 and "say leave, again or one of its options" in waits.text
    assert holds.by_code(browser.ledger) == {"too_many_creates": 2}
    assert words.of(browser.ledger, [ref]) == {}


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_a_wrong_write_is_made_an_example_on_the_page(browser: Browser) -> None:
    key = key_of(browser.ledger, "whole-row")
    assert browser.post("/mark", key=key, verdict="wrong", remark="no").status_code == 303
    assert f'href="/example?key={key}"' in browser.get("/writes?mark=wrong").text

    page = browser.get(f"/example?key={key}")
    assert page.status_code == 200 and not [word for word in SECRET if word in page.text]
    form = fields(page.text) | {"value.status": "vip"}
    kept = browser.post(
        "/example", key=key, shows="who is a vip", kind="write", because="", reason="", **form
    )

    assert kept.status_code == 303
    written = (browser.settings.deployments / LABEL / "golden" / "review-who-is-a-vip.yaml").read_text()
    assert "status: vip" in written
    assert "1 open question" in browser.get("/questions").text


HARD = {"city": "\n1 Main St\nApt 4\n", "payer": "y" * 2500, "zip": "", "email": "a\r\nb\x00<b>&\x85"}


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_what_the_reviewer_left_alone_is_expected_as_it_was(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed, key = examples.proposed, key_of(browser.ledger, "whole-row")

    def with_hard_values(deployment: Deployment, ledger: Ledger, key: str) -> Proposal:
        found = proposed(deployment, ledger, key)
        call = found.call.model_copy(update={"arguments": dict(found.call.arguments) | HARD})
        plan = found.plan.model_copy(update={"calls": (call,)})
        return replace(found, plan=plan)

    monkeypatch.setattr(examples, "proposed", with_hard_values)
    form = fields(browser.get(f"/example?key={key}").text)
    same = browser.post("/example", key=key, shows="who is a vip", kind="write", **form)
    assert same.status_code == 409 and "decided already" in same.text

    form["value.status"] = "vip\n"
    assert browser.post("/example", key=key, shows="who is a vip", kind="write", **form).status_code == 303

    said = golden.load(browser.settings.deployments / LABEL)["review-who-is-a-vip"].plan.calls[0].arguments
    assert {name: said[name] for name in HARD} == HARD
    assert said["status"] == "vip"


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_what_is_too_long_is_refused_and_not_cut(browser: Browser) -> None:
    key = key_of(browser.ledger, "whole-row")
    form = fields(browser.get(f"/example?key={key}").text) | {"value.payer": "z" * 2001}

    kept = browser.post("/example", key=key, shows="who is a vip", kind="write", **form)

    assert kept.status_code == 409 and "more than 2000 characters; say it shorter" in kept.text
    assert not list((browser.settings.deployments / LABEL / "golden").glob("review-*"))


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_the_terminal_refuses_what_the_page_refuses_and_keeps_what_it_keeps(browser: Browser) -> None:
    key = key_of(browser.ledger, "whole-row")
    form = fields(browser.get(f"/example?key={key}").text)

    def on_the_page(name: str, said: str) -> str:
        sent = form | {f"value.{name}": said}
        return browser.post("/example", key=key, shows="who is a vip", kind="write", **sent).text

    def in_the_terminal(name: str, said: str) -> str:
        sent = ["--shows", "who is a vip", "--set", f"{name}={said}", "--person", "Ana"]
        return str(CliRunner().invoke(app, [acting.example.__name__, LABEL, key, *sent]).exception)

    for name, said in (("full_name", "Dana_Reyes"), ("reyes", "1"), ("phone", "2125550104")):
        line = in_the_terminal(name, said)
        assert line and line in unescape(on_the_page(name, said))
    assert in_the_terminal("status", "vip") == "None"

    example = golden.load(browser.settings.deployments / LABEL)["review-who-is-a-vip"]
    assert example.plan.calls[0].arguments["status"] == "vip"
    assert "payer" in example.plan.calls[0].arguments


def test_the_checklist_names_what_is_open_and_keeps_it_from_going_live(browser: Browser) -> None:
    page = browser.get("/checklist").text

    for point in ("golden set", "branches", "changes", "permissions", "accounts", "agreements"):
        assert f'<th scope="row">{point}</th>' in page
    assert "connection healthie does not answer as it should" in page
    assert "nobody found one right" in page
    assert 'action="/promote"' not in page
    refused = browser.post("/promote", author="Ben")
    assert refused.status_code == 409 and "points of the checklist are open" in refused.text
    assert not (browser.settings.deployments / LABEL / "approval.yaml").exists()
