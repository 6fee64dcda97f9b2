"""Made synthetic: an invented entry that is decided as a real one is.

What is left of the real one: yes and no, null and empty, 0, and words that the approved texts write out
themselves. Everything else is invented, value by value, as long as the plan stays the same in kind; equal
values stay equal. Days are moved, and each by itself as far as the plan allows. A time of day is drawn;
hours and minutes may stay where the plan counts to them.
"""

import random
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, partial

from pydantic import JsonValue

from agent.case import Case
from agent.naming import MOMENT, parts, texts_in
from agent.plan import Argument, Plan, Refused
from connectors.entry import Category, Entry, EntryField, leaves, without_positions

Outcome = Plan | Refused
Decide = Callable[[Sequence[Case]], Sequence[Outcome]]
Made = Callable[[JsonValue], JsonValue]

GIVEN = ("Ana", "Eli", "Noor", "Sam", "Ida", "Max", "Lea", "Tom")
FAMILY = ("Example", "Sample", "Silva", "Stone", "Novak", "Reed", "Lind", "Marsh")
PHONE = "12125550142"
FOUR_YEARS = 1461  # days: the same day of the same month
MOVES = 6  # distances that are tried for all days together
JITTERS = 6  # other days that are tried for one day
PARTS = (24, 60, 60)  # of a time, which may be drawn from one of them on: hours, minutes, seconds
EXAMPLE = parts("@example.com")
PERSONAL = frozenset({Category.IDENTITY, Category.CONTACT, Category.ADDRESS})


@dataclass(frozen=True)
class Approved:
    """What tells a value of the entry from a word of the rules.

    fields: of the source, by path. read: the paths that are read of an entry. texts: what program, grants and
    sentences write out.
    """

    fields: Mapping[str, EntryField]
    read: tuple[str, ...]
    texts: frozenset[str]

    @cached_property
    def names(self) -> frozenset[str]:
        """Names that an entry may have of the source, and not of itself."""
        return frozenset(part for path in (*self.fields, *self.read) for part in path.split("."))

    def is_word(self, value: object) -> bool:
        return isinstance(value, str) and value.casefold() in self.texts

    def category(self, path: str) -> Category | None:
        """Of a field, or of the one that holds it."""
        while path and path not in self.fields:
            path = path.rpartition(".")[0]
        return self.fields[path].category if path else None


def synthetic(case: Case, approved: Approved, decide: Decide, seed: str) -> Case | None:
    """The same case with nothing of the patient in it, its patient "example".

    None if no invented entry was found that is decided alike. seed: the same for the same case.
    """
    dice = random.Random(seed)  # noqa: S311  # it hides nothing: what it invents does not depend on what was there
    real = _Real(case.entry)
    made = _moved(replace(case, patient="example", known={}), real, decide, dice)
    for value, path in _values(made, approved) if made else ():
        invented = [one for one in _invented(value, path, approved, dice) if not real.has(one)]
        invented += [value] if approved.is_word(value) else []
        made = made and _first(made, [(value, one) for one in invented], decide)
    if made is None:
        return None
    return _alike(made, [replace(made, entry=_named_anew(made.entry, approved, dice))], decide)


class _Real:
    """What must not be drawn: each value of the real entry, and each part of it that may name somebody."""

    def __init__(self, entry: Entry) -> None:
        values = [value for _, value in leaves(entry)]
        self._whole = {_folded(value) for value in values}
        self._parts = {part for value in values for text in texts_in(value) for part in parts(text)} - EXAMPLE
        self._days = {value[:10] for value in values if isinstance(value, str) and _day(value)}

    def has(self, value: JsonValue) -> bool:
        return _folded(value) in self._whole or not self._parts.isdisjoint(parts(str(value)))

    def has_day(self, value: JsonValue) -> bool:
        return str(value)[:10] in self._days


