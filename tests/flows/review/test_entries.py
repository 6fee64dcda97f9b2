"""Entries for which nothing is written, and the numbers of all: what the overview counts can be looked at."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from flows.ledger import entries, lease, seen
from flows.ledger.seen import Asked
from tests.flows.review.filled import stage
from tests.flows.review.test_page import FEW, Review, opened


@pytest.fixture(scope="module")
def review(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Review]:
    for one in opened(tmp_path_factory.mktemp("review"), FEW):
        one.enter()
        yield one


@pytest.fixture
def viewed(tmp_path: Path) -> Iterator[Review]:
    for one in opened(tmp_path, FEW, "--as", "viewer"):
        one.enter()
        yield one


def asked(review: Review, path: str, **query: str) -> str:
    answer = review.browser.get(f"{review.url}{path}", params=query)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.text)


def told(page: str) -> list[str]:
    """The page's entries, as text."""
    found = re.findall(r"<article.*?</article>", page)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", one)).strip() for one in found]


def test_the_overview_counts_entries_by_what_became_of_them(review: Review) -> None:
    page = asked(review, "/")

    numbers = dict(re.findall(r'<li class="(\w+)">(?:<a [^>]*>)?<span class="n">(\d+)</span>', page))
    assert numbers == {"seen": "93", "planned": "90", "skipped": "1", "review": "1", "quarantined": "1"}


def test_the_overview_counts_by_sentence_and_by_target(review: Review) -> None:
    page = asked(review, "/")
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", page)]
    cells = [[re.sub(r"<[^>]+>", "", cell).strip() for cell in row] for row in rows]

    (third,) = [row for row in cells if row[0].startswith("S3 A patient with the tag")]
    assert third[1:] == ["30", "1", "0"]
    (eighth,) = [row for row in cells if row[0].startswith("S8 Payer and member number")]
    assert eighth[1:] == ["0", "0", "1"]
    (target,) = [row for row in cells if row[0] == "warehouse"]
    assert target[1:] == ["warehouse_upsert_patients", "30", "30", "0", "30", "0", "0", "90"]


def test_those_without_a_write_are_shown_with_reason_sentence_and_values(review: Review) -> None:
    found = told(asked(review, "/entries"))

    assert len(found) == 3
    review_first, refused, skipped = found
    who = r"Patient 200001 entry e\w{12} to review Waits for a person to decide: two_primaries"
    assert re.match(who, review_first)
    assert "S8 was judged: the newer one" in review_first
    assert "policies.1.num M-2" in review_first and "first_name" not in review_first
    assert re.match(r"Patient 200002 entry e\w{12} refused", refused)
    assert "value_without_source at warehouse_upsert_patients.email" in refused
    assert "S3 A patient with the tag" in skipped and "active_tags.0.name No data sharing" in skipped


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ({"state": "skipped"}, "1 entry<"),
        ({"state": "planned"}, "90 entries<"),
        ({"state": "planned", "sentence": "S2"}, "30 entries<"),
        ({"reason": "two_primaries"}, "1 entry without a write<"),
        ({"sentence": "S3"}, "1 entry without a write<"),
        ({"sentence": "S"}, "0 entries without a write<"),
        ({"run": "r20261128120000aaaaaa"}, "3 entries without a write<"),
        ({"run": "r20261128120000bbbbbb"}, "0 entries without a write<"),
        ({"entry": "nobody", "at": "x"}, "0 entries without a write<"),
    ],
)
def test_they_are_filtered(review: Review, query: dict[str, str], number: str) -> None:
    assert f"<h1>{number}" in asked(review, "/entries", **query)


def test_every_number_of_the_overview_leads_to_that_many(review: Review) -> None:
    page = asked(review, "/")
    links = re.findall(r'<td class="number"><a href="([^"]+)">([\d,]+)</a>', page)

    assert len(links) > 10
    for address, number in links:
        answer = review.browser.get(review.url + address.replace("&amp;", "&")).text
        found = re.search(r"<h1>([\d,]+) ", answer)
        assert found and found[1] == number, address


def test_who_sees_values_is_in_the_audit_and_a_viewer_sees_none(review: Review, viewed: Review) -> None:
    asked(review, "/entries", state="skipped")
    assert review.audit("entries of warehouse.staging reviewed with their values")[-1] == ("person Ana", 1)

    page = asked(viewed, "/entries")
    assert "no_consent" in page
    for value in ("200000", "active_tags", "M-1", "the newer one"):
        assert value not in page
    assert viewed.audit("reviewed with their values") == []


def test_what_a_staged_run_did_is_told_as_what_would_be(review: Review) -> None:
    page = asked(review, "/writes", kind="changed")

    assert '<p class="state done">Would be delivered. <a' in page
    assert "would be delivered (90)" in page
    assert ">Delivered<" not in page


def test_a_link_of_another_page_leads_on_within_an_open_session(review: Review) -> None:
    with httpx.Client(trust_env=False) as from_elsewhere:  # as a browser does: no cookie comes along
        page = from_elsewhere.get(f"{review.url}/writes?run=r1&x=<b>")

    assert page.status_code == 403
    assert '<a href="/writes?run=r1&amp;x=%3Cb%3E">' in page.text
    assert "set-cookie" not in page.headers


def test_two_reviews_at_once_have_a_cookie_each(review: Review) -> None:
    assert list(review.browser.cookies) == [f"ferry_review_{review.url.rpartition(':')[2]}"]


def test_a_stage_that_ended_shows_nothing_any_more(tmp_path: Path) -> None:
    for one in opened(tmp_path, 3):
        assert one.enter().status_code == 200
        with closing(sqlite3.connect(one.folder / "ledger.db")) as connection:
            connection.execute("UPDATE stage SET ends = '2026-01-01 00:00:00.000000'")
            connection.commit()

        page = one.browser.get(f"{one.url}/writes")

        assert page.status_code == 403
        assert "Staging of demo/warehouse has ended" in page.text and "Patient" not in page.text
        assert one.browser.post(f"{one.url}/mark", headers={"origin": one.url}).status_code == 403


def test_both_ledgers_count_and_find_them(ledger_url: str, tmp_path: Path) -> None:
    with stage(tmp_path, 9, url=ledger_url) as ledger:
        groups = seen.groups(ledger)
        assert {(one.state, one.code.partition(":")[0], one.because): one.number for one in groups} == {
            ("planned", "", ()): 9,
            ("skipped", "no_consent", ("S3",)): 1,
            ("review", "two_primaries", ("S8",)): 1,
            ("quarantined", "value_without_source", ()): 1,
        }
        assert seen.unchanged(ledger) == 0
        lease.take(ledger, "r20261128130000aaaaaa")
        with ledger.writing("seen") as connection:
            entries.seen(ledger, connection, [one.ref for one in seen.page(ledger, Asked("planned"), 0, 2)])
        assert seen.unchanged(ledger) == 2
        assert [one.state for one in seen.page(ledger, Asked(), 0, 9)] == ["review", "quarantined", "skipped"]
        asked = Asked(state="planned", sentence="S2")
        assert seen.number(ledger, asked) == len(seen.page(ledger, asked, 0, 9)) == 3
        (skipped,) = seen.page(ledger, Asked(state="skipped"), 0, 9)
        found = seen.opened(ledger, [skipped.ref])[skipped.ref]
        assert found.patient == "200000" and found.case and found.case.entry["first_name"] == "Ana"
