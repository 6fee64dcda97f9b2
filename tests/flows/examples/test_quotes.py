"""What the examples' sentences quote was said: by the practice, or in one of its answers."""

import re

import pytest

from tests.flows.examples.integrations import DEPLOYMENTS, LABELS

ANSWER = re.compile(r"Answers? to (?:Q\d+(?: and )?)+: ")


def text(label: str, name: str) -> str:
    """A file's words on one line."""
    return " ".join((DEPLOYMENTS / label / name).read_text().split())


def quotes(label: str) -> list[str]:
    """Every quotation of the instructions, each on one line."""
    said = (DEPLOYMENTS / label / "instructions.md").read_text()
    found = re.findall(r"^>.*(?:\n>.*)*", said, re.MULTILINE)
    paragraphs = (part for one in found for part in re.split(r"\n>\s*\n", one))
    return [" ".join(re.sub(r"^> ?", "", one, flags=re.MULTILINE).split()) for one in paragraphs]


@pytest.mark.parametrize("label", LABELS)
def test_every_quotation_was_said(label: str) -> None:
    words, answers = text(label, "business-logic.md"), text(label, "answers.md")
    found = quotes(label)

    assert len(found) >= 10
    for one in found:
        if line := re.fullmatch(r"Line (\d)", one):
            assert f"| {line[1]} |" in words
            continue
        answered = ANSWER.sub("", one)
        said = answers if answered != one else words
        for part in re.split(r" ?\[…\] ?|; ", answered):
            assert part.rstrip(".") in said, one
