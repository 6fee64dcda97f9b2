"""Charts are geometry: what they show is what the runs counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.review import charts
from flows.review.charts import HEIGHT, LABEL, LEFT, TOP
from flows.trend import Past

NEW_YORK = "America/New_York"


def ran(started: datetime, **counts: int) -> Past:
    return Past("r1", started, timedelta(seconds=3), "changes", "complete", "", counts)


def test_a_day_is_the_practices_own_and_days_without_a_run_are_shown() -> None:
    late = datetime(2026, 11, 28, 3, 0, tzinfo=UTC)  # still the 27th in New York
    runs = [ran(late + timedelta(days=2), planned=1), ran(late, planned=4, skipped=2), ran(late, review=1)]

    found = charts.by_day(runs, NEW_YORK)

    assert found.rows == (
        ("27 Nov", "4", "2", "1", "0"),
        ("28 Nov", "0", "0", "0", "0"),
        ("29 Nov", "1", "0", "0", "0"),
    )
    assert found.said == "3 bars; the highest is 7, at 27 Nov."  # fmt: skip


def test_bars_stand_on_each_other_and_are_as_high_as_what_they_count() -> None:
    found = charts.by_day([ran(datetime(2026, 11, 28, 12, tzinfo=UTC), planned=4, skipped=2)], NEW_YORK)

    planned, skipped = found.bars
    assert (planned.kind, skipped.kind) == ("planned", "skipped")
    assert planned.height == pytest.approx(2 * skipped.height)
    assert skipped.y + skipped.height == pytest.approx(planned.y)
    assert [label.text for label in found.beside] == ["0", "5", "10"]


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=200))
def test_no_bar_leaves_the_chart(numbers: list[int]) -> None:
    start = datetime(2026, 11, 1, tzinfo=UTC)
    runs = [
        ran(start + timedelta(hours=at), model_tokens=number, planned=number)
        for at, number in enumerate(numbers)
    ]

    for found in (charts.by_day(runs, "UTC"), charts.durations(runs, "UTC"), charts.tokens(runs, "UTC")):
        assert len(found.below) <= found.width / LABEL + 1
        for bar in found.bars:
            assert bar.x >= LEFT and bar.x + bar.width <= found.width
            assert bar.y >= TOP - 0.01 and bar.y + bar.height <= HEIGHT


def test_where_nothing_ran_there_is_nothing_to_draw() -> None:
    for found in (charts.by_day([], "UTC"), charts.durations([], "UTC"), charts.tokens([], "UTC")):
        assert (found.bars, found.said) == ((), "Nothing yet.")
