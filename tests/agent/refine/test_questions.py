"""questions.md is read as it was written; answers.md says what was answered, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.instructions import InstructionsError
from agent.refine.draft import Counting
from agent.refine.questions import Question, answers, merged, parsed, written

words = st.text("abc XYZ'.,?()-", min_size=1, max_size=30).map(lambda text: " ".join(text.split()) or "x")
asked = st.builds(
    Question,
    asks=words,
    about=st.lists(st.sampled_from(["S1", "S2", "S10"]), unique=True).map(tuple),
    kind=st.sampled_from(["gap", "vague", "contradiction"]),
    quote=words,
    options=st.lists(words, max_size=4).map(tuple),
    state=st.sampled_from(["open", "answered", "withdrawn"]),
)


@settings(deadline=None)
@given(st.lists(asked, max_size=4))
def test_what_is_written_is_read(questions: list[Question]) -> None:
    numbered = tuple(one.model_copy(update={"number": f"Q{at}"}) for at, one in enumerate(questions, 1))

    assert parsed(written(numbered)) == numbered


def test_counts_and_countings_are_written_and_not_read() -> None:
    counting = Counting(fields=("dob",), holds="bool(entry.get('dob'))")
    question = Question(number="Q1", asks="Who?", count="3 of all 7 patients.", counting=counting)

    text = written([question])

    assert "3 of all 7 patients.\n\n<!-- counted over dob: bool(entry.get('dob')) -->" in text
    assert parsed(text) == (Question(number="Q1", asks="Who?"),)


def test_answers_are_beside_their_numbers() -> None:
    text = (
        "# Answers\nQ9 is none\n\nQ1. b\n\n**Q2.** The one\nthat starts last.\n\n# Notes\nnot this\n\nQ3.\n"
    )

    assert answers(text, ["Q1", "Q2", "Q3"]) == {"Q1": "b", "Q2": "The one that starts last."}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Q1. a\nQ5. b\n", "answers.md:2: Q5 is no question; correct the number"),
        ("Q1. a\n\nQ1. b\n", "answers.md:3: Q1 is answered twice; keep one answer"),
    ],
)
def test_a_wrong_answer_is_told_at_its_line(text: str, told: str) -> None:
    with pytest.raises(InstructionsError) as error:
        answers(text, ["Q1"])

    assert str(error.value) == told


BEFORE = (
    Question(number="Q1", asks="Which policy?", options=("a", "b")),
    Question(number="Q2", asks="What is soon?", count="4 of all 9 patients."),
    Question(number="Q3", asks="Who is new?", state="withdrawn"),
)


def test_questions_keep_their_numbers_and_say_what_became_of_them() -> None:
    now = merged(BEFORE, [(Question(asks="A third thing?"), None)], {"Q1": "b"})

    assert [(one.number, one.asks, one.state) for one in now] == [
        ("Q1", "Which policy?", "answered"),
        ("Q2", "What is soon?", "withdrawn"),
        ("Q3", "Who is new?", "withdrawn"),
        ("Q4", "A third thing?", "open"),
    ]
    assert now[1].count == ""


def test_what_was_answered_is_not_asked_again() -> None:
    now = merged(
        BEFORE, [(Question(asks="Which policy?"), "Q1"), (Question(asks="Who is new?"), None)], {"Q1": "b"}
    )

    assert [(one.number, one.state) for one in now] == [
        ("Q1", "answered"),
        ("Q2", "withdrawn"),
        ("Q3", "open"),
    ]


def test_a_reworded_question_keeps_the_number_it_claims_unless_that_was_answered() -> None:
    again = [(Question(asks="How soon is soon?"), "Q2"), (Question(asks="Then which policy?"), "Q1")]

    now = merged(BEFORE, again, {"Q1": "b"})

    assert [(one.number, one.asks, one.state) for one in now] == [
        ("Q1", "Which policy?", "answered"),
        ("Q2", "How soon is soon?", "open"),
        ("Q3", "Who is new?", "withdrawn"),
        ("Q4", "Then which policy?", "open"),
    ]
