"""The page as a browser asks for it: who gets in, what is shown to whom, and what is noted of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from flows.review.door import IDLE, Door, Role
from tests.flows.review.filled import stage

FEW = 90


@dataclass
class Review:
    """`ferry review` at work, and one browser."""

    link: str
    folder: Path
    browser: httpx.Client

    @property
    def url(self) -> str:
        return self.link.partition("/enter")[0]

    def enter(self) -> httpx.Response:
        return self.browser.get(self.link, follow_redirects=True)

    def audit(self, act: str) -> list[tuple[object, ...]]:
        engine = sa.create_engine(f"sqlite:///{self.folder / 'ledger.db'}", poolclass=sa.NullPool)
        with engine.connect() as connection:
            query = sa.text("SELECT actor, count FROM audit WHERE act LIKE :act ORDER BY seq")
            return [tuple(row) for row in connection.execute(query, {"act": f"%{act}%"})]


def opened(folder: Path, number: int, *arguments: str, **environment: str) -> Iterator[Review]:
    with stage(folder, number):
        pass
    yield from served(folder, *arguments, **environment)


def served(folder: Path, *arguments: str, **environment: str) -> Iterator[Review]:
    """The review of the stage that is in a folder."""
    environment = {**os.environ, "FERRY_HOME": str(folder), "FERRY_ENV": "local", **environment}
    environment.setdefault("FERRY_REVIEW_PORT", "0")
    command = [sys.executable, "-m", "flows", "review", "demo/warehouse", "--person", "Ana", *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            link = process.stdout.readline().rpartition(" ")[2].strip()
            with httpx.Client(trust_env=False, timeout=60.0) as browser:
                yield Review(link, folder, browser)
        finally:
            process.terminate()


@pytest.fixture
def review(tmp_path: Path) -> Iterator[Review]:
    yield from opened(tmp_path, FEW)


@pytest.fixture
def viewed(tmp_path: Path) -> Iterator[Review]:
    yield from opened(tmp_path, FEW, "--as", "viewer")


def test_the_link_works_once_and_nothing_is_shown_without_it(review: Review) -> None:
    with httpx.Client(trust_env=False) as stranger:
        assert stranger.get(f"{review.url}/writes").status_code == 403
        assert stranger.get(f"{review.url}/enter?token=x").status_code == 403
    assert "90 planned writes" in review.enter().text

    with httpx.Client(trust_env=False) as second:
        assert second.get(review.link, follow_redirects=True).status_code == 403


def test_another_name_for_this_machine_is_not_answered(review: Review) -> None:
    review.enter()

    assert review.browser.get(f"{review.url}/", headers={"host": "evil.example.com"}).status_code == 421
    other = {"origin": "http://evil.example.com"}
    assert review.browser.post(f"{review.url}/mark", headers=other).status_code == 403


def test_a_reviewer_sees_each_field_before_and_after_and_the_audit_says_so(review: Review) -> None:
    review.enter()

    page = review.browser.get(f"{review.url}/writes", params={"kind": "changed", "sentence": "S3"})

    assert "<h1>30 writes</h1>" in page.text
    assert "<td>Old Name</td><td><ins>Ana &lt;b&gt;Name2&lt;/b&gt;</ins></td><td>@full_name</td>" in page.text
    assert "as it is" in page.text
    assert review.audit("reviewed with their values") == [("person Ana", 30)]
    assert page.headers["cache-control"] == "no-store"
    assert "'unsafe" not in page.headers["content-security-policy"]


def test_a_viewer_sees_that_something_changes_and_no_value(viewed: Review) -> None:
    viewed.enter()

    page = viewed.browser.get(f"{viewed.url}/writes", params={"kind": "changed"}).text

    assert "<td>&lt;text&gt;</td><td><ins>&lt;text&gt;</ins></td>" in page
    assert "Old Name" not in page and "Name2" not in page and "100002" not in page
    assert 'action="/mark"' not in page
    assert viewed.audit("reviewed with their values") == []


def test_a_write_is_marked_with_a_remark_and_only_by_the_pages_own_form(review: Review) -> None:
    review.enter()
    page = review.browser.get(f"{review.url}/sample").text
    proof, key = (re.search(f'name="{name}" value="([^"]+)"', page) for name in ("proof", "key"))
    assert proof and key
    form = {"key": key[1], "verdict": "wrong", "remark": "her name is Anna", "back": "/sample"}
    own = {"origin": review.url}

    refused = review.browser.post(f"{review.url}/mark", data=form, headers=own)
    assert refused.status_code == 403
    sent = review.browser.post(f"{review.url}/mark", data=form | {"proof": proof[1]}, headers=own)
    assert sent.status_code == 303

    found = review.browser.get(f"{review.url}/writes", params={"mark": "wrong"}).text
    assert "<h1>1 write</h1>" in found and "Marked wrong by Ana: her name is Anna" in found
    assert review.audit("marked wrong") == [("person Ana", 1)]
    assert b"her name is Anna" not in (review.folder / "ledger.db").read_bytes()


def test_the_first_of_a_sample_are_of_every_kind(review: Review) -> None:
    review.enter()

    page = review.browser.get(f"{review.url}/sample").text

    assert set(re.findall(r'class="write ([a-z-]+)"', page)[:9]) == {"new", "changed", "as-it-is"}


def test_a_session_ends_after_a_quarter_of_an_hour_without_use() -> None:
    clock = [0.0]
    door = Door(Role.REVIEWER, "Ana", lambda: clock[0])
    name = door.enter(door.token)
    assert name

    clock[0] += IDLE - 1
    assert door.admit(name)
    clock[0] += IDLE - 1
    assert door.admit(name)
    clock[0] += IDLE
    assert door.admit(name) is None
    assert door.enter(door.token) is None
