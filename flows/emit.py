"""Emit: decide every week, deliver in one week of the month.

The first (last) week of a month begins on the first (last) of its days that is the weekly schedule's
weekday, by the schedule's time zone, and lasts seven days. With `0 6 * * 5` the last week of November
2026 is Friday the 27th to Thursday, 3 December; its period is called 2026-11. A week that was missed,
or not ended, is caught up by the next run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from flows.errors import Spoken
from flows.ledger import emission
from flows.ledger.emission import Emission
from flows.ledger.store import Ledger
from flows.parameters import Emit, Mode, Parameters
from flows.schedules import Schedule, parse
from flows.written import content_of

WEEK = timedelta(days=7)
WORDS = {"first-week-of-month": "first week of the month", "last-week-of-month": "last week of the month"}


class EmitNeedsWeekly(Spoken):
    """`emit` asks for one week of the month, and no single weekly schedule says when weeks begin."""


class DeploymentsUnreadable(Spoken):
    """A tenant's prefect.yaml is no file of Prefect's deployments. One line."""


@dataclass(frozen=True, slots=True)
class Week:
    """The week of a month in which deliveries leave."""

    period: str  # the month, such as 2026-11
    begins: date

    def holds(self, day: date) -> bool:
        return self.begins <= day < self.begins + WEEK


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which week of the month, of weeks that begin on the schedule's weekday."""

    emit: Emit
    weekday: int  # Monday is 0
    timezone: str

    def latest(self, moment: datetime) -> Week:
        """The latest such week that has begun by then."""
        day = self.day(moment)
        this = week_of(self.emit, self.weekday, day.year, day.month)
        if this.begins <= day:
            return this
        before = day.replace(day=1) - timedelta(days=1)
        return week_of(self.emit, self.weekday, before.year, before.month)

    def day(self, moment: datetime) -> date:
        return moment.astimezone(ZoneInfo(self.timezone)).date()


def week_of(emit: str, weekday: int, year: int, month: int) -> Week:
    """The first or last week of a month."""
    first = date(year, month, 1)
    begins = first + timedelta(days=(weekday - first.weekday()) % 7)
    if emit == "last-week-of-month":
        while (begins + WEEK).month == month:
            begins += WEEK
    return Week(f"{year:04}-{month:02}", begins)


def calendar(asked: Parameters, schedules: Sequence[Schedule]) -> Calendar | None:
    """When this run's deliveries may leave; None if in every run.

    Raises:
        EmitNeedsWeekly: there is not one schedule, or it is not weekly.
    """
    if asked.emit == "always":
        return None
    days = {(one.weekday, one.timezone) for one in schedules}
    for weekday, timezone in days:
        if len(days) == 1 and weekday is not None:
            return Calendar(asked.emit, weekday, timezone)
    found = ", ".join(f'"{one.cron}"' for one in schedules) or "none"
    raise EmitNeedsWeekly(
        f"{asked.label}: emit: {asked.emit} needs one weekly schedule, there is: {found}; "
        'write cron: "0 6 * * 5" (here Friday) in deployments/, or emit: always'
    )


def begin(ledger: Ledger, calendar: Calendar | None, moment: datetime) -> Emission | None:
    """What may leave in a run that started at this moment; None: everything."""
    if calendar is None:
        emission.end_all(ledger)
        return None
    week = calendar.latest(moment)
    due = Emission(week.period, calendar.emit, week.begins, open=True)
    return emission.begin(ledger, due, in_week=week.holds(calendar.day(moment)))


def next_week(of: Emission) -> date:
    """The day from which on what waits now may leave."""
    year, month = map(int, of.period.split("-"))
    return week_of(of.emit, of.begins.weekday(), year + month // 12, month % 12 + 1).begins


def waits(of: Emission) -> str:
    """What a waiting delivery waits for, in words."""
    return f"waits for the {WORDS[of.emit]}, from {next_week(of)}"


@dataclass(frozen=True, slots=True)
class Described:
    """What deployments/<tenant>/prefect.yaml says of an integration: when it runs, and when it delivers."""

    emit: Emit = "always"
    schedules: tuple[Schedule, ...] = ()


def described(root: Path, label: str, mode: Mode) -> Described:
    """For a run that Prefect did not start. Nothing is said if there is no such file or deployment.

    Raises:
        ScheduleUnsupported: its schedule is none that is supported.
        DeploymentsUnreadable: the file is none of Prefect's.
    """
    path = root / label.partition("/")[0] / "prefect.yaml"
    if not path.is_file():
        return Described()
    found = Described()
    for one in _read(path).deployments:
        try:
            asked = Parameters.model_validate(one.parameters.get("integration"))
        except ValidationError:
            continue  # another flow's, or wrong: ferry check says so
        if (asked.label, asked.mode) == (label, mode) and (not found.schedules or asked.emit != "always"):
            found = Described(asked.emit, tuple(parse(schedule) for schedule in one.schedules))
    return found


def _read(path: Path) -> "_PrefectFile":
    try:
        return _PrefectFile.model_validate(content_of(path) or {})
    except (yaml.YAMLError, ValidationError):
        raise DeploymentsUnreadable(
            f"{path}: is not understood; correct what this says: ferry check {path.parent.name}"
        ) from None


class _Deployment(BaseModel):
    """Of a deployment in Prefect's file, what matters here."""

    model_config = ConfigDict(hide_input_in_errors=True)

    parameters: dict[str, object] = Field(default_factory=dict[str, object])
    schedules: list[dict[str, object]] = Field(default_factory=list[dict[str, object]])


class _PrefectFile(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    deployments: list[_Deployment] = Field(default_factory=list[_Deployment])
