"""What lies on the desk: every planned write of an integration as one line, and what was said of it.

Lines hold no values, so that they may be filtered and counted in memory; a write is opened when it is shown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flows.ledger import marks, runs, written
from flows.ledger.marks import Mark
from flows.ledger.store import Ledger
from flows.ledger.written import Written

RUNS = 100  # of a stage: a week of hourly runs is more; the newest are looked at
KINDS = ("new", "changed", "emptied", "as it is", "not compared")


@dataclass(frozen=True, slots=True)
class Line:
    """One write. kind: what it would do to the record, as far as is known."""

    key: str
    run: str
    entry: str
    operation: str
    because: tuple[str, ...]
    kind: str
    fields: tuple[str, ...]  # that would change
    state: str
    code: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the lines is asked for; "" is any."""

    run: str = ""
    sentence: str = ""
    field: str = ""
    kind: str = ""
    operation: str = ""
    entry: str = ""
    state: str = ""
    mark: str = ""  # right, wrong, none

    def takes(self, one: Line, mark: Mark | None) -> bool:
        return (
            self.run in ("", one.run)
            and (not self.sentence or self.sentence in one.because)
            and (not self.field or self.field in one.fields)
            and self.kind in ("", one.kind)
            and self.operation in ("", one.operation)
            and self.entry in ("", one.entry)
            and self.state in ("", one.state)
            and self.mark in ("", mark.verdict if mark else "none")
        )


class Desk:
    """One integration's writes, read once and again when a run has ended since."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._read: dict[str, tuple[datetime | None, list[Line]]] = {}

    def lines(self) -> list[Line]:
        """Every write of the newest runs, newest run first."""
        return [line for run in runs.latest(self.ledger, RUNS) for line in self._of_run(run.id, run.ended)]

    def chosen(self, asked: Filter) -> list[Line]:
        said = self.marks()
        return [one for one in self.lines() if asked.takes(one, said.get(one.key))]

    def marks(self) -> Mapping[str, Mark]:
        return marks.all_of(self.ledger)

    def opened(self, keys: Sequence[str]) -> dict[str, Written]:
        """The writes themselves, with their values, by key."""
        return {one.key: one for one in written.of_keys(self.ledger, keys)}

    def sample(self, number: int) -> list[Line]:
        """Writes that nobody has judged yet, spread over sentences, operations and kinds of change."""
        said, groups = self.marks(), dict[tuple[object, ...], list[Line]]()
        for one in self.lines():
            if one.key not in said:
                groups.setdefault((one.operation, one.because, one.kind, one.fields), []).append(one)
        return list(_in_turn(list(groups.values())))[:number]

    def look_again(self) -> None:
        """A person's word changed what was read."""
        self._read.clear()

    def _of_run(self, run: str, ended: datetime | None) -> list[Line]:
        known = self._read.get(run)
        if known is None or known[0] != ended or ended is None:
            found = [_line(run, one) for page in written.of_run(self.ledger, run) for one in page]
            self._read[run] = known = (ended, found)
        return known[1]


def _line(run: str, one: Written) -> Line:
    fields = tuple(name for name in one.arguments if one.read and one.changes(name))
    kind = _kind(one, fields)
    return Line(one.key, run, one.entry, one.operation, one.because, kind, fields, one.state, one.code)


def _kind(one: Written, fields: Sequence[str]) -> str:
    if not one.read:
        return "not compared"
    if one.creates:
        return "new"
    if not fields:
        return "as it is"
    before = one.before or {}
    emptied = any(
        one.arguments[name].value in (None, "") and before.get(name) not in (None, "") for name in fields
    )
    return "emptied" if emptied else "changed"


def _in_turn(groups: list[list[Line]]) -> Iterator[Line]:
    """One of each group, then the second of each, … so that rare branches are seen first of all."""
    for at in range(max((len(group) for group in groups), default=0)):
        yield from (group[at] for group in groups if at < len(group))


def counted(lines: Sequence[Line]) -> dict[str, Counter[str]]:
    """How many there are by each of what may be filtered."""
    return {
        "sentence": Counter(number for one in lines for number in one.because),
        "field": Counter(field for one in lines for field in one.fields),
        "kind": Counter(one.kind for one in lines),
        "operation": Counter(one.operation for one in lines),
        "state": Counter(one.state for one in lines),
    }
