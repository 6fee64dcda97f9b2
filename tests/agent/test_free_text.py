"""A model's own words: prose passes, everything else and everybody's values do not."""

import pytest
from pydantic import JsonValue

from agent.free_text import is_plain, says


@pytest.mark.parametrize(
    "text",
    [
        "Asked to be called back.",
        "Moved; new address (see file) since 3 May",
        "Señora pidió ayuda: 50% off & more",
    ],
)
def test_prose_is_plain(text: str) -> None:
    assert is_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " lead", "=1+1", "+1", "-1", "@x", "see http://a.example", "see www.a", "a.example", "see //a"),
        *("mail x@a", "[a](b)", "![a", "<b>x</b>", "`x`", "*x*", "_x_", "# x", "a|b", "x {y}", "x\\y"),
        *("a\nb", "a\tb", "a\0", "a\u200bb", "a\u202eb", "ｆｕｌｌ", "a\U000e0041"),
    ],
)
def test_markup_links_formulas_and_hidden_characters_are_not(text: str) -> None:
    assert not is_plain(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Her name is CANARIO.", "Canario"),
        ("Born 1990 02 03", "1990-02-03"),
        ("Call 4 1 5 5 5 5 0 1 0 1", "(415) 555-0101"),
        ("C a n a r i o asked", "Canario"),
        ("ana at example, com", "ana@example.com"),
        ("lives in main street", "12 Main St"),
        ("id 900001", 900001),
        ("Jose\u0301 called", "José"),
    ],
)
def test_a_value_is_recognised_however_it_is_spaced(text: str, value: JsonValue) -> None:
    assert says(text, value)


@pytest.mark.parametrize("value", [None, True, "", "M", "TX", 1, 12, "-", [], {}])
def test_values_too_short_to_tell_do_not_count(value: JsonValue) -> None:
    assert not says("M TX 1 12 asked true none", value)
