"""A number belongs to what it stood beside: it is kept, or it is gone for ever."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.refine.numbers import after, in_order, numbered

BEFORE = {
    "S1": "Each patient is one row.",
    "S2": "The e-mail is written in small letters.",
    "S4": "City, state and ZIP are those of the location.",
}


def test_the_same_text_keeps_its_number_wherever_it_stands() -> None:
    drafted = [(text, None) for text in reversed(BEFORE.values())]

    assert numbered(BEFORE, drafted, "S5") == ["S4", "S2", "S1"]


def test_the_same_text_wins_over_a_claim() -> None:
    assert numbered(BEFORE, [("Something new.", "S1"), (BEFORE["S1"], "S2")], "S5") == ["S5", "S1"]


def test_a_reworded_one_keeps_the_number_it_claims_and_no_other() -> None:
    assert numbered(BEFORE, [("E-mails are lower case.", "S2"), ("Another.", "S9")], "S5") == ["S2", "S5"]
    assert numbered(BEFORE, [("One.", "S2"), ("Two.", "S2")], "S5") == ["S2", "S5"]


def test_what_goes_on_from_a_text_keeps_its_number_unasked() -> None:
    longer = "The e-mail is written in small letters; without one it is emptied."

    assert numbered(BEFORE, [(longer, None)], "S5") == ["S2"]


def test_another_rule_of_the_same_pattern_is_another_rule() -> None:
    assert numbered({"S1": "The city is emptied."}, [("The state is emptied.", None)], "S2") == ["S2"]


def test_a_number_that_was_used_is_not_used_again() -> None:
    assert after("S", ["S1", "S10", "S9"]) == "S11" and after("Q", []) == "Q1"
    assert in_order(["S10", "S2", "S2", "S1"]) == ["S1", "S2", "S10"]


texts = st.text("abcdefg hij.", min_size=1, max_size=40)
claims = st.none() | st.sampled_from(["S1", "S2", "S3", "S4", "S9"])


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["S1", "S2", "S3", "S4"]), texts), st.lists(st.tuples(texts, claims)))
def test_every_draft_gets_one_number_of_its_own(
    before: dict[str, str], drafted: list[tuple[str, str | None]]
) -> None:
    numbers = numbered(before, drafted, "S5")

    assert len(set(numbers)) == len(numbers) == len(drafted)
    kept = {text for number, text in before.items() if number in numbers}
    new = [number for number in numbers if number not in before]
    assert new == [f"S{5 + at}" for at in range(len(new))]
    for text, _ in drafted:
        assert text in kept or text not in before.values()
