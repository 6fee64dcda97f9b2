"""The rules of the declared transforms that read one value by itself: texts, numbers, places.

Each is pure and total: the same value always gives the same value, or a `Failure` that says nothing of it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from pathlib import Path

from pydantic import JsonValue

TEXT_AT_MOST = 100_000  # characters of a text that is transformed
PARTS_AT_MOST = 200  # texts that are joined


class Failure(Enum):
    """Why a transform gave no value."""

    MISSING = "missing"
    UNKNOWN_TRANSFORM = "unknown_transform"
    WRONG_TYPE = "wrong_type"
    NOT_IN_FORM = "not_in_form"
    TOO_LONG = "too_long"


Result = JsonValue | Failure


@dataclass(frozen=True, slots=True)
class When:
    """The day that a decision is made on, and the zone that the practice lives in."""

    today: date
    timezone: str = "UTC"  # an IANA name


Rule = Callable[[JsonValue, When], Result]


def of_text(rule: Callable[[str], Result]) -> Rule:
    """A rule for texts that refuses every other type and texts beyond `TEXT_AT_MOST`."""
    return of_text_when(lambda text, _: rule(text))


def of_text_when(rule: Callable[[str, When], Result]) -> Rule:
    """The same for a rule that depends on the day or the zone."""

    def checked(value: JsonValue, when: When) -> Result:
        if not isinstance(value, str):
            return Failure.WRONG_TYPE
        return rule(value, when) if len(value) <= TEXT_AT_MOST else Failure.TOO_LONG

    return checked


_word = re.compile(r"(['’]?)([^\W\d_]+)")


def title(text: str) -> str:
    def capital(word: re.Match[str]) -> str:
        mark, letters = word.groups()
        if mark and len(letters) <= 2 and word.start():  # "patient's", "they're": no new word
            return mark + letters.lower()
        return mark + letters[0].title() + letters[1:].lower()

    return _word.sub(capital, text)


def digits(text: str) -> Result:
    return "".join(c for c in text if c in "0123456789") or Failure.NOT_IN_FORM


def first_word(text: str) -> Result:
    words = text.split(maxsplit=1)
    return words[0] if words else Failure.NOT_IN_FORM


def first_letter(text: str) -> Result:
    return next((c for c in text if c.isalpha()), Failure.NOT_IN_FORM)


def joined(separator: str) -> Rule:
    """A rule for a list of texts. What is null or empty in it is left out, separator included."""

    def join(value: JsonValue, _: When) -> Result:
        if not isinstance(value, list) or len(value) > PARTS_AT_MOST:
            return Failure.WRONG_TYPE
        parts = [part for part in value if isinstance(part, str)]
        if len(parts) != sum(part is not None for part in value):
            return Failure.WRONG_TYPE
        if sum(map(len, parts)) > TEXT_AT_MOST:
            return Failure.TOO_LONG
        return separator.join(part for part in parts if part) if parts else None

    return join


def last4(text: str) -> Result:
    kept = [c for c in text if c.isalnum()]
    return "".join(kept[-4:]) if len(kept) > 4 else Failure.NOT_IN_FORM  # never the whole number


_phone = re.compile(r"[0-9+(][0-9().\- ]{5,30}")
_nanp = re.compile(r"\+1[2-9](?!11)[0-9]{2}[2-9](?!11)[0-9]{6}")
_abroad = re.compile(r"\+[2-9][0-9]{7,14}")


def e164(text: str) -> Result:
    stripped = text.strip()
    if not _phone.fullmatch(stripped):
        return Failure.NOT_IN_FORM
    digits = "".join(c for c in stripped if c.isdecimal())
    if stripped.startswith("+"):
        number = f"+{digits}"
    else:
        number = f"+{digits}" if len(digits) == 11 and digits[0] == "1" else f"+1{digits}"
    return number if _nanp.fullmatch(number) or _abroad.fullmatch(number) else Failure.NOT_IN_FORM


_zip = re.compile(r"([0-9]{5})(?:[- ]?[0-9]{4})?")


def zip5(text: str) -> Result:
    found = _zip.fullmatch(text.strip())
    return found[1] if found else Failure.NOT_IN_FORM


@lru_cache(maxsize=2)
def _codes(table: str) -> Mapping[str, str]:
    """Every way of writing a state or country, lower case, with its two-letter code."""
    places: dict[str, list[str]] = json.loads(Path(__file__).with_name("places.json").read_text("utf-8"))[
        table
    ]
    return {name.lower(): code for code, names in places.items() for name in (code, *names)}


def code_in(table: str) -> Callable[[str], Result]:
    def code(text: str) -> Result:
        key = " ".join(text.replace(".", "").split()).lower()
        return _codes(table).get(key, Failure.NOT_IN_FORM)

    return code


def yes_no(value: JsonValue, _: When) -> Result:
    return ("Yes" if value else "No") if isinstance(value, bool) else Failure.WRONG_TYPE


def as_text(value: JsonValue, _: When) -> Result:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else Failure.WRONG_TYPE


_integer = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_amount = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,2}))?")


def as_integer(text: str) -> Result:
    return int(text) if _integer.fullmatch(text) else Failure.NOT_IN_FORM


def cents_as_decimal(value: JsonValue, _: When) -> Result:
    if not isinstance(value, int) or isinstance(value, bool):
        return Failure.WRONG_TYPE
    whole, rest = divmod(abs(value), 100)
    return f"{'-' if value < 0 else ''}{whole}.{rest:02d}"


def cents_as_dollars(value: JsonValue, _: When) -> Result:
    if not isinstance(value, int) or isinstance(value, bool):
        return Failure.WRONG_TYPE
    whole, rest = divmod(abs(value), 100)
    return f"{'-' if value < 0 else ''}${whole:,}.{rest:02d}"


def decimal_as_cents(text: str) -> Result:
    found = _amount.fullmatch(text.strip())
    if found is None:
        return Failure.NOT_IN_FORM
    minor = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -minor if found[1] else minor


def as_json(value: JsonValue, _: When) -> Result:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
