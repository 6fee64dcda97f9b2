"""Acting on the page: who may do what, by the page's own forms alone, and what comes of it."""

import re
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from flows.ledger import holds, waiting, words
from flows.review import acts
from flows.review.door import Role
from tests.flows.review.decided import LABEL, REFUSED, key_of, ref_of
from tests.flows.review.person import HOST, Person

PAGES = ("/waiting", "/held", "/questions", "/checklist")
SECRET = ("Albany", "two-primaries", "Reyes")  # values and ids of the demo's patients


def hold(browser: Person, patients: Sequence[str]) -> None:
    """As a run does whose limit is reached."""
    keys = [key_of(browser.ledger, patient) for patient in patients]
    with acts.acting(browser.ledger, "Ana"):
        holds.hold(browser.ledger, keys, "too_many_creates", dict.fromkeys(keys))


def test_nothing_is_shown_or_done_without_a_session(browser: Person) -> None:
    browser.client.cookies.clear()

    assert {browser.get(page).status_code for page in (*PAGES, "/example?key=x")} == {403}
    assert {browser.post(page, proof=False).status_code for page in ("/waiting", "/held", "/promote")} == {
        403
    }


def test_who_comes_from_another_site_keeps_their_session(browser: Person) -> None:
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


def test_what_is_wrong_in_the_files_is_one_line(browser: Person) -> None:
    (browser.settings.deployments / LABEL / "answers.md").write_text("Q77: yes\n")

    told = browser.get("/questions")

    assert told.status_code == 409 and "answers.md" in told.text and "Not done" in told.text


@pytest.mark.parametrize("path", ["/mark", "/waiting", "/held"])
def test_a_body_that_is_no_text_is_not_understood(browser: Person, path: str) -> None:
    sent = browser.client.post(path, content=b"proof=\xff", headers={"origin": f"http://{HOST}"})

    assert sent.status_code == 403


def test_an_answer_that_fails_says_where_and_is_not_kept_either(browser: Person) -> None:
    with browser.ledger.engine.begin() as connection:
        connection.execute(sa.text("UPDATE delivery SET state = 'odd'"))

    failed = browser.get("/writes")

    assert failed.status_code == 500
    assert re.fullmatch(r"internal_error: KeyError at flows/[a-z_/]+\.py:\d+; report this line", failed.text)
    for answer in (failed, browser.client.get("/writes", headers={"host": "evil.example.com"})):
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_form_of_another_page_does_nothing(browser: Person) -> None:
    ref = ref_of(browser.ledger, "two-primaries")

    assert browser.post("/waiting", proof=False, entry=ref, verdict="leave", reason="x").status_code == 403
    assert browser.post("/held", proof=False, code="too_many_creates", verdict="discard").status_code == 403
    assert waiting.number(browser.ledger) == 1 and holds.by_code(browser.ledger) == {"too_many_creates": 2}


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_a_viewer_sees_what_waits_and_no_value_and_does_nothing(browser: Person) -> None:
    told = {page: browser.get(page) for page in PAGES}

    assert {page.status_code for page in told.values()} == {200}
    assert "1 entry waits" in told["/waiting"].text and "two_primaries" in told["/waiting"].text
    for page in told.values():
        assert not [word for word in SECRET if word in page.text]
        assert 'method="post" action="/waiting"' not in page.text and 'action="/held"' not in page.text
    assert browser.get("/example?key=x").status_code == 403
    assert browser.post("/waiting", verdict="leave", entry="e", reason="x").status_code == 403


@pytest.mark.parametrize("role", [Role.REVIEWER])
def test_a_reviewer_decides_what_waits_with_a_reason_and_releases_nothing(browser: Person) -> None:
    ref = ref_of(browser.ledger, "two-primaries")
    assert "patient two-primaries" in browser.get("/waiting").text

    unsaid = browser.post("/waiting", entry=ref, verdict="leave", reason="")
    assert unsaid.status_code == 409 and "say why" in unsaid.text
    assert browser.post("/waiting", entry=ref, verdict="leave", reason="twice <there>").status_code == 303

    assert words.of(browser.ledger, [ref])[ref].reason == "twice <there>"
    assert "No entry waits" in browser.get("/waiting").text
    assert browser.post("/held", code="too_many_creates", verdict="release").status_code == 403
    assert browser.post("/promote", author="Ben").status_code == 403


def test_an_approver_lets_go_and_drops_what_is_held(browser: Person) -> None:
    page = browser.get("/held").text
    assert "too_many_creates" in page and "would make more new records" in page
    assert "held" in browser.get("/writes?state=held").text

    assert browser.settle("release", browser.shown()).status_code == 303
    assert holds.by_code(browser.ledger) == {}
    hold(browser, REFUSED)
    assert browser.settle("discard", browser.shown()).status_code == 303

    assert "Nothing is held" in browser.get("/held").text
    assert "<h1>0 writes</h1>" in browser.get("/writes?state=held").text


def test_what_was_held_after_the_page_was_shown_is_not_released_with_it(browser: Person) -> None:
    shown = browser.shown()
    hold(browser, ["whole-row"])

    refused = browser.settle("release", shown)
    assert refused.status_code == 409 and "is not what was shown; look at it again" in refused.text
    assert holds.by_code(browser.ledger) == {"too_many_creates": 3}
    assert browser.settle("release", browser.shown()).status_code == 303
    assert holds.by_code(browser.ledger) == {}


@pytest.mark.parametrize("verdict", ["", "relase"])
def test_a_word_that_is_not_known_decides_nothing(browser: Person, verdict: str) -> None:
    ref = ref_of(browser.ledger, "two-primaries")

    held = browser.settle(verdict, browser.shown())
    waits = browser.post("/waiting", entry=ref, verdict=verdict, reason="why not")

    assert held.status_code == 409 and "say release or discard" in held.text
    assert waits.status_code == 409 and "say leave, again or one of its options" in waits.text
    assert holds.by_code(browser.ledger) == {"too_many_creates": 2}
    assert words.of(browser.ledger, [ref]) == {}


def test_the_checklist_names_what_is_open_and_keeps_it_from_going_live(browser: Person) -> None:
    page = browser.get("/checklist").text

    for point in ("golden set", "branches", "changes", "permissions", "accounts", "agreements"):
        assert f'<th scope="row">{point}</th>' in page
    assert "connection healthie does not answer as it should" in page
    assert "nobody found one right" in page
    assert 'action="/promote"' not in page
    refused = browser.post("/promote", author="Ben")
    assert refused.status_code == 409 and "points of the checklist are open" in refused.text
    assert not (browser.settings.deployments / LABEL / "approval.yaml").exists()
