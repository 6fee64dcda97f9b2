"""Schedules: four rhythms and nothing else; due when Prefect's own scheduler says."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.server.schemas.schedules import CronSchedule
from pydantic import TypeAdapter, ValidationError

from flows.schedules import Schedule, ScheduleUnsupported, TimeZone, moments, parse

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"  # the latter shifts by half an hour
FOUR = re.compile(
    r"[0-5]?[0-9] (?:(?:\*|\*/6) \* \* \*"
    r"|(?:[01]?[0-9]|2[0-3]) \* \* (?:\*|[0-7]|sun|mon|tue|wed|thu|fri|sat))",
    re.IGNORECASE,
)
FIELD = st.one_of(
    st.sampled_from(
        ["*", "*/6", "*/5", "0", "7", "59", "60", "1,2", "1-5", "L", "fri", "?", "*/1", "0/6", "24"]
    ),
    st.integers(0, 70).map(str),
    st.text(alphabet="0123456789*/,-LW#?", min_size=1, max_size=4),
)


def of(cron: str, timezone: str = NEW_YORK) -> Schedule:
    return parse({"cron": cron, "timezone": timezone})


def prefect_says(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    made = CronSchedule(cron=schedule.cron, timezone=schedule.timezone)
    dates = asyncio.run(made.get_dates(start=after, end=until - timedelta(seconds=1)))
    return [datetime.fromtimestamp(one.timestamp(), UTC) for one in dates]


@pytest.mark.parametrize(
    ("cron", "rhythm", "period"),
    [
        ("7 * * * *", "hourly", timedelta(hours=1)),
        ("0 */6 * * *", "six-hourly", timedelta(hours=6)),
        ("30 23 * * *", "daily", timedelta(days=1)),
        ("05  06 * * 5", "weekly", timedelta(days=7)),
        ("0 6 * * Fri", "weekly", timedelta(days=7)),
    ],
)
def test_the_four_rhythms_pass(cron: str, rhythm: str, period: timedelta) -> None:
    schedule = parse({"cron": cron, "timezone": NEW_YORK, "active": True, "slug": "x"})

    assert (schedule.rhythm, schedule.period) == (rhythm, period)


def test_a_weekly_schedule_knows_its_day_and_no_other_does() -> None:
    assert [of(f"0 6 * * {day}").weekday for day in range(8)] == [6, 0, 1, 2, 3, 4, 5, 6]
    assert [of(f"0 6 * * {day}").weekday for day in ("sun", "MON")] == [6, 0]
    assert of("0 6 * * *").weekday is of("0 * * * *").weekday is None


@given(st.tuples(FIELD, FIELD, FIELD, FIELD, FIELD).map(" ".join))
def test_nothing_but_the_four_passes(cron: str) -> None:
    try:
        of(cron)
        passed = True
    except ScheduleUnsupported as refusal:
        passed = False
        assert "\n" not in str(refusal)
        assert "write" in str(refusal)

    assert passed == bool(FOUR.fullmatch(cron))


@given(st.text(max_size=30))
def test_no_other_text_passes_and_every_refusal_is_one_line(cron: str) -> None:
    try:
        of(cron)
    except ScheduleUnsupported as refusal:
        assert str(refusal).splitlines() == [str(refusal)]
    else:
        assert FOUR.fullmatch(" ".join(cron.split()))


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        (
            {"cron": "0 6 1 * *"},
            'write a weekly schedule such as "0 6 * * 5" and, in the parameters, emit: last-',
        ),
        ({"cron": "15 */6 31 * *"}, 'such as "15 6 * * 5"'),
        ({"cron": "* * * * *"}, "needs one minute from 0 to 59"),
        ({"cron": "*/5 * * * *"}, "needs one minute from 0 to 59"),
        ({"cron": "0 */4 * * *"}, "needs * or */6 or one hour"),
        ({"cron": "0 9-17 * * *"}, "needs * or */6 or one hour"),
        ({"cron": "0 6 * * 1-5"}, "needs one weekday"),
        ({"cron": "0 6 * * 1,3"}, "needs one weekday"),
        ({"cron": "0 * * * 1"}, "runs more than once on a weekday"),
        ({"cron": "0 6 1 1 *"}, "names a day of the month or a month"),
        ({"cron": "@daily"}, "five fields"),
        ({"cron": None}, "has no cron"),
        ({"cron": 5}, "has no cron"),
        ({"interval": 3600}, "interval is not supported"),
        ({"rrule": "FREQ=DAILY"}, "rrule is not supported"),
        ({"cron": "0 6 * * *", "anchor_date": "2026-01-01"}, "'anchor_date' is not understood"),
        ({"cron": "0 6 * * *", "parameters": {"integration": {}}}, "'parameters' is not understood"),
        ({"cron": "0 6 * * *", "timezone": None}, "has no timezone"),
        ({"cron": "0 6 * * *", "timezone": "Mars/Olympus"}, "'Mars/Olympus' is no IANA time zone"),
        ({"cron": "0 6 * * *", "timezone": "../../etc/passwd"}, "is no IANA time zone"),
        ({"cron": "0 6 * * *", "timezone": "America"}, "is no IANA time zone"),
        ({"cron": "0 6 * * *", "timezone": ""}, "is no IANA time zone"),
    ],
)
def test_a_refusal_says_what_to_write(schedule: dict[str, object], said: str) -> None:
    with pytest.raises(ScheduleUnsupported) as refused:
        parse({"timezone": NEW_YORK} | schedule)

    assert said in str(refused.value)
    assert "write" in str(refused.value)


@pytest.mark.parametrize("timezone", [NEW_YORK, LORD_HOWE, "Europe/Berlin", "Asia/Kolkata", "UTC"])
@pytest.mark.parametrize(
    "cron", ["30 * * * *", "15 */6 * * *", "30 1 * * *", "15 2 * * *", "30 2 * * 0", "45 23 * * 5"]
)
def test_it_is_due_when_prefects_scheduler_says_the_whole_year(cron: str, timezone: str) -> None:
    schedule = of(cron, timezone)
    start = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for day in range(0, 365, 30):
        after, until = start + timedelta(days=day), start + timedelta(days=day + 30)

        assert list(moments(schedule, after, until)) == prefect_says(schedule, after, until)


def test_a_day_of_23_hours_and_one_of_25_have_their_runs_once() -> None:
    spring = (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC))
    autumn = (datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC))

    assert [len(list(moments(of("30 * * * *"), *night))) for night in (spring, autumn)] == [23, 24]
    assert [len(list(moments(of("30 2 * * *"), *night))) for night in (spring, autumn)] == [1, 1]
    assert [len(list(moments(of("30 1 * * *"), *night))) for night in (spring, autumn)] == [1, 1]


def test_a_shift_of_half_an_hour_moves_the_next_run_by_that() -> None:
    night = (datetime(2026, 4, 4, 13, tzinfo=UTC), datetime(2026, 4, 4, 17, tzinfo=UTC))

    times = [f"{one:%H:%M}" for one in moments(of("45 * * * *", LORD_HOWE), *night)]

    assert times == ["13:45", "14:45", "16:15"]


def test_a_field_takes_a_time_zone_that_exists_and_no_other() -> None:
    field: TypeAdapter[str] = TypeAdapter(TimeZone)

    assert field.validate_python(NEW_YORK) == NEW_YORK
    with pytest.raises(ValidationError, match="is no IANA time zone; write one such as"):
        field.validate_python("New York")
