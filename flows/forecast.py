"""Forecast: what an integration's runs will hold and cost on each schedule, from what its runs measured.

Records in a run depend on how often it runs: an entry that is edited twice between two runs is one record. So
the changes of the past are put into windows of each schedule's length and counted anew. What a run costs is
one thing without a record, another with some, and something for each. What is spent on reading is more in a
run over everyone, which comes as often as the integration says, whatever its schedule.
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
RARE = round(1 / (1 - HIGH))  # of so many runs one exceeds that
ABOVE = 1.645  # standard deviations to the 95th percentile, where too few windows were seen to count
FEW = RARE - 1  # windows; with fewer, none of them is the one that one in twenty exceeds
READ = "read"
STEPS = (READ, "decide", "deliver", "around")
"""The steps of a run that take time; around: to open it and to certify it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run as it was measured.

    swept: everyone was read. reads: requests of the source. requests: by target. seconds: by step. asked:
    requests to models. stored: bytes that the ledger grew by. known: entries. left: requests that left, of
    the source and the targets: in staging fewer than are counted by target.
    """

    started: datetime
    changed: int
    swept: bool
    reads: int
    requests: Mapping[str, int]
    seconds: Mapping[str, float]
    asked: int = 0
    tokens: int = 0
    micro_usd: int = 0
    stored: int = 0
    known: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """An entry was found changed by a run that started then."""

    entry: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """Of one run: what is usual, and what one run in twenty exceeds. a_week: the sum, as it is expected."""

    middle: float
    high: float
    a_week: float

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.middle + other.middle, self.high + other.high, self.a_week + other.a_week)

    def __mul__(self, factor: float) -> "Figure":
        return Figure(self.middle * factor, self.high * factor, self.a_week * factor)


@dataclass(frozen=True, slots=True)
class Cost:
    """idle: of a run without a record. some: of one with any, whatever their number. each: of a record."""

    idle: float
    some: float
    each: float

    def at(self, records: float, idle: float) -> float:
        """idle: how likely it is that there is none."""
        return self.idle * idle + self.some * (1 - idle) + self.each * records


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run of a schedule, and its week.

    reads: requests of the source. requests: by target. seconds: by step. asked: requests to models.
    sweep_every: of so many runs one reads everyone; it sends so many requests to the source, and takes so
    long. spread: it ran more rarely than that, so how many runs find nothing is not known, and what those
    spare is not taken off.
    """

    rhythm: Rhythm
    records: Figure
    reads: Figure
    requests: Mapping[str, Figure]
    seconds: Mapping[str, Figure]
    asked: Figure
    tokens: Figure
    micro_usd: Figure
    stored: Figure
    sweep_every: int
    sweep_reads: float
    sweep_seconds: float
    spread: bool

    @property
    def runs_a_week(self) -> int:
        return WEEK // PERIOD[self.rhythm]

    @property
    def length(self) -> Figure:
        """Seconds of a whole run."""
        return sum(self.seconds.values(), Figure(0, 0, 0))

    @property
    def requests_a_week(self) -> float:
        """Of all systems."""
        return self.reads.a_week + sum(one.a_week for one in self.requests.values())

    @property
    def fits(self) -> bool:
        """Whether a long run ends before the next one begins."""
        return max(self.length.high, self.sweep_seconds) < PERIOD[self.rhythm].total_seconds()


def forecast(
    runs: Sequence[Ran], changes: Sequence[Change], rhythm: Rhythm, sweep_every: timedelta = WEEK
) -> Forecast:
    """What is to be expected. The first run of all is no measure of changes: it decides everyone.

    Raises ValueError if there are fewer than two runs.
    """
    if len(runs) < 2:
        raise ValueError("too few runs")
    ordered = sorted(runs, key=lambda one: one.started)
    windows = _windows(ordered, changes, PERIOD[rhythm])
    sweep = max(1, math.ceil(sweep_every / PERIOD[rhythm]))
    of, reading = partial(_figure, ordered, windows), partial(_reading, ordered, windows, sweep)
    seconds = {step: (reading if step == READ else of)(partial(_seconds, step)) for step in STEPS}
    return Forecast(
        rhythm=rhythm,
        records=windows.records,
        reads=reading(_reads),
        requests={target: of(partial(_asked, target)) for target in _targets(runs)},
        seconds=seconds,
        asked=of(lambda one: one.asked),
        tokens=of(lambda one: one.tokens),
        micro_usd=of(lambda one: one.micro_usd),
        stored=of(lambda one: one.stored),
        sweep_every=sweep,
        sweep_reads=_of_sweeps(ordered, _reads),
        sweep_seconds=_of_sweeps(ordered, partial(_seconds, READ))
        + sum(one.middle for step, one in seconds.items() if step != READ),
        spread=windows.spread,
    )


