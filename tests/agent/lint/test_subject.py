"""What lint reads: lines of sentences, what is quoted, and any text without failing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.instructions import Instructions, Sentence
from agent.lint import lint
from agent.lint.phrases import phrases
from agent.lint.subject import Subject
from agent.lint.words import Reading
from agent.manifest import Manifest
from agent.policy import Policy
from connectors.healthie.fields import catalogue
from tests.agent.lint.world import Case

WORDS = (
    "patient", "archived", "without", "status", "phone", "e-mail", '"active"', '"minor"', "`phone`",
    "below 18 years", "if", "else", "is", "gets", "the", "left alone", "emptied", "as it is", "recently", ",",
    ";", ".", ":", "→", "|", "(", ")", "no", "and", "or", "whose", "18 to 64", "$200", "“", "”", "'", "İ",
    "session notes", "all data",
)  # fmt: skip


def subject(text: str) -> Subject:
    instructions = Instructions.parse(text)
    policy = Policy(operations={}, sentences=instructions.numbers, categories={}, by="program")
    return Subject(instructions, Manifest({"S1": ("active",)}), policy, {}, catalogue())


def test_a_sentence_is_found_at_its_line_however_it_is_written() -> None:
    sentences = [f"S{at}. Rule {at}." for at in range(4, 13)]
    text = "# Title\n\nS1. One.\n\n- S2. Two\n  goes on.\n\n**S3** Three.\n" + "\n".join(sentences)

    lines = subject(text).lines

    assert lines == {"S1": 3, "S2": 5, "S3": 8} | {f"S{at}": at + 5 for at in range(4, 13)}


def test_a_retired_sentence_is_not_linted() -> None:
    assert [one.number for one in subject("S1. One.\n\nS2. Retired.\n\nS3. Three.").readings] == ["S1", "S3"]


def test_what_is_quoted_is_apart_from_the_words() -> None:
    reading = Reading.of(
        Sentence(number="S1", text="The patient's tag is \"Soon\", 'later' or `asap`; done.")
    )

    assert [(one.value, one.code) for one in reading.quoted] == [
        ("Soon", False),
        ("later", False),
        ("asap", True),
    ]
    assert not any(word in reading.plain for word in ("soon", "later", "asap"))
    assert len(reading.plain) == len(reading.text)
    assert len(reading.statements) == 2


def test_phrases_are_alternatives_options_endings_and_groups() -> None:
    pattern = phrases("""
        large/high open? <thing>
        diagnos*
        as_needed
        ^skip
        blank$
    """)

    for text in (
        "a high open balance",
        "large amounts",
        "the diagnosis",
        "write as needed",
        "skip it",
        "is blank.",
    ):
        assert pattern.search(text), text
    for text in (
        "the high road",
        "largely amounts",
        "as is needed",
        "do not skipper",
        "to skip it",
        "blank it out",
    ):
        assert not pattern.search(text), text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=25), min_size=1, max_size=4))
def test_no_sentence_is_too_odd(sentences: list[list[str]]) -> None:
    text = "\n".join("Rule " + " ".join(words) for words in sentences)

    found = Case("prose", text, "status phone email age_group").found()

    assert {one.sentence for one in found} <= {f"S{at + 1}" for at in range(len(sentences) + 1)}
    assert all(one.what and one.todo and (one.line or one.place) for one in found)


def test_lint_finds_the_same_twice() -> None:
    case = Case("prose", 'Patients seen recently get the status "gone".\nSession notes decide.', "status")

    assert lint(case.subject()) == lint(case.subject()) != []
