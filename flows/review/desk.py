"""What lies on the desk: every planned write of an integration as one line, and what was said of it.

Lines hold no values, so that they may be filtered and counted in memory; a write is opened when it is shown.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flows.ledger import marks, runs, stages, written
from flows.ledger.marks import Verdict
from flows.ledger.stages import Stage
from flows.ledger.store import Ledger, now
from flows.ledger.written import PAGE, Stand, Written
from flows.naming import mode_of

RUNS = 1000  # the newest that are looked at: a stage of six weeks, each hour
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
    key: str = ""

    def chosen(self, lines: Sequence[Line], said: Mapping[str, Verdict]) -> list[Line]:
        """What of the lines is asked for."""
        return [one for one in lines if self._takes(one, said.get(one.key, "none"))]

    def _takes(self, one: Line, mark: str) -> bool:
        return (
            self.run in ("", one.run)
            and (not self.sentence or self.sentence in one.because)
            and (not self.field or self.field in one.fields)
            and self.kind in ("", one.kind)
            and self.operation in ("", one.operation)
            and self.entry in ("", one.entry)
            and self.state in ("", one.state)
            and self.mark in ("", mark)
            and self.key in ("", one.key)
        )


class Desk:
    """One integration's writes, each read once, and again when it has moved since."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.staged = mode_of(ledger.name)[1] == "staging"
        self._stage = self.stage()
        self._read: dict[str, tuple[Stand, Line]] = {}  # by key

    def stage(self) -> Stage | None:
        """The stage that is looked at, as it is now; None of what is live, or where none began."""
        name = mode_of(self.ledger.name)[0]
        return stages.latest(self.ledger.engine, self.ledger.tenant, name) if self.staged else None

    def over(self) -> bool:
        """Whether what is looked at was a stage, and is destroyed or due to be."""
        stage = self.stage()
        began = self._stage is None or stage is None or stage.number == self._stage.number
        return stage is not None and (not began or stage.destroyed is not None or stage.ends <= now())

    def lines(self) -> list[Line]:
        """Every write of the newest runs, newest run first."""
        newest = [run.id for run in runs.latest(self.ledger, RUNS)]
        there = written.stands(self.ledger, newest)
        return [line for run in newest if run in there for line in self._of_run(run, there[run])]

    def verdicts(self) -> Mapping[str, Verdict]:
        """What was said of the writes, by key."""
        return marks.verdicts(self.ledger)

    def opened(self, keys: Sequence[str]) -> dict[str, Written]:
        """The writes themselves, with their values, by key."""
        return {one.key: one for one in written.of_keys(self.ledger, keys)}

    def sample(self, number: int, looked: Collection[str] = ()) -> list[Line]:
        """Writes that nobody has judged yet, spread over sentences, operations and kinds of change.

        looked: those that were looked at and left.
        """
        said, groups = self.verdicts(), dict[tuple[object, ...], list[Line]]()
        for one in self.lines():
            if one.key not in said and one.key not in looked:
                groups.setdefault((one.operation, one.because, one.kind, one.fields), []).append(one)
        return list(_in_turn(list(groups.values())))[:number]

    def _of_run(self, run: str, there: Mapping[str, Stand]) -> list[Line]:
        known = self._read
        moved = [key for key, stand in there.items() if key not in known or known[key][0] != stand]
        for start in range(0, len(moved), PAGE):
            for one in written.of_keys(self.ledger, moved[start : start + PAGE]):
                known[one.key] = (there[one.key], _line(run, one))
        return [known[key][1] for key in there if key in known]


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
        "run": Counter(one.run for one in lines),
    }
