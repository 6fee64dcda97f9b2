"""Unreachable: a sentence that never applies: its condition cannot hold, or another settles it before."""

import ast
import re
from collections.abc import Iterator
from itertools import pairwise

from agent import syntax
from agent.instructions import PROGRAM_FILE
from agent.lint.acts import Act, Deed, acts
from agent.lint.dead import dead
from agent.lint.ranges import ranges
from agent.lint.subject import Finding, Kind, Subject
from agent.lint.words import GAP, Statement

TAKES_ALL = frozenset({Deed.SKIP, Deed.REVIEW})
_EXCLUSIVE = (
    ("active", "archived"),
    ("active", "inactive"),
    ("insured", "uninsured"),
    ("adult", "minor"),
    ("minor", "senior"),
    ("adult", "child"),
)
_WHO_IS = r"(?:who|that) (?:is|are)(?: both| also)? (?:an? )?"
_WITHOUT = re.compile(r"\b(?:without|no) (?:an? |any )?(?P<what>[a-z-]{4,})(?=(?P<rest>.*))")
_HAS = r"(?:the|an?|has|has an?|with an?|with the)"
_AND = re.compile(r"\b(?:and|but|who|that)(?: also)?(?: is| are| at)? ?$")


def unreachable(subject: Subject) -> Iterator[Finding]:
    """The sentences that never apply."""
    found = {reading.number: list(acts(subject, reading)) for reading in subject.readings}
    earlier: list[Act] = []
    for reading in subject.readings:
        never = next((what for one in reading.statements if (what := _never(one))), "")
        taken = [one for act in found[reading.number] for one in earlier if _takes(one, act)]
        if never:
            todo = "correct the condition, or drop the sentence"
            yield subject.says(Kind.UNREACHABLE, reading, never, todo)
        elif taken:
            what = f"{taken[0].sentence} takes every such record before ({taken[0].deed})"
            yield subject.says(Kind.UNREACHABLE, reading, what, "drop it, or except it there")
        earlier += [act for act in found[reading.number] if act.deed in TAKES_ALL]
    yield from _program(subject, found)


def _takes(earlier: Act, act: Act) -> bool:
    """Whether all that an act is for went another way before: its condition is the same and more."""
    if earlier.free or act.free or not earlier.when or earlier.sentence == act.sentence:
        return False
    if earlier.when == act.when:
        return earlier.deed == act.deed
    return earlier.when < act.when and act.deed is not earlier.deed


def _never(statement: Statement) -> str:
    """Why the condition of a statement cannot hold."""
    text = statement.text
    if re.search(r"\b(?:or|nor|either|neither|unless|except|but not|not|no longer|else|otherwise)\b", text):
        text = re.split(r"[,;]", text)[0]
        if re.search(r"\b(?:or|nor|either|neither|unless|except|not|no longer)\b", text):
            return ""
    for pair in _EXCLUSIVE:
        for one, other in (pair, pair[::-1]):
            also = rf"{one} (?:and|but) (?:also )?(?:an? )?{other}\b"
            who = rf"\b{one}(?: patients?| clients?)? {_WHO_IS}{other}s?\b"
            if re.search(rf"{_WHO_IS}{also}|\ban? {also}|{who}", text):
                return f"nobody is {one} and {other} at once"
    return _denied(text) or _no_number(text)


def _denied(text: str) -> str:
    """Without an appointment whose appointment …"""
    for found in _WITHOUT.finditer(text):
        noun = re.escape(found["what"].rstrip("s"))
        if re.match(
            rf"(?:,? (?:who|that|it))?,? (?:whose|and (?:whose|{_HAS})) (?:\w+ ){{0,2}}?{noun}s?\b",
            found["rest"],
        ):
            return f"asks for {found['what']} where there is none"
    return ""


def _no_number(text: str) -> str:
    """Older than 65 and younger than 18: no number is both."""
    found = list(ranges(text))
    for first, second in pairwise(found):
        joined = _AND.search(text[first.at : second.at]) and GAP not in text[first.at : second.at]
        same = not (first.unit and second.unit) or first.unit == second.unit
        if joined and same and not first.meets(second) and first.open * second.open < 1:
            return "no number is in both of its ranges"
    return ""


def _program(subject: Subject, found: dict[str, list[Act]]) -> Iterator[Finding]:
    """Sentences that the program cites nowhere, or only where it never gets to."""
    source = subject.instructions.program
    if source is None or subject.policy.by != "program":
        return
    tree = syntax.program(source)
    cited, gone = _cited(tree, subject), dead(tree)
    for reading in subject.readings:
        lines = [line for number, line in cited if number == reading.number]
        if not lines and any(act.deed is not Deed.KEEP or act.when for act in found[reading.number]):
            yield subject.says(
                Kind.UNREACHABLE, reading, "is cited nowhere in the program", "cite it where it is followed"
            )
        elif lines and all(any(start <= line <= end for start, end in gone) for line in lines):
            what, todo = "is cited only where the program never gets to", "correct the branches before it"
            yield Finding(Kind.UNREACHABLE, reading.number, what, todo, PROGRAM_FILE, lines[0])


def _cited(tree: ast.Module, subject: Subject) -> list[tuple[str, int]]:
    numbers = frozenset(subject.instructions.numbers)
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in numbers
    ]
