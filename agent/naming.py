"""What names a patient: words, numbers, days and whole names of what is known of one, however they are spelt.

It finds what a person writes down without a thought, and is no proof: who means to hide a name in a text can.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from itertools import pairwise

from pydantic import JsonValue

from connectors.entry import Category

Leaf = tuple[Category | None, JsonValue]
"""A value that is known of a patient, and what kind of data it is; None: nobody says."""

MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:([T ])(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?( ?(?:Z|[+-]\d\d:?(?:\d\d)?))?)?",
    re.ASCII,
)
"""A day, or a moment: day, separator, hours, minutes, seconds, fraction, offset."""
SHORTEST_WORD = 3  # letters: a shorter one names nobody, unless it is a name
SHORTEST_NAME = 2
SHORTEST_NUMBER = 5  # digits: a shorter one names nobody
LONGEST_WORD = 40  # letters: a longer one is not looked at as names that are written together
WITH_PREFIX = 3  # digits that a number may have more: a country's code
LONGEST_ROW = 8  # words of a name as a whole
SUBSCRIBER = 7  # digits of a telephone number without its area
NAMES = frozenset({Category.IDENTITY, Category.CONTACT, Category.ADDRESS})

_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_RUN = re.compile(r"[^\W\d_]+|[0-9]+")
_GROUP = re.compile(r"[0-9]+(?:[\W_]{1,3}[0-9]+)*")
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-'’_.][^\W\d_]+)+")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = {name: at for at, month in enumerate(_MONTHS, start=1) for name in (month, month[:3])} | {"sept": 9}
_ORDINAL = frozenset({"st", "nd", "rd", "th", "of"})


class Naming:
    """What may not be said of one patient, and what may all the same."""

    def __init__(self, known: Iterable[Leaf], free: Iterable[str], ordinary: Iterable[str]) -> None:
        """
        Args:
            known: of the patient.
            free: texts whose words, numbers and days may be said anywhere: invented ones, and constants.
            ordinary: texts whose words may be said in a sentence, too. As a whole each may stand anywhere.
        """
        leaves, frees, ordinaries = list(known), list(free), list(ordinary)
        texts = [one for _, value in leaves for one in texts_in(value)]
        names = [one for kind, value in leaves if kind is Category.IDENTITY for one in texts_in(value)]
        self._free = frozenset(word for text in frees for word in _words(text))
        self._ordinary = self._free.union(word for text in ordinaries for word in _words(text))
        self._whole = frozenset(spaced(text) for text in (*frees, *ordinaries))
        self._said = "|".join(self._whole)
        self._free_numbers = frozenset(number for text in (*frees, *ordinaries) for number in _whole(text))
        words = {word for text in texts for word in _words(text) if len(word) >= SHORTEST_WORD}
        self._names = {word for text in names for word in _words(text)} - self._free
        self._words = (words | self._names) - self._free
        self._numbers = {number for text in texts for number in _known_numbers(text)} - self._free_numbers
        self._days = _with_birthdays(texts) - _with_birthdays([*frees, *ordinaries])
        self._rows = frozenset(row for kind, value in leaves for row in _rows(kind, value))
        self._words |= {row.replace(" ", "") for row in self._rows} - self._free

    def is_in(self, text: str, *, sentence: bool = False) -> bool:
        """Whether a text says anything of the patient. sentence: ordinary words name nobody there."""
        if spaced(text) in self._whole:
            return False
        words = _words(text) - (self._ordinary if sentence else self._free)
        return (
            any(word in self._words or _joined(word, self._names) for word in words)
            or any(self._is_theirs(number) for number in _numbers(text))
            or not self._days.isdisjoint(days(text))
            or any(row in spaced(text) and row not in self._said for row in self._rows)
        )

    def allows(self, number_or_address: str) -> bool:
        """Whether a number or an e-mail address is one that may be said."""
        if "@" in number_or_address:
            return spaced(number_or_address) in self._said
        return all(self._may_be_said(number) for number in _whole(number_or_address))

    def _is_theirs(self, number: str) -> bool:
        if self._may_be_said(number):
            return False
        return any(number in one or one in number for one in self._numbers)

    def _may_be_said(self, number: str) -> bool:
        return any(
            number in one
            or (len(one) >= SUBSCRIBER and one in number and len(number) - len(one) <= WITH_PREFIX)
            for one in self._free_numbers
        )


def texts_in(value: JsonValue) -> Iterator[str]:
    """Every text and number of a value, and the names that it gives itself; yes, no and null say nothing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def parts(text: str) -> set[str]:
    """What of a text may name somebody: its words and numbers, folded."""
    return {word for word in _words(text) if len(word) >= SHORTEST_WORD} | _whole(text)


