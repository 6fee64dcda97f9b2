"""Open questions of an integration: what is asked of the practice, and how many entries each is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.plan import Sentences
from agent.refine import questions as asking
from flows.refine import words


@dataclass(frozen=True, slots=True)
class Open:
    """One question that nobody has answered. count: in words, "" where it was not counted."""

    number: str
    asks: str
    kind: str
    about: Sentences
    options: tuple[str, ...]
    count: str


def still_open(folder: Path) -> list[Open]:
    """The questions of an integration's folder that wait for the practice's answer in answers.md.

    Raises:
        RefineInvalid, InstructionsError: questions.md or answers.md cannot be used.
    """
    text = words.text(folder / asking.QUESTIONS_FILE)
    asked, counts = asking.parsed(text), asking.counts(text)
    place = folder / asking.ANSWERS_FILE
    answered = asking.answers(words.text(place), [one.number for one in asked], str(place))
    return [
        Open(one.number, one.asks, one.kind, one.about, one.options, counts.get(one.number, ""))
        for one in asked
        if one.state == "open" and one.number not in answered
    ]


def lines(found: list[Open], folder: Path) -> Iterator[str]:
    """The same as text."""
    if not found:
        yield "every question is answered"
    for one in found:
        about = f" (about {' '.join(one.about)})" if one.about else ""
        yield f"{one.number}. {one.asks}{about}{f' {one.count}' if one.count else ''}"
        yield from (f"   {chr(97 + at)}. {option}" for at, option in enumerate(one.options))
    if found:
        label = f"{folder.parent.name}/{folder.name}"
        yield f"answer in {folder / asking.ANSWERS_FILE}, then: ferry refine {label}"
