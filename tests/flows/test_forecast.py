"""Forecasts: of a recorded practice, the next seven days come out as they were said."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from flows.forecast import Change, Ran, forecast
from flows.schedules import PERIOD, Rhythm

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
BUSY = [0.2] * 7 + [1.0, 3.0, 4.0, 4.0, 3.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0] + [0.3] * 6  # by hour of the day


def edits(seed: int, days: int, entries: int, a_day: float) -> list[Change]:
    """Edits of a practice: busy by day and on weekdays, some patients far more often than others."""
    chance, made = random.Random(seed), list[Change]()
    weights = [1 / (1 + at % 37) for at in range(entries)]
    for hour in range(days * 24):
        moment = MONDAY + hour * HOUR
        weekday = 1.0 if moment.weekday() < 5 else 0.15
        expected = a_day * weekday * BUSY[moment.hour] / sum(BUSY)
        for _ in range(_poisson(chance, expected)):
            entry = chance.choices(range(entries), weights)[0]
            made.append(Change(f"e{entry}", moment + chance.random() * HOUR))
    return made


def _poisson(chance: random.Random, expected: float) -> int:
    limit, number, product = math.exp(-expected), 0, chance.random()
    while product > limit:
        number, product = number + 1, product * chance.random()
    return number


def recorded(made: Sequence[Change], every: timedelta, days: int) -> tuple[list[Ran], list[Change]]:
    """What runs at that rhythm saw of the edits, and what each cost."""
    runs, seen = [Ran(MONDAY, 60.0, 2000, {"healthie": 120, "warehouse": 3})], list[Change]()
    for number in range(1, int(days * DAY / every) + 1):
        at = MONDAY + number * every
        entries = {one.entry for one in made if at - every <= one.at < at}
        seen += [Change(entry, at) for entry in entries]
        requests = {"healthie": 8 + math.ceil(len(entries) / 20), "warehouse": math.ceil(len(entries) / 1000)}
        runs.append(Ran(at, 2.0 + 0.01 * len(entries), len(entries), requests, tokens=300 * len(entries)))
    return runs, seen


@pytest.mark.parametrize("rhythm", ["hourly", "six-hourly", "daily", "weekly"])
@pytest.mark.parametrize("measured", [HOUR, DAY])
@pytest.mark.parametrize("seed", range(5))
def test_the_next_seven_days_are_within_a_fifth_of_what_was_said(
    rhythm: Rhythm, measured: timedelta, seed: int
) -> None:
    made = edits(seed, 14, 2000, a_day=150.0)
    runs, seen = recorded([one for one in made if one.at < MONDAY + WEEK], measured, 7)

    said = forecast(runs, seen, rhythm)

    period = PERIOD[rhythm]
    after = [Change(one.entry, one.at - WEEK) for one in made if one.at >= MONDAY + WEEK]
    came, _ = recorded(after, period, 7)
    records = sum(one.changed for one in came[1:])
    requests = sum(sum(one.requests.values()) for one in came[1:])
    assert said.records_a_week == pytest.approx(records, rel=0.2)
    assert said.requests_a_week == pytest.approx(requests, rel=0.2)


def test_an_entry_that_is_edited_often_is_one_record_of_a_rare_run() -> None:
    made = [Change("e1", MONDAY + (hour + 0.5) * HOUR) for hour in range(7 * 24)]
    runs, seen = recorded(made, HOUR, 7)

    assert forecast(runs, seen, "hourly").records_a_week == pytest.approx(168)
    assert forecast(runs, seen, "daily").records_a_week == pytest.approx(7)
    assert forecast(runs, seen, "weekly").records_a_week == pytest.approx(1)


def test_a_run_that_takes_longer_than_its_interval_does_not_fit() -> None:
    made = edits(1, 7, 2000, a_day=150.0)
    runs, seen = recorded(made, HOUR, 7)
    slow = [Ran(one.started, one.seconds + 4000, one.changed, one.requests) for one in runs]

    assert forecast(runs, seen, "hourly").fits
    assert not forecast(slow, seen, "hourly").fits
    assert forecast(slow, seen, "daily").fits


def test_one_run_says_nothing() -> None:
    with pytest.raises(ValueError, match="too few runs"):
        forecast([Ran(MONDAY, 1.0, 5, {})], [], "daily")
