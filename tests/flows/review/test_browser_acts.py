"""What people do on the page, in Chromium: by keyboard alone, by axe's rules, on each page that acts."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from flows.ledger import marks
from flows.review.checklist import Point
from flows.review.door import Role, Session
from flows.review.page import TEMPLATES
from flows.review.waits import Told
from tests.flows.review.browser import PATIENCE, Visit, faults
from tests.flows.review.decided import LABEL, key_of, stage
from tests.flows.review.test_page import served

WRONG = "whole-row"


@pytest.fixture
def visited(chromium: Browser, tmp_path: Path) -> Iterator[Visit]:
    with stage(tmp_path) as (settings, _, ledger):
        marks.put(ledger, key_of(ledger, WRONG), "wrong", "she is a vip", "Ben")
    elsewhere = {
        "FERRY_DEPLOYMENTS": str(settings.deployments),
        "DEMO_HEALTHIE_URL": "http://127.0.0.1:9",
        "DEMO_HEALTHIE_KEY": "key",
        "DEMO_WAREHOUSE_URL": f"sqlite:///{tmp_path / 'warehouse.db'}",
    }
    for review in served(tmp_path, **elsewhere):
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        made = Visit(review, context, context.new_page())
        made.page.goto(review.link)
        yield made
        context.close()


def tab_to(visited: Visit, label: str) -> None:
    """Go on by the tabulator until what has the focus is named so."""
    for _ in range(80):
        visited.page.keyboard.press("Tab")
        named = "(e => e.matches('article, main') ? '' : (e.labels?.[0] ?? e).textContent.trim())"
        if str(visited.page.evaluate(f"{named}(document.activeElement)")).startswith(label):
            return
    raise AssertionError(f"{label} is not reached by the tabulator")


def test_what_waits_is_left_by_keyboard_alone_and_a_reason_by_itself_decides_nothing(visited: Visit) -> None:
    visited.go("/waiting")
    assert "1 entry waits" in visited.page.inner_text("h1")
    visited.page.keyboard.press("j")
    assert visited.focus().startswith("w")
    tab_to(visited, "Why")
    visited.page.keyboard.type("her sister's policy")
    visited.page.keyboard.press("Enter")
    assert "1 entry waits" in visited.page.inner_text("h1")

    tab_to(visited, "Leave it")
    visited.press("Enter")

    assert "0 entries wait" in visited.page.inner_text("h1")


def test_what_is_held_is_released_by_keyboard_alone(visited: Visit) -> None:
    visited.go("/held")
    tab_to(visited, "Release")
    visited.press("Enter")

    assert "Nothing is held" in visited.page.inner_text("main")


def test_an_example_is_made_by_keyboard_alone(visited: Visit) -> None:
    visited.go("/writes?mark=wrong")
    tab_to(visited, "Make it an example")
    visited.press("Enter")
    tab_to(visited, "What it shows")
    visited.page.keyboard.type("who is a vip")
    tab_to(visited, "status")
    visited.page.keyboard.press("Control+a")
    visited.page.keyboard.type("vip")
    visited.page.keyboard.press("Enter")  # a new line, and nothing is sent
    assert "An example" in visited.page.inner_text("h1")
    tab_to(visited, "Keep the example")
    visited.press("Enter")

    assert "1 open question" in visited.page.inner_text("h1")
    golden = visited.review.folder / "deployments" / LABEL / "golden"
    assert "status: vip\n" in (golden / "review-who-is-a-vip.yaml").read_text()


def test_axe_finds_nothing_on_any_page_that_acts(visited: Visit) -> None:
    found: dict[str, list[str]] = {}
    visited.go("/writes?mark=wrong")
    visited.click("a:text('Make it an example')")
    found |= faults(visited.page, "example")
    visited.page.fill("input[name=shows]", "who is a vip")
    visited.page.fill("textarea[name='value.status']", "vip")
    visited.click("button:text('Keep the example')")
    for name in ("questions", "waiting", "held", "checklist"):
        visited.go(f"/{name}")
        found |= faults(visited.page, name)
    visited.page.goto(f"{visited.review.url}/example?key=none")
    found |= faults(visited.page, "told")

    assert found == {}


def shown(visited: Visit, path: str, template: str, **values: object) -> None:
    """Go to a page as its template makes it of these values, in the place of what the stage has."""
    session = Session(Role.APPROVER, "Ana", 0.0)
    usual = {"label": LABEL, "staged": True, "session": session, "texts": {}, "idle": 900, "may_mark": True}
    body = TEMPLATES.get_template(template).render(usual | values)

    def answered(route: Route) -> None:
        route.fulfill(response=route.fetch(), body=body)

    visited.page.route(f"**{path}", answered)
    visited.go(path)
    visited.page.unroute(f"**{path}")


def test_axe_finds_nothing_on_a_question_and_where_all_is_done(visited: Visit) -> None:
    asked = Told(
        ref="e0123456789ab",
        who="patient 100001",
        why="a person must decide (judgement_needed)",
        sentences=(("S5", "Set `priority` by how urgent the note sounds."),),
        asks="How urgent is `note`?",
        options=("high", "low"),
        about=(("note", '"please call me back"'),),
        fields=(("note", '"please call me back"'), ("first_name", '"Ana"')),
        word=None,
        decidable=True,
    )
    shown(visited, "/waiting", "waiting.html", ones=[asked], number=1, at=0, shown=20)
    assert visited.page.locator("button[name=option]").all_inner_texts() == ["high", "low"]
    found = faults(visited.page, "question")

    points = [Point(name, (), "it is so") for name in ("files", "golden set", "permissions")]
    shown(visited, "/checklist", "checklist.html", points=points, may_promote=True, person="Ana", beside="")
    assert visited.page.locator("button.main").inner_text() == "Approve as Ana"
    found |= faults(visited.page, "approve")

    assert found == {}
