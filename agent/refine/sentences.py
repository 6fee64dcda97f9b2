"""instructions.md and its fields, of a draft: one sentence a paragraph, numbers that stay, words quoted."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from string import ascii_lowercase, ascii_uppercase

from pydantic import ValidationError

from agent.instructions import JUDGEMENT, RETIRED, Instructions, InstructionsError, Sentence
from agent.manifest import Manifest
from agent.refine import counting
from agent.refine.disagreements import OPTIONS_AT_MOST
from agent.refine.draft import DraftedQuestion, DraftedSentence, DraftedSentences
from agent.refine.numbers import after, in_order, numbered
from agent.refine.questions import Question
from connectors.entry import EntryField

LENGTH_AT_MOST = 1_000  # characters of one sentence, quote or question
HEAD = """\
# {title}

Only the numbered sentences are rules; each plan cites those that it follows. Below each are the words that it
comes from. Words in backquotes are the reasons that a skip or a review may give.
"""

_NUMBERED = re.compile(r"\W*[SQ] ?[0-9]+\b")
_PLAIN = str.maketrans("’‘“”–—" + ascii_uppercase, "''\"\"--" + ascii_lowercase)  # one letter for one
_MARKUP = ("<!--", "-->", "```", "~~~")


@dataclass(frozen=True, slots=True)
class Settled:
    """A draft that holds: the sentences under their numbers, what they read, and what is asked."""

    instructions: Instructions
    manifest: Manifest
    questions: tuple[tuple[Question, str | None], ...]  # with the number that each claims to keep


class DraftProblems(ValueError):
    """A draft that does not hold. `lines`: what is to be put right, for the model."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


def settled(
    draft: DraftedSentences,
    *,
    before: Sequence[Sentence],
    words: Sequence[str],
    fields: Mapping[str, EntryField],
    head: str,
) -> Settled:
    """The draft under numbers that stay.

    Args:
        before: the present sentences. words: what may be quoted. fields: those that may be read.
        head: what stands before the sentences.

    Raises:
        DraftProblems: with a line for each thing that is wrong.
    """
    known = {sentence.number: sentence.text for sentence in before if not sentence.retired}
    problems = [
        *_of_sentences(draft.sentences, known, words, fields),
        *_of_questions(draft, words, fields),
    ]
    if problems:
        raise DraftProblems(problems)
    texts = [_text(one) for one in draft.sentences]
    claims = [(text, one.keeps) for text, one in zip(texts, draft.sentences, strict=True)]
    numbers = numbered(known, claims, after("S", [one.number for one in before]))
    by_number = dict(zip(numbers, draft.sentences, strict=True))
    instructions = _parsed(head, by_number, before, words)
    return Settled(
        instructions=instructions,
        manifest=_manifest(by_number),
        questions=tuple((_question(one, numbers, words), one.keeps) for one in draft.questions),
    )


def line_of(words: str) -> str:
    """Words on one line."""
    return " ".join(words.split())


def head_of(text: str, title: str) -> str:
    """What stands before the first sentence of the present instructions; a new head without one."""
    lines: list[str] = []
    for line in text.splitlines():
        if re.match(r"\s*(?:[-*] +)?(?:\*\*)?S[0-9]", line):
            return "\n".join(lines).strip("\n") + "\n"
        lines.append(line.rstrip())
    return HEAD.format(title=title)


def _text(one: DraftedSentence) -> str:
    rule = line_of(one.rule).removeprefix(JUDGEMENT).strip()
    return f"{JUDGEMENT} {rule}" if one.judgement else rule


def _parsed(
    head: str, by_number: Mapping[str, DraftedSentence], before: Sequence[Sentence], words: Sequence[str]
) -> Instructions:
    parts, texts = [head], dict[str, str]()
    for number in in_order([*by_number, *(sentence.number for sentence in before)]):
        one = by_number.get(number)
        texts[number] = _text(one) if one else RETIRED
        parts.append(f"{number}. {texts[number]}\n")
        if one and (quote := _as_written(one.quote, words)):
            parts[-1] += f"> {quote}\n"
    try:
        found = Instructions.parse("\n".join(parts))
    except InstructionsError as error:
        raise DraftProblems([str(error)]) from None
    if {sentence.number: sentence.text for sentence in found.sentences} != texts:
        raise DraftProblems(["a rule cannot be written as one plain sentence; leave out markup"])
    return found


