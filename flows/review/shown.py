"""What each page shows, in the names that its template has. Whoever sees values is in the audit first."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from flows import acts
from flows.declared import names
from flows.explain import meaning
from flows.ledger import entries, marks, seen
from flows.ledger.seen import Asked, Group, Opened
from flows.review import charts, figures
from flows.review.desk import RUNS, Desk, Filter, Line, counted
from flows.review.door import Role, Session
from flows.review.telling import Telling, Told, ToldEntry, told_entry
from flows.tenants import Deployment
from flows.trend import past

SHOWN = 50  # writes, or entries, on one page
SAMPLE = 20
LISTED = 20  # runs on the overview
NOBODY = "nobody"  # in an address, in the place of who was asked for and is not known
FILTERED = frozenset({*Filter.__dataclass_fields__, *Asked.__dataclass_fields__})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """One page of what is asked for. number: of all that is; at: how many of them come before."""

    ones: list[T]
    number: int
    at: int


class Shown:
    """What there is to show of one integration."""

    def __init__(self, deployment: Deployment, desk: Desk) -> None:
        self._deployment, self._desk, self._ledger = deployment, desk, desk.ledger
        self._zone = ZoneInfo(deployment.timezone)
        self.texts = {one.number: one.text for one in deployment.instructions.sentences}

    def time(self, moment: datetime) -> str:
        """A moment as the practice's clocks have it."""
        return f"{moment.astimezone(self._zone):%-d %b %Y, %H:%M}"

    def filled(self, asked: Mapping[str, str]) -> dict[str, str]:
        """What of an address filters."""
        return {name: value for name, value in asked.items() if name in FILTERED and value}

    def pseudonym(self, session: Session, said: str) -> str:
        """Whose entry is meant by a pseudonym, or by a patient's id, which who sees values may look for."""
        said = said.strip()
        if not said or seen.number(self._ledger, Asked(entry=said)):
            return said
        found = entries.pseudonyms(self._ledger, [said]) if session.role >= Role.REVIEWER else {}
        return found.get(said, NOBODY)

    def overview(self) -> dict[str, object]:
        lines, groups, runs = self._desk.lines(), seen.groups(self._ledger), past(self._ledger, RUNS)
        numbers, zone = figures.numbers(groups), self._deployment.timezone
        return {
            "writes": len(lines),
            "entries": sum(one.number for one in numbers),
            "unchanged": seen.unchanged(self._ledger),
            "numbers": numbers,
            "judged": figures.judged(lines, self._desk.verdicts()),
            "sentences": figures.by_sentence(self.texts, lines, groups),
            "operations": figures.by_operation(self._deployment.integration.targets, lines),
            "reasons": [one for one in groups if one.state in seen.WITHOUT],
            "fields": counted(lines)["field"].most_common(LISTED),
            "charts": [charts.by_day(runs, zone), charts.durations(runs, zone), charts.tokens(runs, zone)],
            "runs": runs[:LISTED],
            "ran": len(runs),
            "stage": self._desk.stage(),
            "states": figures.ENTRIES,
        }

    def writes(self, session: Session, asked: Mapping[str, str]) -> dict[str, object]:
        filtered, lines = _filter(asked), self._desk.lines()
        listed = self.listed_writes(session, asked, lines)
        return {
            "ones": listed.ones,
            "counts": counted(lines),
            "words": self._words(lines),
            "asked": filtered,
            "number": listed.number,
            "all": len(lines),
            "at": listed.at,
            "shown": SHOWN,
            "nobody": NOBODY,
        }

    def listed_writes(
        self, session: Session, asked: Mapping[str, str], lines: Sequence[Line]
    ) -> Listed[Told]:
        """Those of these lines that are asked for."""
        chosen, at = _filter(asked).chosen(lines, self._desk.verdicts()), offset(asked)
        return Listed(self._told(session, chosen[at : at + SHOWN]), len(chosen), at)

    def entries(self, session: Session, asked: Mapping[str, str]) -> dict[str, object]:
        listed = self.listed_entries(session, asked)
        return {
            "ones": listed.ones,
            "counts": _counted(seen.groups(self._ledger)),
            "states": figures.ENTRIES,
            "asked": _asked(asked),
            "number": listed.number,
            "at": listed.at,
            "shown": SHOWN,
            "nobody": NOBODY,
        }

    def listed_entries(self, session: Session, asked: Mapping[str, str]) -> Listed[ToldEntry]:
        filtered, at = _asked(asked), offset(asked)
        found = self._told_entries(session, filtered, at)
        return Listed(found, seen.number(self._ledger, filtered), at)

    def sample(self, session: Session) -> list[Told]:
        return self._told(session, self._desk.sample(SAMPLE, session.looked))

    def _told(self, session: Session, lines: Sequence[Line]) -> list[Told]:
        values = session.role >= Role.REVIEWER
        if values:
            self._note(session, "writes", [one.key for one in lines])
        keys = [one.key for one in lines]
        opened, said = self._desk.opened(keys), marks.of(self._ledger, keys)
        known = None if values else names(self._deployment)
        telling = Telling(self.texts, self._deployment.manifest, known, staged=self._desk.staged)
        return [telling.told(one, opened[one.key], said.get(one.key)) for one in lines if one.key in opened]

    def _told_entries(self, session: Session, asked: Asked, at: int) -> list[ToldEntry]:
        ones, opened = seen.page(self._ledger, asked, at, SHOWN), dict[str, Opened]()
        if session.role >= Role.REVIEWER:
            refs = [one.ref for one in ones]
            self._note(session, "entries", refs)
            opened = seen.opened(self._ledger, refs)
        manifest = self._deployment.manifest
        return [told_entry(one, self.texts, manifest, opened.get(one.ref)) for one in ones]

    def _note(self, session: Session, what: str, which: Sequence[str]) -> None:
        """Before a value is read, the audit says who is about to see it."""
        if which:
            with self._ledger.told_by(f"person {session.person}"):
                acts.note_beside(
                    self._ledger, f"{what} of {self._ledger.name} reviewed with their values", *which
                )

    def _words(self, lines: Sequence[Line]) -> dict[str, str]:
        """How a filter's choices read, where that is not as the ledger has them."""
        states = {one.state for one in lines}
        words = {state: _short(meaning(state, staged=self._desk.staged)) for state in states}
        return words | {run.id: self.time(run.started) for run in past(self._ledger, RUNS)}


def _short(text: str) -> str:
    return text.partition(";")[0].partition(":")[0]


def _filter(asked: Mapping[str, str]) -> Filter:
    return Filter(**{name: asked.get(name, "") for name in Filter.__dataclass_fields__})


def _asked(asked: Mapping[str, str]) -> Asked:
    return Asked(**{name: asked.get(name, "") for name in Asked.__dataclass_fields__})


def offset(asked: Mapping[str, str]) -> int:
    """How many of what is asked for are passed over: `at` of an address, 0 where it is no number."""
    text = asked.get("at", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0


def _counted(groups: Sequence[Group]) -> dict[str, Counter[str]]:
    """How many entries there are by each of what may be filtered."""
    found = {name: Counter[str]() for name in ("state", "reason", "sentence")}
    for one in groups:
        found["state"][one.state] += one.number
        if one.code:
            found["reason"][one.code] += one.number
        for number in one.because:
            found["sentence"][number] += one.number
    return found
