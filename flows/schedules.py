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


SHAPES: Mapping[Rhythm, str] = {
    "hourly": r"\d{1,2} \* \* \* \*",
    "six-hourly": r"\d{1,2} \*/6 \* \* \*",
    "daily": r"\d{1,2} \d{1,2} \* \* \*",
    "weekly": r"\d{1,2} \d{1,2} \* \* ([0-7]|[A-Za-z]{3})",
}


def parse(schedule: Mapping[str, object]) -> Schedule:
    """A schedule as prefect.yaml has it.

    Raises:
        ScheduleUnsupported: it is none of the four.
    """
    cron, timezone = str(schedule.get("cron", "")), str(schedule.get("timezone") or "UTC")
    for rhythm, shape in SHAPES.items():
        if re.fullmatch(shape, cron):
            return Schedule(rhythm, cron, timezone)
    raise ScheduleUnsupported(
        f"schedule {cron!r}: is not supported; hourly, six-hourly, daily and weekly ones are"
    )
