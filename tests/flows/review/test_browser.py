"""The page in Chromium: by keyboard alone, by axe's rules, offline, with nothing left behind.

Pictures of every page, of invented people, are left in FERRY_SCREENSHOTS (build/screenshots).
"""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from tests.flows.review.test_page import FEW, Review, opened

PICTURES = Path(os.environ.get("FERRY_SCREENSHOTS", "build/screenshots"))
PATIENCE = 60_000  # milliseconds, of a busy machine
PAGES = {
    "overview": "/",
    "writes": "/writes",
    "emptied-none": "/writes?kind=emptied",
    "entries": "/entries",
    "sample": "/sample",
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("needs Debian's chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=PATIENCE)
        yield browser
        browser.close()


@dataclass
class Visit:
    """One browser window in which the review was opened by its link."""

    review: Review
    context: BrowserContext
    page: Page
    asked: list[Request] = field(default_factory=list[Request])

    def go(self, path: str) -> None:
        answer = self.page.goto(self.review.url + path)
        assert answer and answer.status == 200, path

    def focus(self) -> str:
        """The id of what has the focus."""
        return str(self.page.evaluate("document.activeElement.id"))


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    yield from opened(tmp_path, FEW)


def visit(chromium: Browser, review: Review, **options: object) -> Visit:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    made = Visit(review, context, context.new_page())
    made.page.on("request", made.asked.append)
    made.page.goto(review.link)
    return made


@pytest.fixture
def visited(chromium: Browser, review: Review) -> Iterator[Visit]:
    made = visit(chromium, review)
    yield made
    made.context.close()


def test_axe_finds_nothing_on_any_page_in_either_colour_or_width(visited: Visit) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    found: dict[str, object] = {}
    for name, path in {**PAGES, "closed": "/idle"}.items():
        visited.page.goto(visited.review.url + path)
        for colour in ("light", "dark"):
            visited.page.emulate_media(color_scheme=colour)
            for width in (1280, 400):
                visited.page.set_viewport_size({"width": width, "height": 900})
                visited.page.screenshot(
                    path=PICTURES / f"{name}-{colour}-{width}.png", full_page=name == "overview"
                )
                found |= {
                    f"{name} {colour} {width}": broken for broken in [violations(visited.page)] if broken
                }

    assert found == {}


def violations(page: Page) -> list[str]:
    """Axe's findings: rule, how bad, and where."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations', 'passes']})")
    assert len(found["passes"]) > 5  # it did look
    return [
        f"{one['id']} ({one['impact']}): {node['target']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_a_sample_is_judged_by_keyboard_alone(visited: Visit) -> None:
    keyboard = visited.page.keyboard
    visited.go("/sample")
    keyboard.press("j")
    first = visited.focus()
    keyboard.press("j")
    second = visited.focus()
    assert first.startswith("w") and second.startswith("w") and first != second
    keyboard.press("k")
    assert visited.focus() == first

    with visited.page.expect_navigation():
        keyboard.press("r")

    assert visited.focus() == second  # the next one of the sample
    assert visited.page.locator("h1").inner_text() == "20 writes that nobody has judged yet"
    while visited.page.evaluate("document.activeElement.name") != "remark":
        keyboard.press("Tab")
    keyboard.type("her name is Anna; r and x are letters here")
    keyboard.press("Enter")  # says neither right nor wrong
    keyboard.press("Tab")
    keyboard.press("Tab")
    with visited.page.expect_navigation():
        keyboard.press("Enter")

    visited.go("/writes?mark=wrong")
    assert "Marked wrong by Ana: her name is Anna; r and x are letters here" in visited.page.inner_text(
        "main"
    )
    visited.go("/writes?mark=right")
    assert visited.page.locator("article.write").count() == 1


def test_pages_and_filters_are_reached_by_keyboard_alone(visited: Visit) -> None:
    keyboard = visited.page.keyboard
    visited.go("/writes")
    keyboard.press("Tab")
    assert visited.page.evaluate("document.activeElement.textContent") == "To the content"
    keyboard.press("Enter")
    assert visited.focus() == "main"
    with visited.page.expect_navigation():
        keyboard.press("n")
    assert "at=50" in visited.page.url
    with visited.page.expect_navigation():
        keyboard.press("p")
    keyboard.press("f")
    keyboard.type("S2")
    with visited.page.expect_navigation():
        visited.page.locator("form.filter button").press("Enter")

    assert visited.page.locator("h1").inner_text() == "30 writes"


def test_single_keys_can_be_turned_off(visited: Visit) -> None:
    visited.go("/sample")
    with visited.page.expect_navigation():
        visited.page.get_by_role("button", name="Turn keys off").click()

    visited.page.keyboard.press("j")

    assert not visited.focus().startswith("w")
    visited.go("/writes")
    assert "Single keys are off" in visited.page.inner_text("footer")


def test_nothing_is_asked_of_anybody_else_and_no_address_names_a_patient(visited: Visit) -> None:
    for path in PAGES.values():
        visited.go(path)
    visited.go("/writes?kind=changed")
    visited.page.locator("input[name=remark]").first.fill("Old Name is right")
    with visited.page.expect_navigation():
        visited.page.locator("button[value=right]").first.click()

    assert len(visited.asked) > 15
    for request in visited.asked:
        assert request.url.startswith(visited.review.url)
        assert not re.search(
            r"\b[12]0\d{4}\b|Name|example|consent", request.url.removeprefix(visited.review.url)
        )
    kept = visited.page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]")
    assert kept == [0, 0, ""]
    (cookie,) = visited.context.cookies()
    assert (cookie.get("httpOnly"), cookie.get("sameSite"), cookie.get("expires")) == (True, "Strict", -1)


def test_a_page_that_nobody_uses_goes(visited: Visit) -> None:
    visited.page.clock.install()
    visited.go("/writes")
    assert "Patient" in visited.page.inner_text("main")

    visited.page.clock.fast_forward("14:30")
    assert "it closes in a minute" in visited.page.locator("#soon").inner_text()
    with visited.page.expect_navigation():
        visited.page.clock.fast_forward("01:00")

    assert visited.page.locator("h1").inner_text() == "This review is closed"
    assert "Patient" not in visited.page.content()


def test_it_works_without_scripts(chromium: Browser, review: Review) -> None:
    made = visit(chromium, review, java_script_enabled=False)
    made.go("/sample")
    made.page.locator("button[value=wrong]").first.click()
    made.page.wait_for_url("**/sample*")
    made.page.get_by_role("button", name="Show 20 others").click()
    made.page.wait_for_url("**/sample")

    made.go("/writes?mark=wrong")
    assert made.page.locator("article.write").count() == 1
    made.context.close()


def test_twenty_others_are_twenty_others(visited: Visit) -> None:
    visited.go("/sample")
    before = set(visited.page.locator("article.write").evaluate_all("ones => ones.map(one => one.id)"))
    with visited.page.expect_navigation():
        visited.page.get_by_role("button", name="Show 20 others").click()

    after = set(visited.page.locator("article.write").evaluate_all("ones => ones.map(one => one.id)"))
    assert len(before) == len(after) == 20
    assert not before & after
