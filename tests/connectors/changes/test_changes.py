"""The reader of change, case by case."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.changes import Cursor, Page, Row, scan
from connectors.errors import Rejected, Transient
from tests.connectors.changes.model import OVERLAP, Listing, at

SECONDS = timedelta(seconds=1)


def listing_of(rows: int, *, second: int = 1000, apart: int = 0, **shape: object) -> Listing:
    listing = Listing(second=second, **shape)  # type: ignore[arg-type]
    for number in range(rows):
        listing.write(f"row{number:04}", (f"p{number}",))
        listing.pass_time(apart)
    return listing


def clock(listing: Listing, skew: int = 0) -> Callable[[], datetime]:
    return lambda: at(listing.second + skew)


def read(listing: Listing, cursor: Cursor | None, skew: int = 0) -> tuple[list[str], Cursor]:
    scanned = scan(listing, cursor, now=clock(listing, skew), overlap=OVERLAP * SECONDS)
    patients = [change.patient for page in scanned for change in page]
    return patients, scanned.cursor


@pytest.mark.parametrize("newest_first", [True, False])
def test_the_first_run_reads_everything(newest_first: bool) -> None:
    listing = listing_of(25, apart=60, newest_first=newest_first, size=10)

    patients, cursor = read(listing, None)

    assert sorted(patients) == sorted(f"p{number}" for number in range(25))
    assert cursor.watermark == at(listing.second)
    assert all(since is None for _, since in listing.calls)


@pytest.mark.parametrize("newest_first", [True, False])
def test_hundreds_of_rows_with_one_timestamp_are_all_read(newest_first: bool) -> None:
    listing = listing_of(350, size=50, newest_first=newest_first)
    listing.pass_time(60)

    assert len(read(listing, None)[0]) == 350
    assert len(read(listing, Cursor(watermark=at(1000)))[0]) == 350
    assert len(read(listing, Cursor(watermark=at(1000 + OVERLAP)))[0]) == 350
    assert read(listing, Cursor(watermark=at(1000 + OVERLAP + 1)))[0] == []


def test_a_quiet_listing_costs_one_page() -> None:
    listing = listing_of(500, apart=10, size=10)
    listing.pass_time(3600)

    patients, _ = read(listing, Cursor(watermark=at(listing.second - 60)))

    assert patients == []
    assert len(listing.calls) == 1


def test_a_filtered_feed_is_asked_from_the_watermark_less_the_overlap() -> None:
    listing = listing_of(50, apart=10, newest_first=False)
    listing.pass_time(100)

    read(listing, Cursor(watermark=at(1200)))

    assert {since for _, since in listing.calls} == {at(1200 - OVERLAP)}


def test_a_patient_is_nominated_once_in_a_scan() -> None:
    listing = Listing(second=1000, size=2)
    for number in range(6):
        listing.write(f"row{number}", ("ana", "bob", "ana"))

    assert read(listing, None)[0] == ["ana", "bob"]


def test_rows_that_vanish_while_the_listing_is_read_cost_no_others() -> None:
    listing = listing_of(20, apart=60, size=5)
    scanned = scan(listing, None, now=clock(listing))
    pages = iter(scanned)
    patients = [change.patient for change in next(pages)]
    for number in range(15, 20):
        listing.delete(f"row{number:04}")

    patients += [change.patient for page in pages for change in page]

    assert sorted(patients) == sorted(f"p{number}" for number in range(20))


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("kept", [0, 1, 4])
def test_a_short_page_is_not_the_end(newest_first: bool, kept: int) -> None:
    whole = listing_of(5, apart=60, newest_first=newest_first, size=10)

    scanned = scan(Cut(whole, kept), Cursor(watermark=at(900)), now=clock(whole))

    with pytest.raises(Transient, match="patients: fewer rows than the source counts"):
        list(scanned)
    with pytest.raises(RuntimeError):
        _ = scanned.cursor


def test_a_short_page_beyond_the_cursor_hides_nothing() -> None:
    listing = listing_of(5, apart=60, size=10)  # the last one at 1240

    scanned = scan(Cut(listing, 2), Cursor(watermark=at(1200)), now=clock(listing), overlap=SECONDS)

    assert [change.patient for page in scanned for change in page] == ["p4"]
    assert scanned.cursor == Cursor(watermark=at(listing.second))


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_listing_that_changes_while_it_is_read_is_not_refused(newest_first: bool) -> None:
    listing = listing_of(20, apart=60, newest_first=newest_first, size=5)
    pages = iter(scan(listing, None, now=clock(listing)))
    patients = [change.patient for change in next(pages)]
    for number in range(3):
        listing.pass_time(1)
        listing.write(f"row{number:04}", (f"p{number}",))  # the oldest ones move past the scan, or before it
        listing.write(f"new{number}", (f"new{number}",))
    patients += [change.patient for page in pages for change in page]

    assert {f"p{number}" for number in range(20)} <= {*patients}


@pytest.mark.parametrize(("skew", "watermark"), [(0, 1000), (-300, 700), (300, 1000)])
def test_the_watermark_is_the_earlier_of_both_clocks_at_the_first_page(skew: int, watermark: int) -> None:
    listing = listing_of(10, size=2)
    scanned = scan(listing, None, now=clock(listing, skew))
    for _ in scanned:
        listing.pass_time(5)

    assert scanned.cursor == Cursor(watermark=at(watermark))


def test_without_a_clock_of_the_source_ours_counts() -> None:
    listing = listing_of(3, shows_clock=False)

    assert read(listing, None, skew=-7)[1] == Cursor(watermark=at(993))


def test_there_is_no_cursor_before_the_end() -> None:
    listing = listing_of(10)
    scanned = scan(listing, None, now=clock(listing))
    next(iter(scanned))

    with pytest.raises(RuntimeError, match="patients: the scan has not come to its end"):
        _ = scanned.cursor


def test_a_cursor_from_the_future_is_not_believed() -> None:
    listing = listing_of(10, apart=600)

    patients, cursor = read(listing, Cursor(watermark=at(0).replace(year=2999)))

    assert len(patients) == 10
    assert cursor.watermark == at(listing.second)


def test_a_page_out_of_order_does_not_end_the_scan() -> None:
    pages = {
        None: Page((Row("a", at(10), ("p1",)), Row("b", at(900), ("p2",)), Row("c", at(20), ("p3",))), "two"),
        "two": Page((Row("d", at(950), ("p4",)),), None),
    }
    feed = Canned(pages)

    scanned = scan(feed, Cursor(watermark=at(800)), now=lambda: at(1000), overlap=OVERLAP * SECONDS)

    assert [change.patient for page in scanned for change in page] == ["p2", "p4"]


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    row = Row("a", at(900), ("p1",))
    feed = Canned({None: Page((), "two"), "two": Page((), "three"), "three": Page((row,), None)})

    scanned = scan(feed, None, now=lambda: at(1000))

    assert [change.patient for page in scanned for change in page] == ["p1"]


def test_pages_that_do_not_advance_are_refused() -> None:
    feed = Canned({None: Page((), "one"), "one": Page((), "one")})

    with pytest.raises(Rejected, match="canned: the next page is the same page") as refused:
        list(scan(feed, None, now=lambda: at(1000)))
    assert refused.value.code == "feed_stuck"


def test_a_failure_in_the_middle_reaches_the_caller_and_moves_nothing() -> None:
    feed = Canned({None: Page((Row("a", at(900), ("p1",)),), "gone")})
    scanned = scan(feed, None, now=lambda: at(1000))

    with pytest.raises(Transient):
        list(scanned)
    with pytest.raises(RuntimeError):
        _ = scanned.cursor


class Cut:
    """A listing whose pages are cut off after a few rows and say that there is no more."""

    def __init__(self, whole: Listing, kept: int) -> None:
        self.name, self.newest_first = whole.name, whole.newest_first
        self._whole, self._kept = whole, kept

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        page = self._whole.fetch(after, since)
        return replace(page, rows=page.rows[: self._kept], after=None)


class Canned:
    """A feed of fixed pages; a page that is not there cannot be fetched."""

    name = "canned"
    newest_first = True

    def __init__(self, pages: dict[str | None, Page]) -> None:
        self._pages = pages

    def fetch(self, after: str | None, since: datetime | None) -> Page:
        if after not in self._pages:
            raise Transient("unreachable", "canned: no answer")
        return self._pages[after]
