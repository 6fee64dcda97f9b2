"""Schedules: hourly, every six hours, daily, weekly, in the tenant's time zone; nothing else."""

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