def shape(outcome: Outcome) -> object:
    """What a plan says without what its values are: the same for an entry that takes the same branches."""
    if isinstance(outcome, Refused):
        return outcome
    calls = tuple(
        (call.operation, call.because, tuple((name, _shape(one)) for name, one in call.arguments.items()))
        for call in outcome.calls
    )
    return (outcome.kind, outcome.because, outcome.reason, outcome.again_on is None, outcome.judged, calls)


def _shape(one: Argument) -> object:
    said = one.value if one.source.kind == "constant" or one.value in (None, "", [], {}) else "…"
    paths = tuple(without_positions(path) for path in one.source.paths)
    return (repr(said), one.source.kind, paths, one.source.transforms)


def _first(case: Case, changes: Sequence[tuple[JsonValue, JsonValue]], decide: Decide) -> Case | None:
    """The case with the first of these changes that leaves the plan the same in kind."""
    tried = [replace(case, entry=_changed(case.entry, *change)) for change in changes]
    return _alike(case, tried, decide)


def _alike(case: Case, tried: Sequence[Case], decide: Decide) -> Case | None:
    wanted, *found = (shape(one) for one in decide([case, *tried]))
    return next((one for one, made in zip(tried, found, strict=True) if made == wanted), None)


def _changed(entry: Entry, old: JsonValue, new: JsonValue) -> Entry:
    """The entry with one value in the place of another, wherever that stands."""
    return _each(entry, lambda value: new if type(value) is type(old) and value == old else value)


def _each(entry: Entry, made: Made, named: Callable[[str], str] = str) -> dict[str, JsonValue]:
    """An entry with something made of each of its values and of each name."""
    return {named(name): _inside(value, made, named) for name, value in entry.items()}


def _inside(value: JsonValue, made: Made, named: Callable[[str], str]) -> JsonValue:
    if isinstance(value, dict):
        return _each(value, made, named)
    if isinstance(value, list):
        return [_inside(inner, made, named) for inner in value]
    return made(value)


def _values(case: Case, approved: Approved) -> list[tuple[JsonValue, str]]:
    """What is to be invented, each value once, with a path at which it stands: days apart, see `_moved`."""
    found: dict[tuple[type, JsonValue], str] = {}
    for path, value in leaves(case.entry):
        plain = without_positions(path)
        kept = isinstance(value, bool) or value in (None, "", 0, [], {}) or not re.search(r"\w", str(value))
        if kept or (approved.is_word(value) and approved.category(plain) not in PERSONAL):
            continue
        if not (isinstance(value, str) and _day(value)):
            assert isinstance(value, (str, int, float))
            found.setdefault((type(value), value), plain)
    return [(value, path) for (_, value), path in found.items()]


def _invented(value: JsonValue, path: str, approved: Approved, dice: random.Random) -> Iterator[JsonValue]:
    """What may stand in a value's place, the most natural first."""
    if isinstance(value, str):
        category = approved.category(path)
        if "@" in value:
            name = f"{dice.choice(GIVEN)}{dice.randrange(100)}@example.com"
            yield name if value != value.lower() else name.lower()
        elif category is Category.CONTACT and 10 <= sum(c.isdigit() for c in value) <= 11:
            yield _dialled(value)
        elif category is Category.IDENTITY and value.isalpha():
            yield dice.choice(FAMILY if "last" in path else GIVEN)
        yield from (_scrambled(value, dice) for _ in range(4))
    elif isinstance(value, (int, float)):
        size = max(1, len(str(abs(int(value)))))
        for _ in range(4):
            number = dice.randrange(10 ** (size - 1), 10**size) * (-1 if value < 0 else 1)
            yield number if isinstance(value, int) else float(number)
        for share in (dice.uniform(0.5, 2.0) for _ in range(4)):
            yield round(value * share) if isinstance(value, int) else round(value * share, 2)


def _scrambled(text: str, dice: random.Random) -> str:
    """Other letters and digits in the same places; none of them depends on what was there."""
    return "".join(_drawn(c, dice) for c in text)


