"""Figures: what was measured, what was aimed at, and how. A table's rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. `reached` is None where nothing is aimed at: it stands beside another row."""

    what: str
    measured: str
    target: str
    reached: bool | None
    how: str

    @property
    def verdict(self) -> str:
        return "–" if self.reached is None else "yes" if self.reached else "NO"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where a run's time went: by step the milliseconds per entry, on the wall and of processor."""

    title: str
    steps: Mapping[str, tuple[float, float]]
    how: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one benchmark gives."""

    figures: Sequence[Figure]
    breakdowns: Sequence[Breakdown] = ()
    words: Sequence[str] = field(default_factory=tuple)  # what must be said beside the figures


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured. Numbers of patients, but `planned` and `repeats`."""

    small: int
    middle: int
    large: int
    changed: int  # of the large practice
    by_model: int
    planned: int  # writes, to be reviewed
    repeats: int  # of what takes seconds; the median counts


FULL = Sizes(small=1_000, middle=5_000, large=20_000, changed=1_000, by_model=100, planned=10_000, repeats=3)
QUICK = Sizes(small=40, middle=40, large=120, changed=30, by_model=8, planned=200, repeats=1)


class BenchmarkFailed(Exception):
    """A measured run did not do what it should: then its time says nothing. One line."""


def at_most(
    what: str, measured: float, limit: float, how: str, *, unit: str = "", show: Callable[[float], str] = str
) -> Figure:
    """A figure that is reached if it is no more than its target."""
    shown, aimed = f"{show(measured)} {unit}".strip(), f"≤ {limit:g} {unit}".strip()
    return Figure(what, shown, aimed, measured <= limit, how)


def at_least(
    what: str, measured: float, limit: float, how: str, *, unit: str = "", show: Callable[[float], str] = str
) -> Figure:
    """A figure that is reached if it is no less than its target."""
    shown, aimed = f"{show(measured)} {unit}".strip(), f"≥ {limit:g} {unit}".strip()
    return Figure(what, shown, aimed, measured >= limit, how)