def _manifest(by_number: Mapping[str, DraftedSentence]) -> Manifest:
    read = {number: tuple(dict.fromkeys(by_number[number].fields)) for number in in_order(list(by_number))}
    try:
        return Manifest({number: paths for number, paths in read.items() if paths})
    except ValidationError:
        raise DraftProblems(["no sentence names a field; name for each those that it needs"]) from None


def _question(one: DraftedQuestion, numbers: Sequence[str], words: Sequence[str]) -> Question:
    return Question(
        asks=line_of(one.asks),
        about=(numbers[one.sentence - 1],),
        kind=one.kind,
        quote=_as_written(one.quote, words) or "",
        options=tuple(line_of(option) for option in one.options),
        counting=one.counting,
    )


def _of_sentences(
    sentences: Sequence[DraftedSentence],
    known: Mapping[str, str],
    words: Sequence[str],
    fields: Mapping[str, EntryField],
) -> list[str]:
    problems = [] if sentences else ["there is no sentence"]
    kept: set[str] = set()
    texts: set[str] = set()
    for at, one in enumerate(sentences, start=1):
        where = f"sentence {at}"
        problems += [f"{where}: {problem}" for problem in (*_plain(one.rule), *_quoted(one.quote, words))]
        problems += [f"{where}: {problem}" for problem in unknown(one.fields, fields)]
        if _text(one) == RETIRED:
            problems.append(f"{where}: no sentence may only say that it is retired; leave it out")
        if one.keeps is not None and one.keeps not in known:
            problems.append(f"{where}: keeps {one.keeps}, which is no present sentence")
        if one.keeps in kept or _text(one) in texts:
            problems.append(f"{where}: an earlier one says the same, or keeps the same number")
        kept |= {one.keeps} if one.keeps else set()
        texts.add(_text(one))
    return problems


def _of_questions(
    draft: DraftedSentences, words: Sequence[str], fields: Mapping[str, EntryField]
) -> list[str]:
    problems: list[str] = []
    for at, one in enumerate(draft.questions, start=1):
        found = [*_plain(one.asks), *_quoted(one.quote, words)]
        if not 1 <= one.sentence <= len(draft.sentences):
            found.append(f"sentence {one.sentence} is not in your list")
        if not 2 <= len({line_of(option) for option in one.options}) <= OPTIONS_AT_MOST:
            found.append("give two options or more, each once")
        found += [problem for option in one.options for problem in _plain(option)]
        if one.counting:
            found += counting.problems(one.counting, fields)
        problems += [f"question {at}: {problem}" for problem in found]
    return problems


def _plain(text: str) -> list[str]:
    line = line_of(text)
    if not line or len(line) > LENGTH_AT_MOST:
        return [f"a text is empty, or longer than {LENGTH_AT_MOST} characters"]
    if _NUMBERED.match(line):
        return ["a text begins with a number; numbers are given to it"]
    if line.startswith((">", "#")) or any(mark in line for mark in _MARKUP):
        return ["a text holds markup; write plain words"]
    return []


def _quoted(quote: str, words: Sequence[str]) -> list[str]:
    line = line_of(quote)
    if not line or len(line) > LENGTH_AT_MOST or any(mark in line for mark in _MARKUP):
        return ["the quote is empty, too long or holds a comment; copy a few plain words"]
    if _as_written(line, words) is None:
        return ["the quote is not in the practice's words; copy them exactly"]
    return []


def _as_written(quote: str, words: Sequence[str]) -> str | None:
    """The quoted words as the practice wrote them, if it did: models straighten marks and capitals."""
    wanted = line_of(quote).translate(_PLAIN)
    for text in map(line_of, words):
        at = text.translate(_PLAIN).find(wanted)
        if at >= 0:
            return text[at : at + len(wanted)]
    return None


def unknown(paths: Collection[str], fields: Mapping[str, EntryField]) -> list[str]:
    """A line for each path that may not be read."""
    lines: list[str] = []
    for path in paths:
        if path not in fields:
            near = get_close_matches(path, list(fields), 1)
            lines.append(f"{path} is no field that may be read{f'; did you mean {near[0]}?' if near else ''}")
    return lines
