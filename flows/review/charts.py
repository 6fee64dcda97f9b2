"""Charts as plain geometry, which the page writes as SVG: bars by day, and bars by run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from flows.trend import Past

WIDE, NARROW, HEIGHT = 720.0, 440.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 56.0, 8.0, 12.0, 26.0  # around the bars, for the axes' words
GAP = 0.25  # of a bar's place
WIDEST = 48.0
DAYS, RUNS = 31, 60  # that one chart shows
LABEL = 90.0  # what one below the bars takes
KINDS = {"planned": "planned", "skipped": "skipped", "review": "to review", "quarantined": "refused"}


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle. kind: its class in the style sheet."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    said: str


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, and the same as a table: heads, and rows of which the first cell names the row."""

    id: str
    title: str
    said: str
    width: float
    bars: tuple[Bar, ...]
    below: tuple[Label, ...]
    beside: tuple[Label, ...]
    legend: Mapping[str, str]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Column:
    """What stands over one place of the axis. parts: heights by kind, from below."""

    name: str
    parts: Mapping[str, float]


def by_day(runs: Sequence[Past], timezone: str) -> Chart:
    """How many entries were decided on each of the practice's days, and how."""
    zone, days = ZoneInfo(timezone), dict[date, dict[str, float]]()
    for one in runs:
        found = days.setdefault(one.started.astimezone(zone).date(), dict.fromkeys(KINDS, 0.0))
        for kind in KINDS:
            found[kind] += one.counts.get(kind, 0)
    first, last = min(days, default=None), max(days, default=None)
    if first is None or last is None:
        return _chart("volumes", "Entries decided by day", [], KINDS, "")
    first = max(first, last - timedelta(days=DAYS - 1))
    listed = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    none = dict.fromkeys(KINDS, 0.0)
    columns = [Column(f"{day:%-d %b}", days.get(day, none)) for day in listed]
    return _chart("volumes", "Entries decided by day", columns, KINDS, "")


def durations(runs: Sequence[Past], timezone: str) -> Chart:
    """How long each of the last runs took, oldest first."""
    ended = [one for one in runs if one.took is not None]
    return _by_run("durations", "Duration by run", ended, timezone, "seconds", " s")


def tokens(runs: Sequence[Past], timezone: str) -> Chart:
    """How many tokens of a model each of the last runs used, oldest first."""
    return _by_run("tokens", "Model tokens by run", runs, timezone, "tokens", "")


def _by_run(name: str, title: str, runs: Sequence[Past], timezone: str, kind: str, unit: str) -> Chart:
    zone = ZoneInfo(timezone)
    columns = [
        Column(f"{one.started.astimezone(zone):%-d %b %H:%M}", {kind: _measured(one, kind)})
        for one in reversed(runs[:RUNS])
    ]
    return _chart(name, title, columns, {kind: kind}, unit)


def _measured(one: Past, kind: str) -> float:
    if kind == "tokens":
        return float(one.counts.get("model_tokens", 0))
    return one.took.total_seconds() if one.took else 0.0


def _chart(name: str, title: str, columns: Sequence[Column], kinds: Mapping[str, str], unit: str) -> Chart:
    width = WIDE if len(kinds) > 1 else NARROW
    highest = max((sum(one.parts.values()) for one in columns), default=0.0)
    top = nice(highest)
    place = (width - LEFT - RIGHT) / max(1, len(columns))
    bars = [bar for at, one in enumerate(columns) for bar in _bars(one, at, place, top, unit)]
    every = max(1, math.ceil(LABEL / place))
    below = [
        Label(LEFT + (at + 0.5) * place, HEIGHT - 8, one.name)
        for at, one in enumerate(columns)
        if at % every == 0
    ]
    beside = [Label(LEFT - 8, _y(top * part, top), f"{_text(top * part)}{unit}") for part in (0, 0.5, 1)]
    rows = [(one.name, *(f"{_text(one.parts[kind])}{unit}" for kind in kinds)) for one in columns]
    return Chart(
        id=name,
        title=title,
        said=_said(columns, highest, unit),
        width=width,
        bars=tuple(bars),
        below=tuple(below),
        beside=tuple(beside),
        legend=kinds if len(kinds) > 1 else {},
        heads=("when", *kinds.values()),
        rows=tuple(rows),
    )


def _bars(column: Column, at: int, place: float, top: float, unit: str) -> list[Bar]:
    width = min(WIDEST, place * (1 - GAP))
    x, below, found = LEFT + (at + 0.5) * place - width / 2, 0.0, list[Bar]()
    for kind, amount in column.parts.items():
        if amount:
            y = _y(below + amount, top)
            said = f"{column.name}: {_text(amount)}{unit} {KINDS.get(kind, '')}".strip()
            found.append(Bar(x, y, width, _y(below, top) - y, kind, said))
            below += amount
    return found


def _y(amount: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - amount / top)


def _said(columns: Sequence[Column], highest: float, unit: str) -> str:
    """The chart in one sentence, for who does not see it."""
    if not highest:
        return "Nothing yet."
    most = max(columns, key=lambda one: sum(one.parts.values()))
    number = f"{len(columns)} bars" if len(columns) > 1 else "1 bar"
    return f"{number}; the highest is {_text(highest)}{unit}, at {most.name}."


def _text(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 10 or amount == int(amount) else f"{amount:.1f}"


def nice(highest: float) -> float:
    """The end of an axis: 1, 2 or 5 and noughts, at least 2 and not below what is shown."""
    highest = max(2.0, highest)
    tens = 10.0 ** math.floor(math.log10(highest))
    return next(step * tens for step in (1, 2, 5, 10) if step * tens >= highest)
