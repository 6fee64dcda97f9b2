"""questions.md and answers.md: what is asked of the practice, and what it answered.

    ## Q1. Which policy counts if two of them are primary?

    About S8 (gap).

    > Insurance: who is the primary payer

    - a. the one that starts last
    - b. a person looks at them

    37 of the 500 patients that were looked at.

A question keeps its number for ever: it is open, answered, or withdrawn. In answers.md, which nobody but the
practice writes, `Q1. b` or `Q1. words of their own` answers it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from agent.instructions import InstructionsError
from agent.plan import Frozen, Sentences
from agent.refine.draft import Counting
from agent.refine.numbers import after, in_order, numbered

QUESTIONS_FILE = "questions.md"
ANSWERS_FILE = "answers.md"
HEAD = """\
# Questions

Answer each in answers.md, beside its number: with a letter, or in your own words. Then refine again.
"""
ANSWERS_HEAD = """\
# Answers

Write beside each number of questions.md a letter, or your own words. Nobody but you writes in this file.
"""
DIFFERENCE = "difference"
REVIEW = "review"
FROM_ENTRIES = frozenset({DIFFERENCE, REVIEW})
"""Kinds of questions that entries brought up: told to no model before a person has answered them."""
STATES = {"Answered in answers.md.": "answered", "Withdrawn.": "withdrawn"}

_HEADING = re.compile(r"## (Q[1-9][0-9]{0,3})\. (.+)", re.ASCII)
_ABOUT = re.compile(r"About ((?:S[0-9]+,? ?)*)\(([a-z]+)\)\.", re.ASCII)
_OPTION = re.compile(r"- [a-z]\. (.+)")
_ANSWER = re.compile(r"\s{0,3}(?:[-*] +)?(?:\*\*)?(Q[0-9]+)(?:\*\*)?[.:)](?:\*\*)?(?:\s+(.*))?", re.ASCII)


class Question(Frozen):
    """One question. `count`: in words, how many entries it is about; it is told to no model.

    kind: contradiction, gap or vague, as the model says; DIFFERENCE where programs or examples disagree;
    REVIEW of what a reviewer found wrong, which stays open until it is answered.
    """

    number: str = ""
    asks: str
    about: Sentences = ()
    kind: str = "gap"
    quote: str = ""
    options: tuple[str, ...] = ()
    counting: Counting | None = None
    count: str = ""
    state: Literal["open", "answered", "withdrawn"] = "open"


_NO_QUESTION = Question(asks="")


def parsed(text: str) -> tuple[Question, ...]:
    """The questions of a questions.md, in order. What is in no question is left out, and so are counts."""
    found: list[Question] = []
    for line in text.splitlines():
        if heading := _HEADING.fullmatch(line.rstrip()):
            found.append(Question(number=heading[1], asks=heading[2]))
        elif found:
            found[-1] = found[-1].model_copy(update=_read(line.strip(), found[-1]))
    return tuple(found)


def _read(line: str, question: Question) -> dict[str, object]:
    if about := _ABOUT.fullmatch(line):
        return {"about": tuple(re.findall(r"S[0-9]+", about[1])), "kind": about[2]}
    if option := _OPTION.fullmatch(line):
        return {"options": (*question.options, option[1])}
    if line.startswith("> "):
        return {"quote": line[2:]}
    return {"state": STATES[line]} if line in STATES else {}


def written(questions: Sequence[Question]) -> str:
    """The text of questions.md."""
    return "\n".join([HEAD, *(_written(question) for question in questions)])


def counts(text: str) -> dict[str, str]:
    """In words, how many entries each open question is about, by the question's number."""
    found: dict[str, str] = {}
    number = ""
    for line in (one.strip() for one in text.splitlines()):
        if heading := _HEADING.fullmatch(line):
            number = heading[1]
        elif number and line and not line.startswith("<!--") and not _read(line, _NO_QUESTION):
            found[number] = line
    return found


def added(text: str, question: Question) -> tuple[str, str]:
    """The text of questions.md with one question more, and that one's number. One that is open stays one."""
    before = parsed(text)
    for one in before:
        if one.state == "open" and one.asks == question.asks:
            return text, one.number
    number = after("Q", [one.number for one in before])
    mine = _written(question.model_copy(update={"number": number}))
    return f"{(text or HEAD).rstrip()}\n\n{mine}", number


def _written(question: Question) -> str:
    said = " ".join(question.about)
    lines = [
        f"## {question.number}. {question.asks}",
        f"About {said} ({question.kind})." if said else f"About ({question.kind}).",
    ]
    if question.quote:
        lines.append(f"> {question.quote}")
    lines.append("\n".join(f"- {chr(97 + at)}. {text}" for at, text in enumerate(question.options)))
    if question.state != "open":
        lines += [line for line, state in STATES.items() if state == question.state]
    elif question.count:
        lines.append(question.count)
    if question.state == "open" and question.counting:
        read = ", ".join(question.counting.fields)
        lines.append(f"<!-- counted over {read}: {question.counting.holds} -->")
    return "\n\n".join(lines) + "\n"


def answers(text: str, known: Sequence[str], place: str = ANSWERS_FILE) -> dict[str, str]:
    """What was answered, by the question's number; a number with nothing beside it is no answer yet.

    Raises:
        InstructionsError: a number that is no question's, or that appears twice.
    """
    found: dict[str, str] = {}
    open_ = ""
    for at, line in enumerate(text.splitlines(), start=1):
        begun = _ANSWER.fullmatch(line)
        if begun:
            open_ = begun[1]
            if open_ not in known:
                raise InstructionsError(f"{place}:{at}: {open_} is no question; correct the number")
            if open_ in found:
                raise InstructionsError(f"{place}:{at}: {open_} is answered twice; keep one answer")
            found[open_] = (begun[2] or "").strip()
        elif line.startswith("#"):
            open_ = ""
        elif open_ and line.strip():
            found[open_] = f"{found[open_]} {line.strip()}".strip()
    return {number: words for number, words in found.items() if words}


def merged(
    before: Sequence[Question], asked: Sequence[tuple[Question, str | None]], answered: Mapping[str, str]
) -> tuple[Question, ...]:
    """All questions in the order of their numbers: those that are asked now, and those that were.

    Args:
        asked: each with the number that it claims to keep. One that was answered in these words is not
            asked again.
    """
    known = {question.number: question for question in before}
    settled = {known[number].asks for number in answered if number in known}
    new = [(question, claim) for question, claim in asked if question.asks not in settled]
    texts = {number: one.asks for number, one in known.items() if number not in answered}
    numbers = numbered(texts, [(one.asks, claim) for one, claim in new], after("Q", list(known)))
    now = {
        number: question.model_copy(update={"number": number, "state": "open"})
        for number, (question, _) in zip(numbers, new, strict=True)
    }
    for number, question in known.items():
        if number not in now:
            left = "open" if question.kind == REVIEW else "withdrawn"
            state = "answered" if number in answered else left
            now[number] = question.model_copy(update={"state": state, "count": "", "counting": None})
    return tuple(now[number] for number in in_order(list(now)))
