"""The page in Chromium: by keyboard alone, by axe's rules, offline, with nothing left behind.

Pictures of every page, of invented people, are left in FERRY_SCREENSHOTS (build/screenshots).
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from tests.flows.review.browser import PATIENCE, Visit, faults
from tests.flows.review.test_page import FEW, opened

PAGES = {
    "overview": "/",
    "writes": "/writes?at=80",
    "none": "/writes?kind=emptied",
    "entries": "/entries",
    "sample": "/sample",
    "closed": "/idle",
}


@pytest.fixture(scope="module")
def entered(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """The review, and the window in which its link was opened: it works once."""
    for review in opened(tmp_path_factory.mktemp("review"), FEW):
        context = chromium.new_context()
        made = Visit(review, context, context.new_page())
        made.page.goto(review.link, timeout=PATIENCE)
        yield made
        context.close()


def visit(chromium: Browser, entered: Visit, *, scripts: bool = True) -> Visit:
    """Another window with the same session; nothing has been marked yet."""
    with closing(sqlite3.connect(entered.review.folder / "ledger.db")) as connection:
        connection.execute("DELETE FROM mark")
        connection.commit()
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, java_script_enabled=scripts)
    context.add_cookies(entered.context.cookies())  # type: ignore[arg-type]  # what it gives it takes
    context.set_default_timeout(PATIENCE)
    made = Visit(entered.review, context, context.new_page())
    made.page.on("request", made.note)
    return made


@pytest.fixture
def visited(chromium: Browser, entered: Visit) -> Iterator[Visit]:
    made = visit(chromium, entered)
    yield made
    made.context.close()


def test_axe_finds_nothing_on_any_page_in_either_colour_or_width(visited: Visit) -> None:
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        visited.page.goto(visited.review.url + path)
        found |= faults(visited.page, name)

    assert found == {}


def test_a_sample_is_judged_by_keyboard_alone(visited: Visit) -> None:
    keyboard = visited.page.keyboard
    visited.go("/sample")
    keyboard.press("j")
    first = visited.focus()
    keyboard.press("j")
    second = visited.focus()
    assert first in visited.writes() and second in visited.writes() - {first}
    keyboard.press("k")
    assert visited.focus() == first

    visited.press("r")

    assert visited.focus() == second  # the next one of the sample
    while visited.page.evaluate("document.activeElement.name") != "remark":
        keyboard.press("Tab")
    keyboard.type("her name is Anna; r and x are letters here")
    keyboard.press("Enter")  # says neither right nor wrong
    keyboard.press("Tab")
    keyboard.press("Tab")
    visited.press("Enter")

    visited.go("/writes?mark=wrong")
    assert "Marked wrong by Ana: her name is Anna; r and x are letters here" in visited.page.inner_text(
        "main"
    )
    visited.go("/writes?mark=right")
    assert visited.writes() == {first}


def test_pages_and_filters_are_reached_by_keyboard_alone(visited: Visit) -> None:
    keyboard = visited.page.keyboard
    visited.go("/writes")
    keyboard.press("Tab")
    assert visited.page.evaluate("document.activeElement.textContent") == "To the content"
    keyboard.press("Enter")
    assert visited.focus() == "main"
    visited.press("n")
    assert "at=50" in visited.page.url
    visited.press("p")
    keyboard.press("f")
    keyboard.type("S2")
    while visited.page.evaluate("document.activeElement.textContent") != "Filter":
        keyboard.press("Tab")
    visited.press("Enter")

    assert visited.page.locator("h1").inner_text() == "30 writes"


def test_single_keys_can_be_turned_off(visited: Visit) -> None:
    visited.go("/sample")
    visited.click("button:text('Turn keys off')")
    visited.page.keyboard.press("j")
    assert visited.focus() not in visited.writes()

    visited.click("button:text('Turn keys on')")
    visited.page.keyboard.press("j")
    assert visited.focus() in visited.writes()


def test_nothing_is_asked_of_anybody_else_and_no_address_names_a_patient(visited: Visit) -> None:
    own = visited.review.url
    for path in ("/", "/writes", "/entries", "/sample", "/writes?kind=changed"):
        visited.go(path)
    visited.page.locator("input[name=remark]").first.fill("Old Name is right")
    visited.click("button[value=right]")
    assert "Marked right by Ana: Old Name is right" in visited.page.inner_text("main")

    assert len(visited.asked) > 15
    for request in visited.asked:
        assert request.url.startswith(own)
        assert not re.search(r"\b[12]00\d{3}\b|Name|example", request.url.removeprefix(own))
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
    assert not visited.page.evaluate("document.querySelector('noscript meta')")  # of who has scripts
    with visited.page.expect_navigation():
        visited.page.clock.fast_forward("01:00")

    assert visited.page.locator("h1").inner_text() == "This review is closed"
    assert "Patient" not in visited.page.content()
    visited.go("/writes")  # another page was used meanwhile: the session goes on


def test_it_works_without_scripts_and_twenty_others_are_others(chromium: Browser, entered: Visit) -> None:
    plain = visit(chromium, entered, scripts=False)
    plain.go("/sample")
    plain.click("button[value=wrong]")
    before = plain.page.content()
    plain.click("button:text('Show 20 others')")
    after = plain.page.content()
    plain.go("/writes?mark=wrong")
    marked = plain.page.content()
    plain.context.close()

    shown = [set(re.findall(r'<article [^>]*id="(\w+)"', page)) for page in (before, after, marked)]
    assert [len(ones) for ones in shown] == [20, 20, 1]
    assert not shown[0] & shown[1]


def test_who_types_keeps_the_page_and_the_session(visited: Visit) -> None:
    visited.page.clock.install()
    visited.go("/writes")
    told = f"{visited.review.url}/used"
    remark = visited.page.locator("input[name=remark]").first
    for _ in range(4):
        visited.page.clock.fast_forward("14:30")
        with visited.page.expect_response(told) as answered:
            remark.press("a")
        remark.press("b")  # within the minute: the server is not told again

        assert answered.value.status == 204
        assert visited.page.locator("#soon").inner_text() == ""
    assert remark.input_value() == "ab" * 4
    assert [one.url for one in visited.asked].count(told) == 4

    with visited.page.expect_navigation():
        visited.page.clock.fast_forward("15:01")
    assert visited.page.locator("h1").inner_text() == "This review is closed"


def test_without_scripts_too_a_page_goes_after_a_quarter_of_an_hour(
    chromium: Browser, entered: Visit
) -> None:
    plain = visit(chromium, entered, scripts=False)

    def at_once(route: Route) -> None:
        answer = route.fetch()
        assert answer.text().count('<meta http-equiv="refresh" content="900;url=/idle">') == 1
        route.fulfill(response=answer, body=answer.text().replace('content="900;', 'content="0;'))

    plain.page.route("**/writes", at_once)
    plain.page.goto(f"{plain.review.url}/writes", wait_until="commit")
    plain.page.wait_for_url("**/idle")

    assert plain.page.locator("h1").inner_text() == "This review is closed"
    plain.context.close()


def test_axe_finds_nothing_on_what_a_viewer_sees_and_on_what_has_ended(
    chromium: Browser, tmp_path: Path
) -> None:
    found: dict[str, list[str]] = {}
    for review in opened(tmp_path, 9, "--as", "viewer"):
        context = chromium.new_context()
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(review.link)
        for name in ("writes", "entries", "waiting"):
            page.goto(f"{review.url}/{name}")
            found |= faults(page, f"viewer-{name}")
        with closing(sqlite3.connect(review.folder / "ledger.db")) as connection:
            connection.execute("UPDATE stage SET ends = '2026-01-01 00:00:00.000000'")
            connection.commit()
        page.goto(f"{review.url}/writes")
        assert "has ended" in page.inner_text("h1")
        found |= faults(page, "ended")
        context.close()

    assert found == {}
