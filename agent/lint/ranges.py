"""Ranges of numbers that decide between constants: "minor" below 18 years, "senior" from 65."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from agent.lint.words import GAP, NUMBER, Reading, number

_BELOW = r"below|under|younger than|less than|fewer than|before|lower than|smaller than|<"
_AT_MOST = r"at most|up to|no more than|not more than|until|within(?: the last)?|in the last|<=|≤"
_ABOVE = r"over|above|older than|more than|after|exceeding|exceeds|greater than|longer than|higher than|>"
_AT_LEAST = r"from|at least|no less than|not less than|starting at|>=|≥"
_UNIT = r"(?: (?P<unit{n}>year|month|week|day|hour|dollar|cent|visit|appointment|invoice)s?\b)?"
_N = rf"\$?(?:{NUMBER})"
_BOUND = re.compile(
    f"(?:(?:between|from) (?P<low>{_N})(?: years?| months?| weeks?| days?)? (?:and|to"
    f"|until) (?P<high>{_N}){_UNIT.format(n=1)}"
    rf"|(?P<a>\d+) ?[–-] ?(?P<b>\d+){_UNIT.format(n=2)}"
    f"|(?:(?P<most>{_AT_MOST})|(?P<below>{_BELOW})|(?P<least>{_AT_LEAST})"
    f"|(?P<above>{_ABOVE})) (?P<n>{_N}){_UNIT.format(n=3)}"
    f"|(?P<m>{_N}){_UNIT.format(n=4)} (?:and|or) (?:(?P<up>over|above|older|more|up)|(?P<down>under"
    r"|below|younger|less|fewer))\b)"
)
_DAYS = {"year": 365.0, "month": 30.0, "week": 7.0, "day": 1.0, "hour": 1 / 24}
_SMALLEST = 1e-6
_CUT = re.compile(r",|\belse\b|\botherwise\b")
_BEGINS = re.compile(
    r" ?(?:\||if|when|for|from|below|under|above|over|at|up|until|between|after|before|within|\(|<|>|≤|≥)"
)
_OR = re.compile(r"\bor\b(?! (?:over|above|older|more|under|below|younger|less|fewer))")
_JOINS = frozenset(
    {"when", "that", "with", "patient", "patients", "client", "clients", "than", "been", "they"}
)


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included. unit: "day" for all spans of time, "" for none."""

    low: float
    high: float
    unit: str
    at: int
    written: str  # the unit as it is written: "year"

    @property
    def open(self) -> int:
        """Which way it has no end: -1 down, 1 up, 0 neither."""
        return -1 if self.low == -inf else 1 if self.high == inf else 0

    def meets(self, other: "Range") -> bool:
        return self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class Case:
    """One constant and the ranges in which it is the value."""

    sentence: str
    constant: str
    range: Range
    about: str  # what is measured, as far as the words beside it say


def ranges(text: str, unit: str = "") -> Iterator[Range]:
    """The ranges that a text names, in order. One without a unit has that of the one before, or `unit`."""
    for found in _BOUND.finditer(text):
        unit = next((found[f"unit{n}"] for n in (1, 2, 3, 4) if found[f"unit{n}"]), unit)
        factor = _DAYS.get(unit, 1.0)
        low, high = _ends(found)
        yield Range(low * factor, high * factor, "day" if unit in _DAYS else unit, found.start(), unit)


def _ends(found: re.Match[str]) -> tuple[float, float]:
    if found["low"]:
        return number(found["low"]), number(found["high"])
    if found["a"]:
        return number(found["a"]), number(found["b"])
    if found["m"]:
        return (number(found["m"]), inf) if found["up"] else (-inf, number(found["m"]))
    n = number(found["n"])
    if found["most"]:
        return -inf, n
    if found["below"]:
        return -inf, n - _SMALLEST
    return (n, inf) if found["least"] else (n + _SMALLEST, inf)


def cases(reading: Reading) -> Iterator[Case]:
    """Each constant of a sentence with the range beside it: up to the next constant or comma."""
    for statement in reading.statements:
        quoted, unit = [one for one in reading.in_(statement) if not one.code], ""
        ends = [*(one.start - statement.start for one in quoted[1:]), len(statement.text)]
        for one, end in zip(quoted, ends, strict=False):
            beside = _CUT.split(statement.text[one.end - statement.start : end])[0]
            found = list(ranges(beside, unit)) if _BEGINS.match(beside) else []
            unit = found[-1].written if found else unit
            if len(found) == 1 and not _OR.search(beside):
                yield Case(reading.number, one.value, found[0], _about(beside, found[0]))


def _about(text: str, found: Range) -> str:
    """The content words in front of the number: what is measured."""
    words = re.findall(r"[a-z]{4,}", text[: found.at].replace(GAP, " "))
    return " ".join(word.rstrip("s") for word in words if word not in _JOINS)