def _targets(runs: Sequence[Ran]) -> list[str]:
    return list(dict.fromkeys(target for one in runs for target in one.requests))


def _reads(one: Ran) -> float:
    return one.reads


def _asked(target: str, one: Ran) -> float:
    return one.requests.get(target, 0)


def _seconds(step: str, one: Ran) -> float:
    return one.seconds.get(step, 0.0)


@dataclass(frozen=True, slots=True)
class _Windows:
    """Records of the past, counted anew in windows of a schedule's length; so many of them are a week.

    spread: they were seen more rarely than that, and are spread evenly over the time in which they may have
    been. peak: the most that a run may find: of what is spread, all of it.
    """

    counted: Sequence[float]
    a_week: int
    spread: bool
    peak: float

    @property
    def records(self) -> Figure:
        high = self.peak if self.spread else _high(self.counted)
        return Figure(median(self.counted), high, fmean(self.counted) * self.a_week)

    def figure(self, at: Callable[[float, float], float]) -> Figure:
        """What a run costs: at so many records, with so high a chance that there is none."""
        middle, high, week = (
            fmean(at(one, math.exp(-one) if self.spread else float(not one)) for one in some)
            for some in ([self.records.middle], [self.records.high], self.counted)
        )
        return Figure(middle, high, week * self.a_week)


def _windows(runs: Sequence[Ran], changes: Sequence[Change], period: timedelta) -> _Windows:
    began, ended, interval = runs[0].started, runs[-1].started, _interval(runs)
    length = max(period, interval)
    number = max(1, round((ended - began) / length))
    seen: list[set[str]] = [set() for _ in range(number)]
    for one in changes:
        if one.at > began:
            seen[min(number - 1, math.ceil((one.at - began) / length) - 1)].add(one.entry)
    covered = min(1.0, (ended - began) / (number * length)) or 1.0  # of windows that have not ended yet
    share, whole = period / length, [len(entries) / covered for entries in seen]
    return _Windows([one * share for one in whole], WEEK // period, spread=share < 1, peak=max(whole))


def _interval(runs: Sequence[Ran]) -> timedelta:
    """The usual time between two runs."""
    gaps = [(after.started - before.started).total_seconds() for before, after in pairwise(runs)]
    return timedelta(seconds=max(1.0, median(gaps)))


def _high(counted: Sequence[float]) -> float:
    """What one window in twenty exceeds; of too few, what one as busy as the busiest may have by chance."""
    if len(counted) < FEW:
        return max(counted) + ABOVE * math.sqrt(max(counted) * (1 + 1 / len(counted)))
    ordered, at = sorted(counted), HIGH * (len(counted) + 1) - 1  # of one more than were seen: without bias
    low, high = ordered[math.floor(at)], ordered[math.ceil(at)]
    return low + (high - low) * (at % 1)


def _figure(runs: Sequence[Ran], windows: _Windows, of: Callable[[Ran], float]) -> Figure:
    """What depends on the records alone."""
    return windows.figure(_cost(runs, of).at)


def _reading(runs: Sequence[Ran], windows: _Windows, sweep: int, of: Callable[[Ran], float]) -> Figure:
    """What is more in a run over everyone, whatever has changed. Of so many runs one is such a run."""
    usual, everyone = _cost([runs[0], *(one for one in runs[1:] if not one.swept)], of), _of_sweeps(runs, of)
    if sweep == 1:
        return Figure(everyone, everyone, everyone * windows.a_week)
    figure = windows.figure(usual.at)
    sweeps = windows.a_week / sweep
    week = figure.a_week * (1 - 1 / sweep) + everyone * sweeps
    return Figure(figure.middle, max(figure.high, everyone) if sweep <= RARE else figure.high, week)


def _of_sweeps(runs: Sequence[Ran], of: Callable[[Ran], float]) -> float:
    return fmean([of(one) for one in runs if one.swept] or [max(of(one) for one in runs)])


def _cost(runs: Sequence[Ran], of: Callable[[Ran], float]) -> Cost:
    """As it was where nothing had changed; else the straight line of least squares."""
    idle, busy = [of(one) for one in runs if not one.changed], [one for one in runs if one.changed]
    if not busy:
        return Cost(fmean(idle), fmean(idle), 0.0)
    some, each = _line([float(one.changed) for one in busy], [of(one) for one in busy])
    return Cost(fmean(idle) if idle else some, some, each)


def _line(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """Where it begins and how it rises, neither below nothing."""
    middle_x, middle_y = fmean(xs), fmean(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    if not spread:
        return middle_y, 0.0
    each = max(0.0, sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread)
    some = middle_y - each * middle_x
    if some >= 0:
        return some, each
    return 0.0, sum(x * y for x, y in zip(xs, ys, strict=True)) / sum(x * x for x in xs)
