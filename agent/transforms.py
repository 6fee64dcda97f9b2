"""Declared transforms: the closed list of ways in which an entry's value may be rewritten.

Each is pure and total: the same value always gives the same value, or a `Failure` that says nothing
of it. Null stays null and "" stays "" through every transform; a missing value is a failure.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from agent.references import MISSING, Missing, well_formed

TEXT_AT_MOST = 100_000  # characters of a text that is transformed


class Failure(Enum):
    """Why a transform gave no value."""

    MISSING = "missing"
    UNKNOWN_TRANSFORM = "unknown_transform"
    WRONG_TYPE = "wrong_type"
    NOT_IN_FORM = "not_in_form"
    TOO_LONG = "too_long"


Result = JsonValue | Failure


@dataclass(frozen=True, slots=True)
class Transform:
    """One way to rewrite a value. `takes` and `gives` are for people and models, in JSON's words."""

    name: str
    takes: str
    gives: str
    summary: str
    rule: Callable[[JsonValue], Result]


def apply(names: tuple[str, ...], value: JsonValue | Missing) -> Result:
    """The value after the named transforms, from left to right, or why there is none."""
    if value is MISSING:
        return Failure.MISSING
    if not well_formed(value):
        return Failure.NOT_IN_FORM
    for name in names:
        transform = TRANSFORMS.get(name)
        if transform is None:
            return Failure.UNKNOWN_TRANSFORM
        if value is None or value == "":
            continue
        result = transform.rule(value)
        if isinstance(result, Failure):
            return result
        value = result
    return value


def _of_text(rule: Callable[[str], Result]) -> Callable[[JsonValue], Result]:
    """A rule for texts that refuses every other type and texts beyond `TEXT_AT_MOST`."""

    def checked(value: JsonValue) -> Result:
        if not isinstance(value, str):
            return Failure.WRONG_TYPE
        return rule(value) if len(value) <= TEXT_AT_MOST else Failure.TOO_LONG

    return checked


_word = re.compile(r"(['’]?)([^\W\d_]+)")


def _title(text: str) -> str:
    def capital(word: re.Match[str]) -> str:
        mark, letters = word.groups()
        if mark and len(letters) <= 2 and word.start():  # "patient's", "they're": no new word
            return mark + letters.lower()
        return mark + letters[0].title() + letters[1:].lower()

    return _word.sub(capital, text)


def _digits(text: str) -> Result:
    return "".join(c for c in text if c in "0123456789") or Failure.NOT_IN_FORM


def _first_word(text: str) -> Result:
    words = text.split(maxsplit=1)
    return words[0] if words else Failure.NOT_IN_FORM


def _last4(text: str) -> Result:
    kept = [c for c in text if c.isalnum()]
    return "".join(kept[-4:]) if len(kept) > 4 else Failure.NOT_IN_FORM  # never the whole number


_phone = re.compile(r"[0-9+(][0-9().\- ]{5,30}")
_nanp = re.compile(r"\+1[2-9](?!11)[0-9]{2}[2-9](?!11)[0-9]{6}")
_abroad = re.compile(r"\+[2-9][0-9]{7,14}")


def _e164(text: str) -> Result:
    stripped = text.strip()
    if not _phone.fullmatch(stripped):
        return Failure.NOT_IN_FORM
    digits = "".join(c for c in stripped if c.isdecimal())
    if stripped.startswith("+"):
        number = f"+{digits}"
    else:
        number = f"+{digits}" if len(digits) == 11 and digits[0] == "1" else f"+1{digits}"
    return number if _nanp.fullmatch(number) or _abroad.fullmatch(number) else Failure.NOT_IN_FORM


_moment = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?"
    r" ?(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def _day(text: str) -> date | Failure:
    """The day as it is written: no time zone moves it."""
    found = _moment.fullmatch(text.strip())
    if found is None or not _is_time(found):
        return Failure.NOT_IN_FORM
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return Failure.NOT_IN_FORM


def _is_time(found: re.Match[str]) -> bool:
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    return hour < 24 and minute < 60 and second < 60


def _of_day(rule: Callable[[date], JsonValue]) -> Callable[[JsonValue], Result]:
    def checked(text: str) -> Result:
        day = _day(text)
        return day if isinstance(day, Failure) else rule(day)

    return _of_text(checked)


