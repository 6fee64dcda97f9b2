"""Declared transforms: the closed list of ways in which an entry's value may be rewritten.

A model names them after a handle (`@phone|e164`), a program calls them by name (`e164(entry["phone"])`),
and the gate tries them to find where a program's value comes from: one implementation, in agent/rules.py.
Null stays null and "" stays "" through every transform; a missing value is a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue

from agent import rules, rules_of_days
from agent.references import MISSING, Missing, well_formed
from agent.rules import TEXT_AT_MOST, Failure, Result, Rule, When

__all__ = ["TEXT_AT_MOST", "TRANSFORMS", "Failure", "Transform", "When", "apply"]

TEXT, TEXTS, DAY = "text", "texts", "date or datetime"
MOMENT, CENTS = "datetime with offset", "integer, in cents"


@dataclass(frozen=True, slots=True)
class Transform:
    """One way to rewrite a value. `takes` and `gives` are for people and models, in JSON's words."""

    name: str
    takes: str
    gives: str
    summary: str
    rule: Rule
    example: tuple[JsonValue, JsonValue]  # what is given, what is made of it

    @property
    def joins(self) -> bool:
        """Whether it makes one value of several."""
        return self.takes == TEXTS


def apply(names: tuple[str, ...], value: JsonValue | Missing, when: When) -> Result:
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
        result = transform.rule(value, when)
        if isinstance(result, Failure):
            return result
        value = result
    return value


EXAMPLE_DAY: Final = When(date(2026, 3, 2), "America/Los_Angeles")
"""The day and the zone of the examples below."""


def _declared(*transforms: Transform) -> Mapping[str, Transform]:
    return MappingProxyType({transform.name: transform for transform in transforms})


def _text(name: str, summary: str, rule: Rule, given: str, made: JsonValue) -> Transform:
    return Transform(name, TEXT, "integer" if isinstance(made, int) else TEXT, summary, rule, (given, made))


def _day(name: str, summary: str, rule: Rule, given: str, made: JsonValue) -> Transform:
    gives = "integer" if isinstance(made, int) else "date" if made == given[: len("2026-01-30")] else TEXT
    return Transform(name, DAY, gives, summary, rule, (given, made))


def _join(name: str, summary: str, separator: str, made: str) -> Transform:
    return Transform(name, TEXTS, TEXT, summary, rules.joined(separator), (["Ana", None, "Silva"], made))


of_text = rules.of_text

TRANSFORMS: Final = _declared(
    _text("strip", "without white space at both ends", of_text(str.strip), " Ana ", "Ana"),
    _text("lower", "in lower case", of_text(str.lower), "Ana@Example.com", "ana@example.com"),
    _text("upper", "in upper case", of_text(str.upper), "tx", "TX"),
    _text("title", "each word with a capital", of_text(rules.title), "mary-ann o'neil", "Mary-Ann O'Neil"),
    _text("digits", "only the digits 0-9", of_text(rules.digits), "(415) 555-0101", "4155550101"),
    _text("first_word", "up to the first white space", of_text(rules.first_word), "Ana Maria", "Ana"),
    _text("first_letter", "the first letter, as written", of_text(rules.first_letter), "O'Neil", "O"),
    _text("last4", "last 4 letters or digits of more than 4", of_text(rules.last4), "900-55-0199", "0199"),
    _join("join_space", "the texts that are there, with a space between", " ", "Ana Silva"),
    _join("join_comma", "the texts that are there, with a comma and a space between", ", ", "Ana, Silva"),
    _join(
        "join_semicolon", "the texts that are there, with a semicolon and a space between", "; ", "Ana; Silva"
    ),
    _text(
        "e164",
        "phone with + and its country code; US without one",
        of_text(rules.e164),
        "(415) 555-0101",
        "+14155550101",
    ),
    _day("year", "the year as written", rules_of_days.of_day(lambda day: day.year), "1990-02-03", 1990),
    _day(
        "month",
        "the month, 1 to 12, as written",
        rules_of_days.of_day(lambda day: day.month),
        "1990-02-03",
        2,
    ),
    _day(
        "iso_date",
        "the day as written, in its own offset",
        rules_of_days.of_day(date.isoformat),
        "2026-01-30 23:15:00 -0700",
        "2026-01-30",
    ),
    _day(
        "age", "whole years on the run's day", rules_of_days.of_day_when(rules_of_days.age), "1990-03-03", 35
    ),
    _day(
        "age_band",
        "ten years of age on the run's day, 0-9 to 80-89; 90+",
        rules_of_days.of_day_when(rules_of_days.age_band),
        "1990-03-03",
        "30-39",
    ),
    Transform(
        "utc",
        MOMENT,
        "datetime",
        "the same moment in UTC",
        rules.of_text_when(rules_of_days.utc),
        ("2026-01-30T23:15:00-07:00", "2026-01-31T06:15:00Z"),
    ),
    Transform(
        "local_date",
        MOMENT,
        "date",
        "the day of the moment in the practice's time zone",
        rules.of_text_when(rules_of_days.local_date),
        ("2026-01-31T06:15:00Z", "2026-01-30"),
    ),
    _text(
        "us_state_code", "US state or territory as 2 letters", of_text(rules.code_in("states")), "Texas", "TX"
    ),
    _text(
        "iso_country", "country as its ISO 3166 2 letters", of_text(rules.code_in("countries")), "Chile", "CL"
    ),
    _text("zip5", "first 5 digits of a US ZIP code", of_text(rules.zip5), "94110-1234", "94110"),
    Transform("yes_no", "boolean", TEXT, "Yes or No", rules.yes_no, (True, "Yes")),
    Transform("text", "integer or text", TEXT, "an integer written as text", rules.as_text, (42, "42")),
    _text("integer", "digits as an integer; leading zeros are refused", of_text(rules.as_integer), "42", 42),
    Transform(
        "int_minor_to_decimal",
        CENTS,
        TEXT,
        "cents as a plain amount",
        rules.cents_as_decimal,
        (1250, "12.50"),
    ),
    _text("decimal_to_int_minor", "an amount as cents", of_text(rules.decimal_as_cents), "12.50", 1250),
    Transform("dollars", CENTS, TEXT, "cents as US dollars", rules.cents_as_dollars, (125000, "$1,250.00")),
    Transform(
        "json",
        "any",
        TEXT,
        "the value as compact JSON, keys sorted",
        rules.as_json,
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
    ),
)
