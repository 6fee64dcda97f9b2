"""The rules of the declared transforms that read a day or a moment."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from agent.rules import Failure, Result, Rule, When, of_text_when

OLDEST = 90  # years: from then on an age tells too much of who it is (45 CFR 164.514)

_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def _day(text: str) -> date | Failure:
    """The day as it is written: no time zone moves it."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None or not _is_time(found):
        return Failure.NOT_IN_FORM
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return Failure.NOT_IN_FORM


def _is_time(found: re.Match[str]) -> bool:
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    return hour < 24 and minute < 60 and second < 60


def of_day(rule: Callable[[date], JsonValue]) -> Rule:
    """A rule for the day of a date or moment, as it is written."""
    return of_day_when(lambda day, _: rule(day))


def of_day_when(rule: Callable[[date, When], Result]) -> Rule:
    """The same for a rule that depends on the run's day."""

    def checked(text: str, when: When) -> Result:
        day = _day(text)
        return day if isinstance(day, Failure) else rule(day, when)

    return of_text_when(checked)


def age(born: date, when: When) -> Result:
    """Whole years. Who is born on 29 February is a year older on 1 March."""
    before = (when.today.month, when.today.day) < (born.month, born.day)
    years = when.today.year - born.year - before
    return years if years >= 0 else Failure.NOT_IN_FORM


def age_band(born: date, when: When) -> Result:
    years = age(born, when)
    if not isinstance(years, int):
        return years
    start = years // 10 * 10
    return f"{start}-{start + 9}" if start < OLDEST else f"{OLDEST}+"


def utc(text: str, _: When) -> Result:
    moment = _moment(text)
    if isinstance(moment, Failure):
        return moment
    try:
        return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first or last day of the calendar
        return Failure.NOT_IN_FORM


def local_date(text: str, when: When) -> Result:
    moment = _moment(text)
    if isinstance(moment, Failure):
        return moment
    try:
        return moment.astimezone(ZoneInfo(when.timezone)).date().isoformat()
    except OverflowError:
        return Failure.NOT_IN_FORM


def _moment(text: str) -> datetime | Failure:
    found, day = _MOMENT.fullmatch(text.strip()), _day(text)
    if found is None or isinstance(day, Failure) or found[8] is None:
        return Failure.NOT_IN_FORM  # without an offset nobody knows which moment is meant
    sign, zone = -1 if found[8][0] == "-" else 1, "".join(c for c in found[8] if c.isdecimal()) or "0000"
    offset = sign * timedelta(hours=int(zone[:2]), minutes=int(zone[2:]))
    if abs(offset) >= timedelta(hours=24):
        return Failure.NOT_IN_FORM
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    clock = time(hour, minute, second, int((found[7] or "").ljust(6, "0")[:6]), timezone(offset))
    return datetime.combine(day, clock)
