"""What identifies a person: under `privacy: handles` none of it leaves to a model, whatever is revealed."""

import re

from connectors.entry import Category

PERSONS = frozenset({Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.CARE_TEAM})
"""Kinds of data that are a person's as a whole: names, birth date, record numbers, e-mail, phone, address."""

ANYTHING = frozenset({Category.CUSTOM, Category.FREE_TEXT})
"""Kinds of data in which anything may stand."""

NEVER_REVEALED = PERSONS | ANYTHING

WORDS = frozenset(
    [
        "id",
        "ids",
        "identifier",
        "first",
        "last",
        "mi",
        "middle",
        "maiden",
        "full",
        "legal",
        "preferred",
        "nick",
        "holder",
        "given",
        "family",
        "surname",
        "email",
        "mail",
        "phone",
        "mobile",
        "fax",
        "sms",
        "address",
        "street",
        "line1",
        "line2",
        "city",
        "zip",
        "postal",
        "location",
        "dob",
        "birth",
        "birthday",
        "ssn",
        "mrn",
        "npi",
        "num",
        "number",
        "card",
        "account",
        "member",
        "subscriber",
        "recipient",
        "sender",
        "url",
        "ip",
    ]
)
"""Words in the name of a field of any kind that make it an identifier: `holder_dob`, `num`, `stripe_id`."""

_word = re.compile(r"[a-z]+[0-9]*", re.ASCII)


def is_identifier(declared: str, category: Category | None) -> bool:
    """Whether the field at a declared path names, reaches or finds a person."""
    last = declared.rpartition(".")[2]
    return category in NEVER_REVEALED or not WORDS.isdisjoint(_word.findall(last.lower()))


def is_id(declared: str) -> bool:
    """Whether the field holds a record's id, of whatever kind."""
    last = declared.rpartition(".")[2]
    return last == "id" or last.endswith("_id")


class Unseen:
    """Values that may not be seen, to be found in texts that may: "Visit of Ana Silva" as a tag."""

    def __init__(self, values: list[str]) -> None:
        folded = {value.casefold().strip() for value in values}
        self._long = [value for value in folded if len(value) > 3]
        short = sorted(value for value in folded if len(value) == 3)
        alone = "|".join(re.escape(value) for value in short)
        self._short = re.compile(rf"(?<!\w)(?:{alone})(?!\w)") if short else None
        self._numbers = [number for value in folded if len(number := digits(value)) >= 7]

    def are_in(self, text: str) -> bool:
        folded = text.casefold()
        if any(value in folded for value in self._long) or (self._short and self._short.search(folded)):
            return True
        return bool(self._numbers) and any(number in digits(text) for number in self._numbers)


def digits(text: str) -> str:
    return "".join(c for c in text if c.isdecimal())