def _drawn(c: str, dice: random.Random) -> str:
    """Marks are drawn as letters are: a vowel may be one. What is no sign and no space is drawn, too."""
    if unicodedata.category(c)[0] in "PSZ" or c in "\n\r\t":
        return c
    if c.isnumeric():
        return dice.choice(string.digits)
    return dice.choice(string.ascii_uppercase if c.isupper() else string.ascii_lowercase)


def _dialled(text: str) -> str:
    """A telephone number that nobody has, written as this one is."""
    digits = iter(PHONE[-sum(c.isdigit() for c in text) :])
    return "".join(next(digits) if c.isdigit() else c for c in text)


def _moved(case: Case, real: _Real, decide: Decide, dice: random.Random) -> Case | None:
    """The same some months or years before, and then each day by itself, at another time of day."""
    moves = [timedelta(weeks=weeks) for weeks in dice.sample(range(10, 150), MOVES)]
    tried = [
        replace(case, entry=_each(case.entry, partial(_shifted, by=by)), today=case.today - by)
        for by in (*moves, timedelta(days=FOUR_YEARS))
    ]
    tried.sort(key=lambda one: any(real.has_day(value) for value in _days(one)))
    found = _alike(case, tried, decide)
    for value in _days(found) if found else ():
        found = found and _elsewhen(found, value, real, decide, dice)
    return found


def _days(case: Case) -> list[str]:
    """Its days and moments, each once."""
    return [*dict.fromkeys(one for _, one in leaves(case.entry) if isinstance(one, str) and _day(one))]


def _elsewhen(case: Case, value: str, real: _Real, decide: Decide, dice: random.Random) -> Case | None:
    """With another day and time in a moment's place. Where it counts to the day, the distance stays."""
    days = dice.sample([day for day in range(-28, 29) if day], JITTERS)
    for first in range(len(PARTS)):
        for by in (days, [0] * JITTERS):
            moved = [_shifted(value, timedelta(days=day)) for day in by]
            others = [
                (value, _redrawn(one, first, dice)) for one in moved if not (any(by) and real.has_day(one))
            ]
            if found := _first(case, others, decide):
                return found
    return None


def _redrawn(moment: JsonValue, first: int, dice: random.Random) -> JsonValue:
    """The moment with another time from that part on: hours, minutes, seconds. Noughts at its end stay."""
    found = MOMENT.fullmatch(str(moment))
    if found is None or found[3] is None:
        return moment
    end = max((found.end(group) for group in range(3, 7) if (found[group] or "").strip("0")), default=0)
    text = list(str(moment))
    for at, below in enumerate(PARTS):
        start = found.start(at + 3)
        if first <= at and 0 <= start < end:
            text[start : start + 2] = f"{(int(found[at + 3]) + dice.randrange(1, below)) % below:02}"
    for at in range(found.start(6), end) if found[6] else ():
        text[at] = dice.choice(string.digits)
    return "".join(text)


def _day(text: str) -> date | None:
    """The day that a text says, if it is one, or a moment."""
    found = MOMENT.fullmatch(text)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def _shifted(value: JsonValue, by: timedelta) -> JsonValue:
    """A day or a moment, so much earlier; anything else as it is."""
    day = _day(value) if isinstance(value, str) else None
    return value if day is None else (day - by).isoformat() + str(value)[10:]


def _named_anew(entry: Entry, approved: Approved, dice: random.Random) -> Entry:
    """Without names that an entry gave itself: below a field of the practice's own, any may stand."""

    def named(name: str) -> str:
        return name if name in approved.names or approved.is_word(name) else _scrambled(name, dice)

    return _each(entry, lambda value: value, named)


def _folded(value: JsonValue) -> str:
    return str(value).casefold()


def texts_of(*sources: Iterable[str]) -> frozenset[str]:
    """What is written out, as `Approved` has it."""
    return frozenset(text.casefold() for source in sources for text in source)
