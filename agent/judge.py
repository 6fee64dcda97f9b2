"""Judging: what a person or a model is asked where a sentence needs judgement, and what it is shown.

A program gives `about`; of that, a model sees only what the integration reveals of the entry: a value that
stands so in the entry at a revealed path, or a word that the program itself writes out. Everything else is
told as missing, null, empty or present.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue
from pydantic_ai.models import Model

from agent.case import Deciding
from agent.free_text import SHORTEST_WORD, WORDS_TOLD_APART, says
from agent.host import Asked
from agent.plan import Refused
from agent.prompt import HIDDEN, View
from agent.references import ABSENT, EMPTY, PRESENT, Exact, exact, handles, plain
from connectors.entry import Entry


class Judgements(Protocol):
    """What was judged before, so that nothing is asked twice. Any thread may call it."""

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        """The options that were chosen, by key, of those that were judged before."""
        ...

    def keep(self, key: str, sentence: str, option: str) -> str:
        """Remember an option; gives the one that counts from now on: the first that was kept."""
        ...


class NotKept:
    """Judgements where there is no ledger: everything is asked anew."""

    def find(self, keys: Sequence[str]) -> Mapping[str, str]:
        return {}

    def keep(self, key: str, sentence: str, option: str) -> str:
        return option


@dataclass(frozen=True, slots=True)
class Judging:
    """Who judges for a program, and who remembers it. `model` as for a model that decides."""

    model: str | Model
    judgements: Judgements = field(default_factory=NotKept)


class Judge(Protocol):
    """Who judges: see agent/judging.py."""

    def build(self) -> Any:
        """What is entered once in each process, and given back to `answer`."""
        ...

    async def answer(self, agent: Any, asked: Sequence[tuple[Deciding, Asked]]) -> list[str | Refused]:
        """One of the options for each question, in their order, or why there is none."""
        ...


def told(asked: Asked, entry: Entry, view: View, texts: Collection[str]) -> list[str]:
    """The lines that show to a model what a question is about. `texts`: those that the program writes out."""
    shown, unseen, names = _split(entry, view)
    lines = [(path, ABSENT) for path in asked.missing]
    lines += [(path, _shown(value, shown, unseen, texts)) for path, value in asked.about]
    known = names | set(texts)
    # a name that stands nowhere in the program is data, and may itself tell something
    return [f"{path}: {value}" for path, value in lines if _is_named(path, known)]


def _split(entry: Entry, view: View) -> tuple[set[Exact], list[JsonValue], set[str]]:
    """The entry's values that may be seen, those that may not, and the names on the way to the former."""
    shown: set[Exact] = set()
    unseen: list[JsonValue] = []
    names: set[str] = set()
    for handle, value in handles(entry):
        if view.visible(handle[1:]):
            names.update(handle[1:].split("."))
            shown.add(exact(value))
        elif not isinstance(value, bool) and value not in (None, "", [], {}):
            unseen.append(value)
    return shown, unseen, names


def _is_named(path: str, names: Collection[str]) -> bool:
    return path == "value" or all(part.isdecimal() or part in names for part in path.split("."))


def _shown(
    value: JsonValue, shown: Collection[Exact], unseen: Sequence[JsonValue], texts: Collection[str]
) -> str:
    if value in ("", [], {}):
        return EMPTY
    if value is None or isinstance(value, bool):
        return plain(value)
    if exact(value) not in shown and not (isinstance(value, str) and value in texts):
        return PRESENT
    if any(exact(value) == exact(other) for other in unseen):
        return PRESENT
    if not isinstance(value, str):
        return plain(value)
    text = _without(value, unseen)
    return PRESENT if any(says(text, other) for other in unseen) else plain(text)


def _without(text: str, unseen: Sequence[JsonValue]) -> str:
    """The text with what may not be seen taken out of it: whole values, and the words of short ones."""
    for other in sorted({one for value in unseen for one in _spoken(value)}, key=len, reverse=True):
        if other.casefold() not in text.casefold():
            continue  # most are not, and an expression takes longer
        text = re.sub(rf"(?<!\w){re.escape(other)}(?!\w)", HIDDEN, text, flags=re.IGNORECASE)
    return text


def _spoken(value: JsonValue) -> Iterator[str]:
    text = str(value)
    if len(text) < SHORTEST_WORD:
        return
    yield text
    words = re.findall(r"\w+", text)
    if len(words) <= WORDS_TOLD_APART:
        yield from (word for word in words if len(word) > SHORTEST_WORD)
