"""Emission: decided every week, delivered in one week of the month; at most once a month, nothing lost."""

import calendar as months
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sandbox.probe import Faults
from flows.emit import (
    Calendar,
    DeploymentsUnreadable,
    Described,
    EmitNeedsWeekly,
    calendar,
    described,
    next_week,
    week_of,
)
from flows.ledger.emission import Emission
from flows.parameters import Emit, Parameters
from flows.schedules import Schedule, parse
from tests.flows.rhythm.conftest import EMIT, FRIDAY, Monthly

SIX = 6  # patients
ALL = {"row": SIX, "keyed_charge": SIX, "upsert_contact": SIX, "create_order": SIX, "send_event": SIX}
EMITS = st.sampled_from(["first-week-of-month", "last-week-of-month"])
DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def weekly(*crons: str) -> list[Schedule]:
    return [parse({"cron": one, "timezone": "America/New_York"}) for one in crons]


def asked(emit: Emit) -> Parameters:
    return Parameters(tenant="acme", integration="everything", emit=emit)


@given(EMITS, st.integers(0, 6), DAYS)
def test_a_months_week_begins_on_the_first_or_last_of_its_weekday(emit: str, weekday: int, day: date) -> None:
    week = week_of(emit, weekday, day.year, day.month)

    days = [date(day.year, day.month, one) for one in range(1, months.monthrange(day.year, day.month)[1] + 1)]
    of_weekday = [one for one in days if one.weekday() == weekday]
    assert week.begins == of_weekday[0 if emit.startswith("first") else -1]
    assert week.period == f"{day:%Y-%m}"
    assert [week.holds(week.begins + timedelta(days=at)) for at in (-1, 0, 6, 7)] == [
        False,
        True,
        True,
        False,
    ]


@given(EMITS, st.integers(0, 6), DAYS)
def test_the_latest_week_is_the_last_that_has_begun(emit: Emit, weekday: int, day: date) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo("America/New_York"))
    week = Calendar(emit, weekday, "America/New_York").latest(noon)

    following = next_week(Emission(week.period, emit, week.begins, open=True))
    assert week.begins <= day < following
    assert 28 <= (following - week.begins).days <= 35


def test_a_day_is_the_practices_not_that_of_utc() -> None:
    there = Calendar("last-week-of-month", 4, "America/New_York")

    evening = datetime(2026, 11, 27, 3, tzinfo=UTC)  # Thursday, 22:00 in New York
    assert there.latest(evening).period == "2026-10"
    assert there.latest(evening + timedelta(hours=2)).period == "2026-11"


def test_one_weekly_schedule_is_needed() -> None:
    assert calendar(asked("always"), []) is None
    assert calendar(asked("last-week-of-month"), weekly("0 6 * * 5")) == Calendar(
        "last-week-of-month", 4, "America/New_York"
    )
    for schedules in ([], weekly("0 6 * * *"), weekly("0 6 * * 5", "0 6 * * 1")):
        with pytest.raises(EmitNeedsWeekly, match="last-week-of-month needs one weekly"):
            calendar(asked("last-week-of-month"), schedules)


def test_the_files_say_how_a_run_by_hand_delivers(tmp_path: Path) -> None:
    file = tmp_path / "acme" / "prefect.yaml"
    file.parent.mkdir()
    assert described(tmp_path, "acme/everything", "live") == Described()
    file.write_text(FRIDAY)
    assert described(tmp_path, "acme/everything", "live") == Described(EMIT, tuple(weekly("0 6 * * 5")))
    assert (
        described(tmp_path, "acme/simple", "live")
        == described(tmp_path, "other/everything", "live")
        == Described()
    )
    for text in ("deployments: 5", "[", "- a"):
        file.write_text(text)
        with pytest.raises(
            DeploymentsUnreadable, match=r"prefect.yaml: is not understood; .*ferry check acme$"
        ):
            described(tmp_path, "acme/everything", "live")
    file.write_text("")
    assert described(tmp_path, "acme/everything", "live") == Described()


def test_ten_weeks_deliver_in_the_last_of_each_month_only(monthly: Monthly) -> None:
    fridays = [f"{date(2026, 11, 6) + timedelta(weeks=at)}" for at in range(9)]
    delivered = {}
    for friday in fridays:
        word, before = monthly.rename(), monthly.left()

        assert monthly.friday(friday) == 0, friday

        delivered[friday] = monthly.arrived(word)
        if not delivered[friday]:
            assert monthly.left() == before
    assert {friday: got for friday, got in delivered.items() if got} == {"2026-11-27": ALL, "2026-12-25": ALL}
    assert monthly.doubled() == []
    assert monthly.practice.ledger("SELECT period, closed IS NULL FROM emission ORDER BY period") == [
        ("2026-10", 0),
        ("2026-11", 0),
        ("2026-12", 0),
    ]


