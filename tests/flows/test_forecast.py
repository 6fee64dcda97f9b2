"""Forecasts: of an invented practice, the next seven days come out as they were said."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest

from flows.forecast import Change, Forecast, Ran, forecast
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


def cost(changed: int, *, swept: bool = False) -> Ran:
    """What a run with so many changed entries of 2,000 costs; the moment is to be set."""
    read = math.ceil(2000 / 20) if swept else math.ceil(changed / 20)
    batches = math.ceil(changed / 2000)
    return Ran(
        MONDAY,
        changed,
        swept,
        reads=8 + 20 * swept + read,
        requests={"warehouse": 1 + 2 * batches, "crm": 2 + 2 * math.ceil(changed / 100)},
        seconds={
            "read": 1.0 + 0.05 * read,
            "decide": 0.01 * changed,
            "deliver": 0.2 * batches,
            "around": 2.0,
        },
        tokens=300 * changed,
        micro_usd=450 * changed,
        stored=700 * changed,
    )


def recorded(made: Sequence[Change], every: timedelta, days: int) -> tuple[list[Ran], list[Change]]:
    """What runs at that rhythm saw of the edits, and what each cost. Everyone is read once a week."""
    runs, seen = [cost(2000, swept=True)], list[Change]()
    for number in range(1, int(days * DAY / every) + 1):
        at = MONDAY + number * every
        entries = {one.entry for one in made if at - every <= one.at < at}
        seen += [Change(entry, at) for entry in entries]
        runs.append(replace(cost(len(entries), swept=number % (WEEK // every) == 0), started=at))
    return runs, seen


@pytest.mark.parametrize("rhythm", ["hourly", "six-hourly", "daily", "weekly"])
@pytest.mark.parametrize("measured", [HOUR, DAY])
@pytest.mark.parametrize("seed", range(5))
def test_the_next_seven_days_are_within_a_fifth_of_what_was_said(
    rhythm: Rhythm, measured: timedelta, seed: int
) -> None:
    said, came = _told_and_came(seed, rhythm, measured)

    assert said.records.a_week == close(sum(one.changed for one in came))
    assert said.reads.a_week == close(sum(one.reads for one in came))
    assert said.tokens.a_week == close(sum(one.tokens for one in came))
    assert said.micro_usd.a_week == close(sum(one.micro_usd for one in came))
    assert said.stored.a_week == close(sum(one.stored for one in came))
    assert said.spread == (measured > PERIOD[rhythm])
    for target, asked in () if said.spread else said.requests.items():
        assert asked.a_week == close(sum(one.requests[target] for one in came)), target
    for step, seconds in () if said.spread else said.seconds.items():
        assert seconds.a_week == close(sum(one.seconds[step] for one in came)), step


@pytest.mark.parametrize("rhythm", ["hourly", "six-hourly", "daily", "weekly"])
@pytest.mark.parametrize("measured", [HOUR, DAY])
def test_one_run_in_twenty_has_more_than_the_high_figure_and_half_have_less_than_the_usual(
    rhythm: Rhythm, measured: timedelta
) -> None:
    came, long, less, room = 0, 0, 0, list[float]()
    weeks = [_told_and_came(seed, rhythm, measured) for seed in range(24)]
    for said, runs in weeks:
        came += sum(one.changed > said.records.high for one in runs)
        long += sum(sum(one.seconds.values()) > said.length.high for one in runs)
        less += sum(one.changed < said.records.middle for one in runs)
        room.append(said.records.high / max(one.changed for one in runs))

    number = sum(len(runs) for _, runs in weeks)
    spread = measured > PERIOD[rhythm]
    assert came / number < 0.1 and long / number < 0.12
    assert spread or 0.2 < less / number < 0.8
    assert median(room) < (PERIOD["daily"] / PERIOD[rhythm] if spread else 1.5)  # it is not merely a lot
    assert rhythm != "hourly" or spread or came / number > 0.02


def _told_and_came(seed: int, rhythm: Rhythm, measured: timedelta) -> tuple[Forecast, Sequence[Ran]]:
    made = edits(seed, 14, 2000, a_day=150.0)
    runs, seen = recorded([one for one in made if one.at < MONDAY + WEEK], measured, 7)
    after = [Change(one.entry, one.at - WEEK) for one in made if one.at >= MONDAY + WEEK]
    (_, *came), _ = recorded(after, PERIOD[rhythm], 7)
    return forecast(runs, seen, rhythm), came


def close(came: float) -> Any:  # pytest's own has no type
    return pytest.approx(came, rel=0.2)


def test_a_run_over_everyone_comes_as_often_as_the_integration_says() -> None:
    runs, seen = recorded(edits(3, 7, 2000, a_day=150.0), DAY, 7)

    weekly, monthly = forecast(runs, seen, "daily"), forecast(runs, seen, "daily", 4 * WEEK)

    assert (weekly.sweep_every, monthly.sweep_every) == (7, 28)
    assert weekly.sweep_reads == monthly.sweep_reads == 128
    assert 80 < weekly.reads.a_week - monthly.reads.a_week < 128
    assert forecast(runs, seen, "weekly").reads.middle == 128
    assert not forecast(
        [replace(one, seconds={"read": 4000.0 if one.swept else 1.0}) for one in runs], seen, "hourly"
    ).fits


def test_a_run_without_a_record_costs_what_it_costs() -> None:
    """A target is asked for its account, and nothing else, in the hours in which nobody works."""
    made = [Change(f"e{at}", MONDAY + day * DAY + 10 * HOUR) for day in range(7) for at in range(20)]
    runs, seen = recorded(made, HOUR, 7)

    said = forecast(runs, seen, "hourly")

    assert (said.records.middle, said.records.high) == (0, 0)  # of 24 runs one has all of them
    assert said.requests["crm"].middle == 2
    assert said.requests["crm"].a_week == pytest.approx(161 * 2 + 7 * 4, rel=0.01)


def test_an_entry_that_is_edited_often_is_one_record_of_a_rare_run() -> None:
    made = [Change("e1", MONDAY + (hour + 0.5) * HOUR) for hour in range(7 * 24)]
    runs, seen = recorded(made, HOUR, 7)

    assert forecast(runs, seen, "hourly").records.a_week == pytest.approx(168)
    assert forecast(runs, seen, "daily").records.a_week == pytest.approx(7)
    assert forecast(runs, seen, "weekly").records.a_week == pytest.approx(1)


def test_a_run_that_takes_longer_than_its_interval_does_not_fit() -> None:
    made = edits(1, 7, 2000, a_day=150.0)
    runs, seen = recorded(made, HOUR, 7)
    slow = [replace(one, seconds={**one.seconds, "around": 4000.0}) for one in runs]

    assert forecast(runs, seen, "hourly").fits
    assert not forecast(slow, seen, "hourly").fits
    assert forecast(slow, seen, "daily").fits


def test_one_run_says_nothing() -> None:
    with pytest.raises(ValueError, match="too few runs"):
        forecast([cost(5)], [], "daily")
