"""Instructions: numbered sentences, their version, their program, and one line for each mistake."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.instructions import Instructions, InstructionsError

TEXT = """# Warehouse

Some prose that explains.

S1. Send every active patient.
- **S2** Skip a patient who has not consented
  (`no_consent`), whatever else
  is said.
**S3.** Ask a person where S1 and S2 disagree (`Not A Code`).

More prose, about S3 and S12.

```
S4. This is an example, no rule.
```
<!-- S4. Nor is this. -->
* S4: Lower the address.
"""

PROGRAM = '''
def decide(entry, today):
    """Follows S1."""
    if not entry["consent"]:
        return skip("S2", f"{entry['first_name']}_x", "no_answer")
    return [crm_upsert_contact(because=["S1", "S4"])]
'''


def test_sentences_are_read_with_prose_around_them() -> None:
    found = Instructions.parse(TEXT)

    assert [(sentence.number, sentence.text) for sentence in found.sentences] == [
        ("S1", "Send every active patient."),
        ("S2", "Skip a patient who has not consented (`no_consent`), whatever else is said."),
        ("S3", "Ask a person where S1 and S2 disagree (`Not A Code`)."),
        ("S4", "Lower the address."),
    ]
    assert found.numbers == ("S1", "S2", "S3", "S4")


def test_a_quotation_below_a_sentence_is_no_part_of_it() -> None:
    found = Instructions.parse(
        "S1. Archive\nwho left.\n> S9. Please archive `them`\n\nS2. Skip.\n> why\n> not\n"
    )

    assert [sentence.text for sentence in found.sentences] == ["Archive who left.", "Skip."]
    assert found.reasons == ()


def test_cites_names_known_sentences_once_in_order() -> None:
    assert Instructions.parse(TEXT).cites("S3 and S1, not S12, XS2, S2x or S3") == ("S3", "S1")


def test_reasons_are_the_code_words_of_the_text_and_of_the_program_s_literals() -> None:
    assert Instructions.parse(TEXT).reasons == ("no_consent",)
    assert Instructions.parse(TEXT, PROGRAM).reasons == ("consent", "first_name", "no_answer", "no_consent")


def test_an_f_string_s_parts_are_no_reasons() -> None:
    program = "def decide(entry, today):\n    return skip('S1', f'said_{entry}_no')\n"

    assert Instructions.parse("S1. Skip.", program).reasons == ()


def test_a_folder_is_loaded_with_or_without_a_program(tmp_path: Path) -> None:
    (tmp_path / "instructions.md").write_text(TEXT, encoding="utf-8")
    alone = Instructions.load(tmp_path)
    (tmp_path / "program.py").write_bytes(PROGRAM.replace("\n", "\r\n").encode())
    both = Instructions.load(tmp_path)

    assert alone.program is None and alone.program_hash is None
    assert both.program == PROGRAM
    assert both.program_hash == hashlib.sha256(PROGRAM.encode()).hexdigest()
    assert both.version == alone.version == hashlib.sha256(TEXT.encode()).hexdigest()


@given(st.sampled_from(["\r\n", "\r", "\n", " \n", "\t\n"]), st.sampled_from(["", "\n\n", "  \n"]))
def test_line_ends_and_trailing_blanks_do_not_change_the_version(end: str, tail: str) -> None:
    assert Instructions.parse(TEXT.replace("\n", end) + tail).version == Instructions.parse(TEXT).version


def test_a_changed_word_changes_the_version_even_in_the_prose() -> None:
    versions = {
        Instructions.parse(text).version for text in (TEXT, TEXT.replace("prose", "words"), TEXT + "\nMore.")
    }

    assert len(versions) == 3


def test_composed_and_decomposed_accents_are_one_version() -> None:
    assert Instructions.parse("S1. Jose\u0301.").version == Instructions.parse("S1. José.").version


MISTAKES = [
    ("S1. a\nS1. b", "x/instructions.md:2: S1 appears twice; number each sentence once"),
    ("S1. a\n\nS3. b", "x/instructions.md:3: S3 where S2 was expected; number from S1 without gaps"),
    ("\n\nS2. a", "x/instructions.md:3: S2 where S1 was expected; number from S1 without gaps"),
    ("S01. a", "x/instructions.md:1: S01 where S1 was expected; number from S1 without gaps"),
    ("S0. a", "x/instructions.md:1: S0 where S1 was expected; number from S1 without gaps"),
    ("S1. a\nS2 b", "x/instructions.md:2: looks like a sentence; write it as `S2. …`"),
    ("S1. a\nЅ2. b", "x/instructions.md:2: looks like a sentence; write it as `S2. …`"),
    ("s1. a", "x/instructions.md:1: looks like a sentence; write it as `S1. …`"),
    ("S1.\n\nS2. b", "x/instructions.md: S1 says nothing; write the rule beside its number"),
    ("# nothing", "x/instructions.md: has no sentence; write each rule as `S1. …`"),
    ("", "x/instructions.md: has no sentence; write each rule as `S1. …`"),
    ("S1. a\nb\u202ec", "x/instructions.md:2: holds the invisible character U+202E; remove it"),
    ("S1. a\0", "x/instructions.md:1: holds the invisible character U+0000; remove it"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_each_mistake_has_its_file_its_line_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(InstructionsError) as raised:
        Instructions.parse(text, place="x/instructions.md")

    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("def decide(:", "program.py:1: is not Python; correct it there"),
        ("x = 1\ny = 'S9'", "program.py:2: cites S9, which instructions.md does not have; correct it"),
        ("x = 1  # \u202e", "program.py:1: holds the invisible character U+202E; remove it"),
    ],
)
def test_a_program_s_mistake_is_named_likewise(program: str, message: str) -> None:
    with pytest.raises(InstructionsError) as raised:
        Instructions.parse("S1. a", program)

    assert str(raised.value) == message


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InstructionsError, match=r"instructions\.md: cannot be read \(No such file"):
        Instructions.load(tmp_path)
    (tmp_path / "instructions.md").write_bytes(b"S1. a\nb \xff")
    with pytest.raises(InstructionsError, match=r"instructions\.md:2: is not UTF-8; save it as UTF-8"):
        Instructions.load(tmp_path)
    (tmp_path / "instructions.md").write_bytes(b"S1. " + b"a" * 200_000)
    with pytest.raises(InstructionsError, match="is larger than 200000 bytes; split the integration"):
        Instructions.load(tmp_path)