def test_status_explain_and_report_say_what_is_waited_for(monthly: Monthly) -> None:
    monthly.rename()
    assert monthly.friday("2026-11-06") == 0
    patient = monthly.practice.healthie.ids()[0]

    assert (
        "36 planned: each waits for the last week of the month, from 2026-11-27" in monthly.says("status").out
    )
    assert "waits for the last week of the month, from 2026-11-27; key" in (
        monthly.says("explain", "acme/everything", patient).out
    )
    assert monthly.friday("2026-11-27") == 0
    monthly.rename()
    assert monthly.friday("2026-11-28") == 0
    assert (
        "36 planned: each waits for the last week of the month, from 2026-12-25" in monthly.says("status").out
    )


def test_a_second_run_in_the_week_delivers_nobody_twice(monthly: Monthly) -> None:
    first = monthly.rename()
    assert monthly.friday("2026-11-27") == 0
    assert monthly.arrived(first) == ALL
    second, before = monthly.rename(), monthly.left()

    assert monthly.run("2026-11-30T15:00:00-05:00") == 0
    assert monthly.run("2026-11-30T16:00:00-05:00", "retry") == 0

    assert monthly.left() == before
    assert monthly.friday("2026-12-04") == monthly.friday("2026-12-18") == 0
    assert monthly.left() == before
    assert monthly.friday("2026-12-25") == 0
    assert monthly.arrived(second) == ALL


def test_a_missed_week_is_caught_up_by_the_next_run_and_no_later_one(monthly: Monthly) -> None:
    monthly.rename()
    assert monthly.friday("2026-11-20") == 0
    late = monthly.rename()

    assert monthly.friday("2026-12-11") == 0

    assert monthly.arrived(late) == ALL
    after = monthly.rename()
    assert monthly.friday("2026-12-18") == 0
    assert monthly.arrived(after) == {}


def test_what_a_target_did_not_take_in_the_week_goes_out_with_the_next_run(monthly: Monthly) -> None:
    word = monthly.rename()
    monthly.practice.probe.set_faults(Faults(rate=1.0, seed=1, hang=0.6))
    assert monthly.friday("2026-11-27") == 3
    monthly.practice.probe.set_faults(Faults())

    assert monthly.friday("2026-12-04") in (0, 3)  # a blind event may be in doubt

    assert monthly.arrived(word)["upsert_contact"] == monthly.arrived(word)["keyed_charge"] == SIX
    after = monthly.rename()
    monthly.friday("2026-12-11")
    assert monthly.arrived(after) == {}
    assert monthly.doubled() == []


def test_without_a_weekly_schedule_nothing_is_read(monthly: Monthly) -> None:
    file = Path(monthly.practice.extra["FERRY_DEPLOYMENTS"], "acme", "prefect.yaml")
    file.write_text(file.read_text().replace("0 6 * * 5", "0 6 * * *"))
    monthly.practice.healthie.reset()

    assert monthly.friday("2026-11-27") == 1

    assert monthly.practice.healthie.requests()["count"] == 0
    said = monthly.says("run", "acme/everything")
    assert said.code == 1
    assert 'emit: last-week-of-month needs one weekly schedule, there is: "0 6 * * *"' in said.err


def test_a_month_is_delivered_once_with_either_database(monthly: Monthly, ledger_url: str) -> None:
    monthly.practice.extra["FERRY_LEDGER_URL"] = ledger_url
    waits = monthly.rename()
    assert monthly.friday("2026-11-20") == 0
    assert monthly.arrived(waits) == {}
    newest = monthly.rename()
    assert monthly.friday("2026-11-27") == 0
    assert monthly.arrived(newest) == ALL
    later = monthly.rename()

    assert monthly.friday("2026-11-28") == monthly.friday("2026-12-04") == 0

    assert monthly.arrived(later) == {}
    assert "36 planned: each waits for" in monthly.says("status", "acme/everything").out


def test_a_runs_day_is_the_practices(monthly: Monthly) -> None:
    here = monthly.practice
    here.label = "acme/simple"
    program = Path(here.extra["FERRY_DEPLOYMENTS"], here.label, "program.py")
    program.write_text(program.read_text().replace("full_name=name", "full_name=today.isoformat()"))

    assert here.run(TEST_MOMENT="2026-11-28T03:00:00+00:00") == 0  # 22:00 on the 27th in New York

    assert set(here.rows().values()) == {"2026-11-27"}


def test_who_delivers_always_again_waits_for_nothing(monthly: Monthly) -> None:
    word = monthly.rename()
    assert monthly.friday("2026-11-20") == 0

    assert monthly.practice.run() == 0

    assert monthly.arrived(word) == ALL
    assert monthly.practice.ledger("SELECT count(*) FROM emission") == [(0,)]
