"""A draft of sentences holds, or the model is told line by line why not."""

from typing import Any

import pytest

from agent.instructions import Instructions
from agent.refine.draft import DraftedSentences
from agent.refine.sentences import DraftProblems, Settled, head_of, settled
from tests.agent.desk import FIELDS

WORDS = "We want every patient in the list, with the e-mail\nin small letters. Call those who come soon."
KNOWN = {field.path: field for field in FIELDS}
BEFORE = Instructions.parse(
    "# Head\n\nS1. Every patient is a row.\n\nS2. Retired.\n\nS3. Nobody is called.\n"
)


def sentence(**changed: Any) -> dict[str, Any]:
    return {
        "rule": "Every patient is a row.",
        "quote": "every patient in the list",
        "fields": ["active"],
    } | changed


def question(**changed: Any) -> dict[str, Any]:
    given = {
        "asks": "What is soon?",
        "sentence": 1,
        "kind": "vague",
        "quote": "soon",
        "options": ["7 days", "30"],
    }
    return given | changed


def drafted(
    sentences: list[dict[str, Any]], questions: list[dict[str, Any]] | None = None, words: str = WORDS
) -> Settled:
    draft = DraftedSentences.model_validate({"sentences": sentences, "questions": questions or []})
    return settled(
        draft, before=BEFORE.sentences, words=[words], fields=KNOWN, head=head_of(BEFORE.text, "acme/x")
    )


def test_kept_reworded_new_and_retired() -> None:
    found = drafted(
        [
            sentence(
                rule="The e-mail is in small letters.", quote="the e-mail in small letters", fields=["email"]
            ),
            sentence(),
            sentence(
                rule="Those who come soon are called.",
                judgement=True,
                quote="Call those",
                fields=["next_visit"],
            ),
        ]
    )

    assert found.instructions.text == (
        "# Head\n\nS1. Every patient is a row.\n> every patient in the list\n\n"
        "S2. Retired.\n\nS3. Retired.\n\n"
        "S4. The e-mail is in small letters.\n> the e-mail in small letters\n\n"
        "S5. Judgement: Those who come soon are called.\n> Call those\n"
    )
    assert found.instructions.numbers == ("S1", "S4", "S5")
    assert found.instructions.sentences[-1].judgement
    assert dict(found.manifest.root) == {"S1": ("active",), "S4": ("email",), "S5": ("next_visit",)}


def test_a_question_is_about_the_sentence_under_its_number() -> None:
    found = drafted([sentence(rule="Call them."), sentence()], [question(keeps="Q4")])

    [(asked, claim)] = found.questions
    assert (asked.about, claim, asked.options) == (("S4",), "Q4", ("7 days", "30"))


PROBLEMS: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], str]] = {
    "none": ([], [], "there is no sentence"),
    "empty rule": ([sentence(rule="  ")], [], "sentence 1: a text is empty"),
    "long rule": ([sentence(rule="x" * 1001)], [], "sentence 1: a text is empty, or longer than 1000"),
    "numbered rule": ([sentence(rule="S1. Every patient.")], [], "sentence 1: a text begins with a number"),
    "bold number": ([sentence(rule="**S1** Every patient.")], [], "sentence 1: a text begins with a number"),
    "heading": ([sentence(rule="# Patients")], [], "sentence 1: a text holds markup"),
    "comment": ([sentence(rule="Every <!-- no --> patient.")], [], "sentence 1: a text holds markup"),
    "fence": ([sentence(rule="``` every patient")], [], "sentence 1: a text holds markup"),
    "hidden letter": ([sentence(rule="Every\u200b patient.")], [], "invisible character U+200B"),
    "retired": ([sentence(rule="Retired.")], [], "no sentence may only say"),
    "invented quote": (
        [sentence(quote="all of our clients")],
        [],
        "sentence 1: the quote is not in the practice's",
    ),
    "no quote": ([sentence(quote="")], [], "sentence 1: the quote is empty"),
    "no such field": (
        [sentence(fields=["emial"])],
        [],
        "emial is no field that may be read; did you mean email?",
    ),
    "no field": ([sentence(fields=[])], [], "no sentence names a field"),
    "keeps a retired one": ([sentence(keeps="S2")], [], "sentence 1: keeps S2, which is no present sentence"),
    "twice": ([sentence(), sentence()], [], "sentence 2: an earlier one says the same"),
    "keeps twice": (
        [sentence(keeps="S1"), sentence(rule="B.", keeps="S1")],
        [],
        "sentence 2: an earlier one",
    ),
    "about nothing": ([sentence()], [question(sentence=2)], "question 1: sentence 2 is not in your list"),
    "one option": ([sentence()], [question(options=["7", " 7 "])], "question 1: give two options or more"),
    "numbered question": (
        [sentence()],
        [question(asks="Q1. What?")],
        "question 1: a text begins with a number",
    ),
    "quote of a question": ([sentence()], [question(quote="later")], "question 1: the quote is not in"),
    "counting": (
        [sentence()],
        [question(counting={"fields": ["next_visit"], "holds": "entry['next_visitt']"})],
        "question 1: counting: ",
    ),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_does_not_hold_is_told(name: str) -> None:
    sentences, questions, told = PROBLEMS[name]

    with pytest.raises(DraftProblems) as problems:
        drafted(sentences, questions)

    assert any(told in line for line in problems.value.lines), problems.value.lines


def test_a_head_of_ones_own_is_kept() -> None:
    assert head_of("# Ours\n\nWith words.\n\n- **S1** First.\n", "acme/x") == "# Ours\n\nWith words.\n"
    assert head_of("", "acme/x").startswith("# acme/x\n")


def test_a_quote_is_as_the_practice_wrote_it() -> None:
    wrote = "We want every patient – “the list”"

    found = drafted([sentence(quote='we want every patient - "the list"')], words=f"Dear all. {wrote}.")

    assert f"> {wrote}\n" in found.instructions.text
