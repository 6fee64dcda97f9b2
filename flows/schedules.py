"""Schedules: hourly, every six hours, daily, weekly, in the tenant's time zone; nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flows.errors import Spoken

Rhythm = Literal["hourly", "six-hourly", "daily", "weekly"]
PERIOD: Mapping[Rhythm, timedelta] = {
    "hourly": timedelta(hours=1),
    "six-hourly": timedelta(hours=6),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
}


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


CRONS: Mapping[str, Rhythm] = {
    r"\d+ \* \* \* \*": "hourly",
    r"\d+ \*/6 \* \* \*": "six-hourly",
    r"\d+ \d+ \* \* \*": "daily",
    r"\d+ \d+ \* \* [0-7]": "weekly",
}


def parse(schedule: Mapping[str, object]) -> Schedule:
    """The schedule that Prefect's words say.

    Raises:
        ScheduleUnsupported: it is none of the four, or its time zone is missing.
    """
    cron, zone = schedule.get("cron"), schedule.get("timezone")
    if not isinstance(cron, str) or not isinstance(zone, str):
        raise ScheduleUnsupported("schedule: needs cron and timezone; write both")
    for pattern, rhythm in CRONS.items():
        if re.fullmatch(pattern, cron):
            return Schedule(rhythm, cron, zone)
    if re.fullmatch(r"\d+ \d+ \d+ \* \*", cron):
        raise ScheduleUnsupported(
            "schedule: monthly is not supported; write a weekly one and emit: last-week-of-month"
        )
    raise ScheduleUnsupported('schedule: is not supported; write "0 6 * * *" (daily), or as the README says')
