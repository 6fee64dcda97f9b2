"""Forecast: what an integration's runs will hold and cost on each schedule, from what its runs measured.

Records in a run depend on how often it runs: an entry that is edited twice between two runs is one record. So
the changes of the past are put into windows of each schedule's length and counted anew. What a run costs is a
straight line over its records: something for each run, and something for each record.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from statistics import fmean, median

from flows.schedules import PERIOD, Rhythm

WEEK = timedelta(days=7)
HIGH = 0.95
ABOVE = 1.645  # standard deviations to the 95th percentile, where too few windows were seen to count
FEW = 8  # windows; with fewer, a percentile of them says nothing


@dataclass(frozen=True, slots=True)
class Ran:
    """One run as it was measured. requests: by system. stored: bytes that the ledger grew by."""

    started: datetime
    seconds: float
    changed: int
    requests: Mapping[str, int]
    tokens: int = 0
    micro_usd: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """An entry was found changed by a run that started then."""

    entry: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Range:
    """What is usual, and what one run in twenty exceeds."""

    middle: float
    high: float

    def __mul__(self, factor: float) -> "Range":
        return Range(self.middle * factor, self.high * factor)


@dataclass(frozen=True, slots=True)
class Line:
    """each: for one more record. base: for a run with none."""

    base: float
    each: float

    def at(self, records: float) -> float:
        return self.base + self.each * records

    def over(self, records: Range) -> Range:
        return Range(self.at(records.middle), self.at(records.high))


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run of a schedule, and its week. records_a_week and the others: sums over a week, expected."""

    rhythm: Rhythm
    records: Range
    requests: Mapping[str, Range]
    tokens: Range
    micro_usd: Range
    seconds: Range
    stored: Range
    records_a_week: float
    requests_a_week: float
    micro_usd_a_week: float

    @property
    def runs_a_week(self) -> int:
        return WEEK // PERIOD[self.rhythm]

    @property
    def fits(self) -> bool:
        """Whether a long run ends before the next one begins."""
        return self.seconds.high < PERIOD[self.rhythm].total_seconds()


def forecast(runs: Sequence[Ran], changes: Sequence[Change], rhythm: Rhythm) -> Forecast:
    """What is to be expected. The first run of all is no measure of changes: it decides everyone.

    Raises ValueError if there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError("too few runs")
    ordered = sorted(runs, key=lambda one: one.started)
    began, ended = ordered[0].started, ordered[-1].started
    later = [one for one in changes if one.at > began]
    counted, mean = _windows(later, began, ended, _interval(ordered), PERIOD[rhythm])
    records = Range(_percentile(counted, 0.5), _high(counted, mean))
    lines = {system: _line(ordered, partial(_asked, system)) for system in _systems(runs)}
    money, runs_a_week = _line(ordered, lambda one: one.micro_usd), WEEK // PERIOD[rhythm]
    return Forecast(
        rhythm=rhythm,
        records=records,
        requests={system: line.over(records) for system, line in lines.items()},
        tokens=_line(ordered, lambda one: one.tokens).over(records),
        micro_usd=money.over(records),
        seconds=_line(ordered, lambda one: one.seconds).over(records),
        stored=_line(ordered, lambda one: one.stored).over(records),
        records_a_week=mean * runs_a_week,
        requests_a_week=sum(line.at(mean) for line in lines.values()) * runs_a_week,
        micro_usd_a_week=money.at(mean) * runs_a_week,
    )


def _systems(runs: Sequence[Ran]) -> list[str]:
    return sorted({system for one in runs for system in one.requests})


def _interval(runs: Sequence[Ran]) -> timedelta:
    """The usual time between two runs."""
    gaps = [(after.started - before.started).total_seconds() for before, after in pairwise(runs)]
    return timedelta(seconds=max(1.0, median(gaps)))


def _windows(
    changes: Sequence[Change], began: datetime, ended: datetime, measured: timedelta, period: timedelta
) -> tuple[list[float], float]:
    """Records by window of that length, and their mean.

    Changes seen more rarely than the period are spread evenly over the time in which they may have been.
    """
    length = max(period, measured)
    number = max(1, round((ended - began) / length))
    seen: list[set[str]] = [set() for _ in range(number)]
    for one in changes:
        seen[min(number - 1, max(0, math.ceil((one.at - began) / length) - 1))].add(one.entry)
    share = period / length
    counted = [len(entries) * share for entries in seen]
    covered = min(1.0, (ended - began) / (number * length))  # of a window that has not ended yet
    return counted, fmean(counted) / covered if covered else fmean(counted)


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def _high(counted: Sequence[float], mean: float) -> float:
    """The 95th percentile; of too few windows, as if records came by chance."""
    if len(counted) >= FEW:
        return _percentile(counted, HIGH)
    return max([*counted, mean + ABOVE * math.sqrt(mean)])


def _asked(system: str, one: Ran) -> float:
    return one.requests.get(system, 0)


def _line(runs: Sequence[Ran], of: Callable[[Ran], float]) -> Line:
    """The straight line by least squares, neither part below nothing."""
    xs, ys = [float(one.changed) for one in runs], [float(of(one)) for one in runs]
    middle_x, middle_y = fmean(xs), fmean(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    if not spread:
        return Line(middle_y, 0.0)
    each = max(0.0, sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread)
    base = middle_y - each * middle_x
    if base < 0:
        return Line(0.0, sum(x * y for x, y in zip(xs, ys, strict=True)) / sum(x * x for x in xs))
    return Line(base, each)