def _utc(text: str) -> Result:
    found, day = _moment.fullmatch(text.strip()), _day(text)
    if found is None or isinstance(day, Failure) or found[8] is None:
        return Failure.NOT_IN_FORM  # without an offset nobody knows which moment is meant
    sign, zone = -1 if found[8][0] == "-" else 1, "".join(c for c in found[8] if c.isdecimal()) or "0000"
    offset = sign * timedelta(hours=int(zone[:2]), minutes=int(zone[2:]))
    if abs(offset) >= timedelta(hours=24):
        return Failure.NOT_IN_FORM
    hour, minute, second = (int(found[n] or 0) for n in (4, 5, 6))
    moment = time(hour, minute, second, int((found[7] or "").ljust(6, "0")[:6]), timezone(offset))
    try:
        return datetime.combine(day, moment).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:  # the first or last day of the calendar
        return Failure.NOT_IN_FORM


_zip = re.compile(r"([0-9]{5})(?:[- ]?[0-9]{4})?")


def _zip5(text: str) -> Result:
    found = _zip.fullmatch(text.strip())
    return found[1] if found else Failure.NOT_IN_FORM


@lru_cache(maxsize=2)
def _codes(table: str) -> Mapping[str, str]:
    """Every way of writing a state or country, lower case, with its two-letter code."""
    places: dict[str, list[str]] = json.loads(Path(__file__).with_name("places.json").read_text("utf-8"))[
        table
    ]
    return {name.lower(): code for code, names in places.items() for name in (code, *names)}


def _code_in(table: str) -> Callable[[str], Result]:
    def code(text: str) -> Result:
        key = " ".join(text.replace(".", "").split()).lower()
        return _codes(table).get(key, Failure.NOT_IN_FORM)

    return code


def _yes_no(value: JsonValue) -> Result:
    return ("Yes" if value else "No") if isinstance(value, bool) else Failure.WRONG_TYPE


def _to_text(value: JsonValue) -> Result:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else Failure.WRONG_TYPE


_integer = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_amount = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def _to_integer(text: str) -> Result:
    return int(text) if _integer.fullmatch(text) else Failure.NOT_IN_FORM


def _to_decimal(value: JsonValue) -> Result:
    if not isinstance(value, int) or isinstance(value, bool):
        return Failure.WRONG_TYPE
    whole, rest = divmod(abs(value), 100)
    return f"{'-' if value < 0 else ''}{whole}.{rest:02d}"


def _to_minor(text: str) -> Result:
    found = _amount.fullmatch(text.strip())
    if found is None:
        return Failure.NOT_IN_FORM
    minor = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -minor if found[1] else minor


def _to_json(value: JsonValue) -> Result:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _declared(*transforms: Transform) -> Mapping[str, Transform]:
    return MappingProxyType({transform.name: transform for transform in transforms})


TRANSFORMS: Final = _declared(
    Transform("strip", "text", "text", "without white space at both ends", _of_text(str.strip)),
    Transform("lower", "text", "text", "in lower case", _of_text(str.lower)),
    Transform("upper", "text", "text", "in upper case", _of_text(str.upper)),
    Transform("title", "text", "text", "each word with a capital: Mary-Ann O'Neil", _of_text(_title)),
    Transform("digits", "text", "text", "only the digits 0-9", _of_text(_digits)),
    Transform("first_word", "text", "text", "up to the first white space", _of_text(_first_word)),
    Transform("last4", "text", "text", "last 4 letters or digits of more than 4", _of_text(_last4)),
    Transform("e164", "text", "text", "phone as +14155550101; US without a country code", _of_text(_e164)),
    Transform("year", "date or datetime", "integer", "the year as written", _of_day(lambda d: d.year)),
    Transform(
        "month", "date or datetime", "integer", "the month, 1 to 12, as written", _of_day(lambda d: d.month)
    ),
    Transform(
        "date", "date or datetime", "date", "the day as written, in its own offset", _of_day(date.isoformat)
    ),
    Transform("utc", "datetime with offset", "datetime", "the same moment in UTC", _of_text(_utc)),
    Transform(
        "us_state_code", "text", "text", "US state or territory as 2 letters", _of_text(_code_in("states"))
    ),
    Transform(
        "iso_country", "text", "text", "country as its ISO 3166 2 letters", _of_text(_code_in("countries"))
    ),
    Transform("zip5", "text", "text", "first 5 digits of a US ZIP code", _of_text(_zip5)),
    Transform("yes_no", "boolean", "text", "Yes or No", _yes_no),
    Transform("text", "integer or text", "text", "an integer written as text", _to_text),
    Transform(
        "integer", "text", "integer", "digits as an integer; leading zeros are refused", _of_text(_to_integer)
    ),
    Transform("int_minor_to_decimal", "integer", "text", "cents as an amount: 1250 is 12.50", _to_decimal),
    Transform(
        "decimal_to_int_minor", "text", "integer", "an amount as cents: 12.50 is 1250", _of_text(_to_minor)
    ),
    Transform("json", "any", "text", "the value as compact JSON, keys sorted", _to_json),
)