def spaced(text: str) -> str:
    """A text as its words and numbers, folded, with a space around each: `Dana_Reyes` as " dana reyes "."""
    return f" {' '.join(_RUN.findall(_folded(text)))} "


def days(text: str) -> set[date | tuple[int, int]]:
    """The days that a text may mean, however they are written; of one without a year, month and day."""
    found: set[date | tuple[int, int]] = set()
    runs = [run for run in _RUN.findall(_folded(text)) if run not in _ORDINAL]
    for at, run in enumerate(runs):
        found.update(_dated(runs[at : at + 3]))
        if len(run) == 8:
            found.update(_dated([run[:4], run[4:6], run[6:]]), _dated([run[:2], run[2:4], run[4:]]))
    for one, other in pairwise(runs):
        for month, day in ((one, other), (other, one)):
            if month in _MONTH and day.isdecimal() and len(day) <= 2:
                found.add((_MONTH[month], int(day)))
    return found


def _with_birthdays(texts: Iterable[str]) -> set[date | tuple[int, int]]:
    found = {day for text in texts for day in days(text)}
    return found | {(day.month, day.day) for day in found if isinstance(day, date)}


def _dated(runs: list[str]) -> Iterator[date]:
    if len(runs) < 3:
        return
    a, b, c = runs
    for year, month, day in ((a, b, c), (c, a, b), (c, b, a)):
        number = _MONTH.get(month) or (int(month) if month.isdecimal() and len(month) <= 2 else 0)
        if not (year.isdecimal() and day.isdecimal() and len(day) <= 2 and len(year) in (2, 4)):
            continue
        for full in (int(year),) if len(year) == 4 else (1900 + int(year), 2000 + int(year)):
            try:
                yield date(full, number, int(day))
            except ValueError:
                continue


def _folded(text: str) -> str:
    """Without case, accents and what is not seen; digits of every script as 0 to 9."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c
        for c in plain
        if unicodedata.category(c)[0] != "M" and unicodedata.category(c) != "Cf"
    )


def _words(text: str) -> set[str]:
    """Its words of two letters and more; those that are joined by a sign as one word, too."""
    found: set[str] = set()
    composed = unicodedata.normalize("NFC", text).casefold()
    for one in {_folded(text), _folded(composed.translate(_SPELT_OUT))}:
        found.update(re.findall(r"[^\W\d_]+", one))
        found.update(re.sub(r"[\W_]", "", compound) for compound in _COMPOUND.findall(one))
    return {word for word in found if len(word) >= SHORTEST_NAME}


def _joined(word: str, names: Collection[str]) -> bool:
    """Whether a word is nothing but names that are written together."""
    return len(word) <= LONGEST_WORD and any(
        word[:at] in names and (word[at:] in names or _joined(word[at:], names))
        for at in range(SHORTEST_NAME, len(word) - 1)
    )


def _numbers(text: str) -> set[str]:
    """Every number that the text may hold, with what separates its digits taken out."""
    found = _whole(text)
    for group in _GROUP.findall(_folded(text)):
        runs = re.findall("[0-9]+", group)
        for at in range(len(runs)):
            found.update("".join(runs[at:to]) for to in range(at + 1, min(at + 7, len(runs) + 1)))
    return {number for number in found if len(number) >= SHORTEST_NUMBER}


def _whole(text: str) -> set[str]:
    """Its numbers as long as they are, and each row of digits in them."""
    found = {
        one
        for group in _GROUP.findall(_folded(text))
        for one in (re.sub("[^0-9]", "", group), *re.findall("[0-9]+", group))
    }
    return {number for number in found if len(number) >= SHORTEST_NUMBER}


def _known_numbers(text: str) -> set[str]:
    """The numbers of a value. Of a moment only the time, if it counts seconds: the day is a day."""
    moment = MOMENT.fullmatch(text)
    if moment is None:
        return _whole(text)
    _, _, hours, minutes, seconds, fraction, _ = moment.groups("")
    return {hours + minutes + seconds + fraction} if (seconds + fraction).strip("0") else set()


def _rows(kind: Category | None, value: JsonValue) -> Iterator[str]:
    """Names as a whole, and numbers with letters: of those each part alone may be an ordinary word."""
    for text in texts_in(value):
        row = spaced(text)
        several = 2 <= len(row.split()) <= LONGEST_ROW and any(c.isalpha() for c in row)
        if several and not MOMENT.fullmatch(text) and (kind in NAMES or any(c.isdecimal() for c in row)):
            yield row
