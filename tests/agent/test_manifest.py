"""The manifest says what is read: a sentence that goes takes its fields along."""

import pytest
from pydantic import ValidationError

from agent.instructions import Instructions, InstructionsError
from agent.manifest import Manifest

READ = Manifest({"S1": ("active", "email"), "S2": ("last_name", "email"), "S3": ("dob",)})


def test_every_field_is_read_once_in_the_order_of_the_sentences() -> None:
    assert READ.paths == ("active", "email", "last_name", "dob")
    assert READ.sentences("email") == ("S1", "S2") and READ.sentences("phone") == ()


def test_a_sentence_that_goes_takes_along_what_no_other_needs() -> None:
    rest = Manifest({number: paths for number, paths in READ.root.items() if number != "S2"})

    assert rest.paths == ("active", "email", "dob")


@pytest.mark.parametrize("empty", [{}, {"S1": ()}])
def test_a_manifest_that_reads_nothing_is_refused(empty: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError, match="names no field"):
        Manifest(empty)


def test_a_retired_sentence_keeps_its_number_and_cannot_be_cited() -> None:
    text = "S1. Each patient is one row.\n\nS2. Retired.\n\nS3. Judgement: is it urgent?\n"
    read = Instructions.parse(text)

    assert read.numbers == ("S1", "S3")
    assert [one.judgement for one in read.sentences] == [False, False, True]
    program = 'def decide(entry, today):\n    return skip("S2", "gone")\n'
    with pytest.raises(InstructionsError, match="cites S2"):
        Instructions.parse(text, program)
