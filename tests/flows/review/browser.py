"""A browser window with a session of the review, pictures of what it shows, and what axe says of it."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page, Request

from tests.flows.review.test_page import Review

PICTURES = Path(os.environ.get("FERRY_SCREENSHOTS", "build/screenshots"))
PATIENCE = 60_000  # milliseconds, of a busy machine
LOOKS: tuple[tuple[Literal["light", "dark"], int], ...] = (("light", 1280), ("dark", 1280), ("light", 400))


@dataclass
class Visit:
    """One browser window with a session of the review."""

    review: Review
    context: BrowserContext
    page: Page
    asked: list[Request] = field(default_factory=list[Request])

    def note(self, request: Request) -> None:
        self.asked.append(request)

    def go(self, path: str) -> None:
        answer = self.page.goto(self.review.url + path)
        assert answer and answer.status == 200, path

    def press(self, key: str) -> None:
        """A key that leads to another page."""
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def click(self, button: str) -> None:
        """A button that leads to another page."""
        with self.page.expect_navigation():
            self.page.locator(button).first.click()

    def focus(self) -> str:
        """The id of what has the focus."""
        return str(self.page.evaluate("document.activeElement.id"))

    def writes(self) -> set[str]:
        """The ids of the writes that are shown."""
        return set(self.page.locator("article.write").evaluate_all("ones => ones.map(one => one.id)"))


def faults(page: Page, name: str) -> dict[str, list[str]]:
    """What axe finds on the page that is open, in each colour and width, and whether it is wider than that.

    A picture of each is left.
    """
    PICTURES.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[str]] = {}
    for colour, width in LOOKS:
        page.emulate_media(color_scheme=colour)
        page.set_viewport_size({"width": width, "height": 900})
        picture = f"{name}-{colour}-{width}"
        page.screenshot(path=PICTURES / f"{picture}.png", full_page=True)
        over = int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))
        found[picture] = violations(page) + ([f"{over} px wider than the window"] if over > 0 else [])
    return {picture: broken for picture, broken in found.items() if broken}


def violations(page: Page) -> list[str]:
    """Axe's findings: rule, how bad, and where."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert len(found["passes"]) > 5  # it did look
    return [
        f"{one['id']} ({one['impact']}): {node['target']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]
