"""Transforms: what each gives, and that none ever raises or says why in the entry's words."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from agent.references import MISSING
from agent.transforms import EXAMPLE_DAY, TRANSFORMS, Failure, apply

EXAMPLES: list[tuple[str, JsonValue, JsonValue | Failure]] = [
    ("strip", "  Ana \n", "Ana"),
    ("strip", "   ", ""),
    ("lower", "ANA@Example.com", "ana@example.com"),
    ("upper", "tx", "TX"),
    ("title", "mary-ann o'neil", "Mary-Ann O'Neil"),
    ("title", "MARIA DE LA CRUZ", "Maria De La Cruz"),
    ("title", "the patient's home", "The Patient's Home"),
    ("digits", "(415) 555-0101", "4155550101"),
    ("digits", "none", Failure.NOT_IN_FORM),
    ("digits", "٤١٥", Failure.NOT_IN_FORM),
    ("first_word", " Ana Maria", "Ana"),
    ("first_word", " \t", Failure.NOT_IN_FORM),
    ("last4", "900-55-0199", "0199"),
    ("last4", "0199", Failure.NOT_IN_FORM),
    ("e164", "(415) 555-0101", "+14155550101"),
    ("e164", "1-415-555-0101", "+14155550101"),
    ("e164", " +1 415.555.0101 ", "+14155550101"),
    ("e164", "+44 20 7946 0018", "+442079460018"),
    ("e164", "+14155550101", "+14155550101"),
    ("e164", "415-555-0101 x12", Failure.NOT_IN_FORM),
    ("e164", "555-0101", Failure.NOT_IN_FORM),
    ("e164", "115 555 0101", Failure.NOT_IN_FORM),
    ("e164", "415 911 0101", Failure.NOT_IN_FORM),
    ("e164", "+1 115 555 0101", Failure.NOT_IN_FORM),
    ("e164", "٤١٥٥٥٥٠١٠١", Failure.NOT_IN_FORM),
    ("e164", 4155550101, Failure.WRONG_TYPE),
    ("year", "1990-02-03", 1990),
    ("year", "1990-02-30", Failure.NOT_IN_FORM),
    ("year", "02/03/1990", Failure.NOT_IN_FORM),
    ("month", "2026-01-30 12:15:00 -0700", 1),
    ("iso_date", "2026-01-30T23:15:00-07:00", "2026-01-30"),
    ("iso_date", "2026-01-30 23:15:00 -0700", "2026-01-30"),
    ("iso_date", "2026-01-30", "2026-01-30"),
    ("iso_date", "2026-01-30T25:00:00Z", Failure.NOT_IN_FORM),
    ("utc", "2026-01-30 23:15:00 -0700", "2026-01-31T06:15:00Z"),
    ("utc", "2026-01-30T23:15:00.5Z", "2026-01-30T23:15:00.500000Z"),
    ("utc", "2026-01-30T23:15:00", Failure.NOT_IN_FORM),
    ("utc", "2026-01-30T23:15:00+99:00", Failure.NOT_IN_FORM),
    ("utc", "0001-01-01T00:00:00+01:00", Failure.NOT_IN_FORM),
    ("us_state_code", "texas", "TX"),
    ("us_state_code", " New  York ", "NY"),
    ("us_state_code", "d.c.", "DC"),
    ("us_state_code", "Ontario", Failure.NOT_IN_FORM),
    ("iso_country", "USA", "US"),
    ("iso_country", "United States", "US"),
    ("iso_country", "côte d'ivoire", "CI"),
    ("iso_country", "gb", "GB"),
    ("iso_country", "Atlantis", Failure.NOT_IN_FORM),
    ("zip5", "94110-1234", "94110"),
    ("zip5", "941101234", "94110"),
    ("zip5", "9411", Failure.NOT_IN_FORM),
    ("yes_no", True, "Yes"),
    ("yes_no", False, "No"),
    ("yes_no", 1, Failure.WRONG_TYPE),
    ("text", 42, "42"),
    ("text", True, Failure.WRONG_TYPE),
    ("integer", "42", 42),
    ("integer", "007", Failure.NOT_IN_FORM),
    ("int_minor_to_decimal", 1250, "12.50"),
    ("int_minor_to_decimal", -5, "-0.05"),
    ("int_minor_to_decimal", True, Failure.WRONG_TYPE),
    ("decimal_to_int_minor", "12.5", 1250),
    ("decimal_to_int_minor", "-0.05", -5),
    ("decimal_to_int_minor", "12.505", Failure.NOT_IN_FORM),
    ("first_letter", "'t Hooft", "t"),
    ("first_letter", "42", Failure.NOT_IN_FORM),
    ("join_space", ["Ana", None, "", "Silva"], "Ana Silva"),
    ("join_space", [None, ""], ""),
    ("join_space", [None, None], None),
    ("join_space", "Ana", Failure.WRONG_TYPE),
    ("join_space", ["Ana", 7], Failure.WRONG_TYPE),
    ("join_comma", ["Ana", "Silva"], "Ana, Silva"),
    ("join_semicolon", ["Ana", "Silva"], "Ana; Silva"),
    ("join_comma", ["x"] * 201, Failure.WRONG_TYPE),
    ("age", "1990-03-02", 36),
    ("age", "1990-03-03", 35),
    ("age", "2026-03-02", 0),
    ("age", "2026-03-03", Failure.NOT_IN_FORM),
    ("age", 1990, Failure.WRONG_TYPE),
    ("age_band", "2020-01-01", "0-9"),
    ("age_band", "1936-03-03", "80-89"),
    ("age_band", "1936-03-02", "90+"),
    ("age_band", "1900-01-01", "90+"),
    ("age_band", "2030-01-01", Failure.NOT_IN_FORM),
    ("local_date", "2026-01-31T06:15:00Z", "2026-01-30"),
    ("local_date", "2026-07-31T06:59:00Z", "2026-07-30"),
    ("local_date", "2026-07-31T07:00:00Z", "2026-07-31"),
    ("local_date", "2026-01-31 01:15:00 -0500", "2026-01-30"),
    ("local_date", "2026-01-31", Failure.NOT_IN_FORM),
    ("local_date", "2026-01-31T06:15:00", Failure.NOT_IN_FORM),
    ("local_date", "0001-01-01T00:00:00Z", Failure.NOT_IN_FORM),
    ("dollars", 125000, "$1,250.00"),
    ("dollars", -5, "-$0.05"),
    ("dollars", True, Failure.WRONG_TYPE),
    ("json", {"b": [True, None], "a": "é"}, '{"a":"é","b":[true,null]}'),
]

names = st.sampled_from(sorted(TRANSFORMS))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text("0123456789+-() .:TZ"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(("name", "value", "expected"), EXAMPLES)
def test_each_gives_what_it_says(name: str, value: JsonValue, expected: JsonValue | Failure) -> None:
    result = apply((name,), value, EXAMPLE_DAY)

    assert (type(result), result) == (type(expected), expected)


def test_every_transform_has_an_example_of_success() -> None:
    assert {name for name, _, expected in EXAMPLES if not isinstance(expected, Failure)} == set(TRANSFORMS)


@settings(max_examples=600, deadline=None)
@given(st.lists(names, max_size=3), anything)
def test_none_raises_and_each_is_deterministic(chain: list[str], value: JsonValue) -> None:
    once, again = apply(tuple(chain), value, EXAMPLE_DAY), apply(tuple(chain), value, EXAMPLE_DAY)

    assert repr(once) == repr(again)
    assert isinstance(once, Failure) or json.dumps(once) == json.dumps(again)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_null_stays_null_empty_stays_empty_and_missing_is_a_failure(name: str) -> None:
    assert apply((name,), None, EXAMPLE_DAY) is None
    assert apply((name,), "", EXAMPLE_DAY) == ""
    assert apply((name,), MISSING, EXAMPLE_DAY) is Failure.MISSING


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_huge_and_deep_values_fail_in_bounded_time(name: str) -> None:
    deep: JsonValue = "x"
    for _ in range(5_000):
        deep = [deep]

    assert isinstance(apply((name,), deep, EXAMPLE_DAY), Failure)
    assert apply((name,), "1" * 2_000_000, EXAMPLE_DAY) is Failure.NOT_IN_FORM
    result = apply((name,), "1-" * 40_000 + "é", EXAMPLE_DAY)
    assert isinstance(result, (str, Failure))


def test_an_unknown_transform_is_a_failure() -> None:
    assert apply(("eval",), "1", EXAMPLE_DAY) is Failure.UNKNOWN_TRANSFORM
    assert apply(("__class__",), "1", EXAMPLE_DAY) is Failure.UNKNOWN_TRANSFORM


@pytest.mark.parametrize(
    "name", ["strip", "lower", "digits", "e164", "iso_date", "utc", "us_state_code", "zip5"]
)
@settings(max_examples=100, deadline=None)
@given(value=st.text("0123456789+-() .:TZaé", max_size=25))
def test_some_change_nothing_the_second_time(name: str, value: str) -> None:
    once = apply((name,), value, EXAMPLE_DAY)

    if not isinstance(once, Failure):
        assert apply((name,), once, EXAMPLE_DAY) == once


@given(st.integers(-(10**15), 10**15))
def test_cents_survive_the_round_trip(cents: int) -> None:
    assert apply(("int_minor_to_decimal", "decimal_to_int_minor"), cents, EXAMPLE_DAY) == cents


@given(st.integers(-(2**31), 2**32), st.integers(0, 999_999), st.integers(-14 * 60, 14 * 60))
def test_utc_is_the_same_moment(seconds: int, micros: int, minutes: int) -> None:
    aware = datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes))).replace(microsecond=micros)

    result = apply(("utc",), aware.isoformat(), EXAMPLE_DAY)

    assert isinstance(result, str)
    assert datetime.fromisoformat(result) == aware
    assert datetime.fromisoformat(result).tzinfo == UTC


@given(
    st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    st.sampled_from(["{}", "({}) ", "{}-", "+1{}", "1 {}."]),
)
def test_every_number_of_the_american_plan_is_read(number: str, area: str) -> None:
    result = apply(("e164",), area.format(number[:3]) + number[3:6] + "-" + number[6:], EXAMPLE_DAY)

    service = number[1:3] == "11" or number[4:6] == "11"
    assert result == (Failure.NOT_IN_FORM if service else f"+1{number}")


def test_there_are_249_countries_and_59_states_and_each_code_means_itself() -> None:
    upper = [a + b for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]

    assert sum(apply(("iso_country",), code, EXAMPLE_DAY) == code for code in upper) == 249
    assert sum(apply(("us_state_code",), code, EXAMPLE_DAY) == code for code in upper) == 59
