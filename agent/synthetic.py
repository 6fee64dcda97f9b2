"""Made synthetic: an invented entry that is decided as a real one is.

What is left of the real one: yes and no, null and empty, 0, and words that the approved texts write out
themselves. Everything else is invented, value by value, as long as the plan stays the same in kind; equal
values stay equal. Days are moved, and each by itself as far as the plan allows.
"""

import random
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, partial

from pydantic import JsonValue

from agent.case import Case
from agent.plan import Argument, Plan, Refused
from connectors.entry import Category, Entry, EntryField, leaves, without_positions

Outcome = Plan | Refused
Decide = Callable[[Sequence[Case]], Sequence[Outcome]]
Made = Callable[[JsonValue], JsonValue]

DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?")
GIVEN = ("Ana", "Eli", "Noor", "Sam", "Ida", "Max", "Lea", "Tom")
FAMILY = ("Example", "Sample", "Silva", "Stone", "Novak", "Reed", "Lind", "Marsh")
PHONE = "12125550142"
FOUR_YEARS = 1461  # days: the same day of the same month
JITTERS = 6  # other days that are tried for one day
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
    real = {_folded(value) for _, value in leaves(case.entry)}
    made = _moved(replace(case, patient="example", known={}), decide, dice)
    for value, path in _values(made, approved) if made else ():
        invented = [one for one in _invented(value, path, approved, dice) if _folded(one) not in real]
        invented += [value] if approved.is_word(value) else []
        made = made and _first(made, [(value, one) for one in invented], decide)
    if made is None:
        return None
    return _alike(made, [replace(made, entry=_named_anew(made.entry, approved, dice))], decide)


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
    return "".join(
        dice.choice(string.digits)
        if c.isdigit()
        else dice.choice(string.ascii_uppercase if c.isupper() else string.ascii_lowercase)
        if c.isalpha()
        else c
        for c in text
    )


def _dialled(text: str) -> str:
    """A telephone number that nobody has, written as this one is."""
    digits = iter(PHONE[-sum(c.isdigit() for c in text) :])
    return "".join(next(digits) if c.isdigit() else c for c in text)


def _moved(case: Case, decide: Decide, dice: random.Random) -> Case | None:
    """The same some months or years before, and then each day by itself."""
    weeks = [timedelta(weeks=dice.randrange(10, 150)) for _ in range(3)]
    tried = [
        replace(case, entry=_each(case.entry, partial(_shifted, by=by)), today=case.today - by)
        for by in (*weeks, timedelta(days=FOUR_YEARS))
    ]
    found = _alike(case, tried, decide)
    if found is None:
        return None
    for value in dict.fromkeys(one for _, one in leaves(found.entry) if isinstance(one, str) and _day(one)):
        days = dice.sample([day for day in range(-28, 29) if day], JITTERS)
        others = [(value, _shifted(value, timedelta(days=day))) for day in days]
        found = _first(found, others, decide) or found  # where it counts to the day, the distance stays
    return found


def _day(text: str) -> date | None:
    """The day that a text says, if it is one, or a moment."""
    found = DAY.fullmatch(text)
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
