"""The form that makes an example: what it sends, and what is kept of it."""

from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from flows import golden
from flows.cli import acting, app
from flows.ledger.store import Ledger
from flows.review import examples
from flows.review.door import Role
from flows.review.examples import Proposal
from flows.tenants import Deployment
from tests.flows.review.decided import LABEL, key_of
from tests.flows.review.person import Person

SECRET = ("Albany", "two-primaries", "Reyes")  # values and ids of the demo's patients


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


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_a_wrong_write_is_made_an_example_on_the_page(browser: Person) -> None:
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
    browser: Person, monkeypatch: pytest.MonkeyPatch
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
def test_what_is_too_long_is_refused_and_not_cut(browser: Person) -> None:
    key = key_of(browser.ledger, "whole-row")
    form = fields(browser.get(f"/example?key={key}").text) | {"value.payer": "z" * 2001}

    kept = browser.post("/example", key=key, shows="who is a vip", kind="write", **form)

    assert kept.status_code == 409 and "more than 2000 characters; say it shorter" in kept.text
    assert not list((browser.settings.deployments / LABEL / "golden").glob("review-*"))


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_the_terminal_refuses_what_the_page_refuses_and_keeps_what_it_keeps(browser: Person) -> None:
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
