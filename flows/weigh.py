"""Weigh: one field that goes both ways, before it is written. Whose value stands? Pure; it knows no system.

Both sides are compared with what they last agreed on. What only one side edited is carried from there. What
both edited, or what was never agreed on and differs, is the owner's to say; a person's edit that goes under
all the same is told.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from pydantic import JsonValue

Owner = Literal["ours", "theirs", "newest", "person"]
Act = Literal["send", "same", "leave", "yield", "contest"]

PHONE = re.compile(r"phone|mobile|fax", re.IGNORECASE)
EMAIL = re.compile(r"e-?mail", re.IGNORECASE)
NUMBER = re.compile(r"[\d\s()+./-]{7,}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Weight:
    """What is known of one field on both sides.

    ours: our source's value is not the one that was agreed on. theirs: the same of the other system. first:
    nothing was ever agreed on. newer: whose entry was changed last; "" if that is not known.
    """

    owner: Owner
    same: bool
    ours: bool
    theirs: bool
    first: bool = False
    empty_there: bool = False
    newer: Literal["ours", "theirs", ""] = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done with the field.

    send: it is written. same: both have it already. leave: it stays as it is there. yield: theirs is newer,
    so the other direction carries it. contest: a person decides. `overwrites`: an edit there goes under.
    """

    act: Act
    overwrites: bool = False


def verdict(weight: Weight) -> Verdict:
    """Whose value stands."""
    if weight.same:
        return Verdict("same")
    if weight.owner == "ours":
        return Verdict("send", overwrites=weight.theirs)
    if weight.owner == "theirs":
        fills = weight.first and weight.empty_there and weight.ours
        return Verdict("send" if fills else "leave")
    if weight.ours and weight.theirs:
        return _both_edited(weight)
    return Verdict("send" if weight.ours else "leave")


def _both_edited(weight: Weight) -> Verdict:
    if weight.owner == "person" or not weight.newer:
        return Verdict("contest")
    return Verdict("send", overwrites=True) if weight.newer == "ours" else Verdict("yield")


def same(written: JsonValue, present: JsonValue) -> bool:
    """Equal values; numbers by their value, since a target may keep 1.50 as 1.5. "02139" is no number."""
    if written == present:
        return True
    if (
        isinstance(written, str)
        and isinstance(present, str)
        and not (_has_point(written) or _has_point(present))
    ):
        return False
    if isinstance(written, (int, float, str)) and isinstance(present, (int, float, str)):
        try:
            return Decimal(str(written)) == Decimal(str(present))
        except InvalidOperation:
            return False
    return False


def _has_point(text: str) -> bool:
    """A decimal number as text, which a target may write with other zeros at its end."""
    return "." in text


def alike(field: str, one: JsonValue, other: JsonValue) -> bool:
    """Is it the same value, however each system writes it?"""
    return folded(field, one) == folded(field, other)


def is_empty(value: JsonValue) -> bool:
    """Does a record hold nothing here? Where edits are looked for, no system tells null from ""."""
    return value is None or value == ""


def folded(field: str, value: JsonValue) -> str:
    """A value as it is compared: what a system changes by itself when it stores a value is no edit.

    That is the punctuation of a phone number, the case of an e-mail address, and an empty text for null.
    """
    if isinstance(value, str):
        value = _text(field, value)
    return json.dumps(None if is_empty(value) else value, sort_keys=True, ensure_ascii=True)


def _text(field: str, text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if EMAIL.search(field):
        return text.casefold()
    if PHONE.search(field) and NUMBER.fullmatch(text):
        digits = "".join(c for c in text if c.isdecimal())
        return digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
    return text
