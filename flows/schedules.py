"""Schedules: hourly, every six hours, daily, weekly, in the tenant's time zone; nothing else.

Written as Prefect writes them: `{cron: "0 6 * * 5", timezone: America/New_York}`. Monthly is not a
schedule here, since a run that fails once a month is found out a month later: run weekly and deliver
in one week of the month (flows/emit.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated, Literal, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from flows.errors import Spoken

Rhythm = Literal["hourly", "six-hourly", "daily", "weekly"]
PERIOD: Mapping[Rhythm, timedelta] = {
    "hourly": timedelta(hours=1),
    "six-hourly": timedelta(hours=6),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
}
WRITE = (
    'write cron: "0 * * * *" (hourly), "0 */6 * * *" (every six hours), "0 6 * * *" (daily) or '
    '"0 6 * * 5" (weekly, here Friday); another minute, hour or weekday as you like'
)
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
BESIDE = {"cron", "timezone", "active", "slug", "day_or", "max_scheduled_runs"}
"""What may stand in a schedule. Parameters are the deployment's; the rest belongs to intervals and rrules."""
LONGEST = 60  # characters of a wrong value that a message repeats


class ScheduleUnsupported(Spoken):
    """A schedule that is none of the four. One line, which names what to write instead."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When an integration runs."""

    rhythm: Rhythm
    cron: str
    timezone: str  # an IANA name

    @property
    def period(self) -> timedelta:
        """The usual time between two runs."""
        return PERIOD[self.rhythm]

    @property
    def weekday(self) -> int | None:
        """The day of a weekly schedule, Monday is 0; None if it is not weekly."""
        day = _weekday(self.cron.split()[4])
        return None if day is None else (day - 1) % 7


def parse(schedule: Mapping[str, object]) -> Schedule:
    """The schedule that Prefect's words say.

    Raises:
        ScheduleUnsupported: it is none of the four, or its time zone is missing or unknown.
    """
    for other in ("interval", "rrule"):
        if schedule.get(other) is not None:
            raise ScheduleUnsupported(f"schedule: {other} is not supported; {WRITE}")
    for name in schedule:
        if name not in BESIDE:
            raise ScheduleUnsupported(f"schedule: {_shown(name)} is not understood; take it out, and {WRITE}")
    cron = schedule.get("cron")
    if not isinstance(cron, str):
        raise ScheduleUnsupported(f"schedule: has no cron; {WRITE}")
    return Schedule(rhythm=_rhythm(cron), cron=" ".join(cron.split()), timezone=_zone(schedule, cron))


def zone(name: str) -> ZoneInfo | None:
    """The time zone of that IANA name, or None if there is none."""
    return ZoneInfo(name) if name in _zones() else None


def known_zone(name: str) -> str:
    """The name itself, if it is a time zone's.

    Raises:
        ValueError: it is not.
    """
    if zone(name) is None:
        raise ValueError(f"{_shown(name)} is no IANA time zone; write one such as America/New_York")
    return name


TimeZone = Annotated[str, AfterValidator(known_zone)]


def moments(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    """When the schedule is due from `after` on and before `until`, in UTC.

    As Prefect's scheduler has it: by the clock on the wall. A time that comes twice in a night counts
    once, when it first comes; one that a night leaves out counts as much earlier as the clock jumps.
    """
    there = ZoneInfo(schedule.timezone)
    day, last = after.astimezone(there).date() - timedelta(days=1), datetime.min.replace(tzinfo=UTC)
    while day <= until.astimezone(there).date() + timedelta(days=1):
        for wall in _times(schedule, day):
            moment = _instant(datetime.combine(day, wall), there)
            if after <= moment < until and moment > last:
                last = moment
                yield moment
        day += timedelta(days=1)


def _times(schedule: Schedule, day: date) -> list[time]:
    minute, hour = schedule.cron.split()[:2]
    if schedule.weekday not in (None, day.weekday()):
        return []
    hours = {"*": range(24), "*/6": range(0, 24, 6)}.get(hour) or [int(hour)]
    return [time(one, int(minute)) for one in hours]


def _instant(wall: datetime, there: ZoneInfo) -> datetime:
    moment = wall.replace(tzinfo=there).astimezone(UTC)
    if moment.astimezone(there).replace(tzinfo=None) == wall:
        return moment
    return wall.replace(tzinfo=there, fold=1).astimezone(UTC)  # the night leaves this time out


def _rhythm(cron: str) -> Rhythm:
    fields = cron.split()
    if len(fields) != 5 or not cron.isascii():
        _refuse(cron, "is not the five fields minute, hour, day, month, weekday")
    minute, hour, day, month, weekday = fields
    if not _is_number(minute, 59):
        _refuse(cron, "needs one minute from 0 to 59 as its first field")
    if _is_number(day, 31) and (month, weekday) == ("*", "*"):
        raise ScheduleUnsupported(
            f"schedule {_shown(cron)}: monthly is not supported; write a weekly schedule such as "
            f'"{minute} {hour if _is_number(hour, 23) else 6} * * 5" and, in the parameters, '
            "emit: last-week-of-month or first-week-of-month: it decides every week and delivers in that one"
        )
    if day != "*" or month != "*":
        _refuse(cron, "names a day of the month or a month")
    return _by_hour_and_weekday(cron, hour, weekday)


def _by_hour_and_weekday(cron: str, hour: str, weekday: str) -> Rhythm:
    if weekday != "*":
        if _weekday(weekday) is None:
            _refuse(cron, "needs one weekday, 0 (Sunday) to 6, as its last field")
        if not _is_number(hour, 23):
            _refuse(cron, "runs more than once on a weekday; a weekly schedule needs one hour from 0 to 23")
        return "weekly"
    if hour == "*":
        return "hourly"
    if hour == "*/6":
        return "six-hourly"
    if not _is_number(hour, 23):
        _refuse(cron, "needs * or */6 or one hour from 0 to 23 as its second field")
    return "daily"


def _refuse(cron: str, why: str) -> NoReturn:
    raise ScheduleUnsupported(f"schedule {_shown(cron)}: {why}; {WRITE}")


def _zone(schedule: Mapping[str, object], cron: str) -> str:
    name = schedule.get("timezone")
    if name is None:
        raise ScheduleUnsupported(
            f"schedule {_shown(cron)}: has no timezone; write the practice's beside it: "
            "timezone: America/New_York"
        )
    if not isinstance(name, str) or zone(name) is None:
        raise ScheduleUnsupported(
            f"schedule {_shown(cron)}: {_shown(name)} is no IANA time zone; write one such as "
            "timezone: America/New_York"
        )
    return name


def _is_number(field: str, most: int) -> bool:
    return bool(re.fullmatch(r"[0-9]{1,2}", field)) and int(field) <= most


def _weekday(field: str) -> int | None:
    """A weekday as cron counts, Sunday is 0; None if it is none."""
    if _is_number(field, 7):
        return int(field) % 7
    return DAYS.index(field.lower()) if field.lower() in DAYS else None


def _shown(value: object) -> str:
    return repr(value)[:LONGEST]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
