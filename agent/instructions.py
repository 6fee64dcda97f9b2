"""Instructions: the approved text of an integration, as numbered sentences, and its program if it has one.

    S1. Send every active patient to the warehouse.
    **S2** Skip a patient who has not consented (`no_consent`).

A sentence goes on until an empty line, a heading, a quotation or the next sentence. Headings and prose
around the sentences explain, and `> words` below one quotes what it comes from; only sentences are rules and
can be cited.

`S5. Judgement: …` is a sentence that a program may not settle alone: it asks `judge`. `S4. Retired.` keeps
the number of a sentence that is gone, so that the others keep theirs; it cannot be cited.
"""

import ast
import hashlib
import re
import unicodedata
from functools import cached_property
from pathlib import Path
from typing import Self

from agent import syntax
from agent.plan import Frozen, Sentences

TEXT_FILE = "instructions.md"
PROGRAM_FILE = "program.py"
JUDGEMENT = "Judgement:"
RETIRED = "Retired."
REASON = "judgement"  # of a review because a sentence needs judgement, and nobody is there to judge
SIZE_AT_MOST = 200_000  # bytes of one file

_SENTENCE = re.compile(
    r" {0,3}(?:[-*] +)?(?:S([0-9]+)[.:)]|\*\*S([0-9]+)[.:]?\*\*[.:]?)(?:\s+(.*))?", re.ASCII
)
_ALMOST = re.compile(
    r" {0,3}(?:[-*] +)?(?:\*\*)?[sSѕЅｓＳ] ?\d+\b"
)  # else it would be read as prose, silently
_BREAK = re.compile(r"\s*$|\s*(?:[#>]|```|~~~|---)", re.ASCII)
_FENCE = re.compile(r"\s*(```|~~~)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CITED = re.compile(r"(?<![A-Za-z0-9_])S[1-9][0-9]{0,3}(?![A-Za-z0-9_])", re.ASCII)
_CODE_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_QUOTED = re.compile(r"`([^`\n]{1,40})`")


class InstructionsError(ValueError):
    """Instructions that cannot be used. One line: file, line, what, what next."""


class Sentence(Frozen):
    """One rule: "S4" and what it says, on one line."""

    number: str
    text: str

    @property
    def judgement(self) -> bool:
        """Whether it asks for judgement, which a program leaves to `judge`."""
        return self.text.startswith(JUDGEMENT)

    @property
    def retired(self) -> bool:
        """Whether only its number is left."""
        return self.text == RETIRED


class Instructions(Frozen):
    """An approved text and, where it was compiled, its program. Equal texts have equal versions."""

    text: str
    sentences: tuple[Sentence, ...]
    program: str | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The instructions of an integration's folder: `instructions.md`, and `program.py` if it is there.

        Raises:
            InstructionsError: a file cannot be read, or its sentences are not numbered S1 to Sn.
        """
        text, program = folder / TEXT_FILE, folder / PROGRAM_FILE
        return cls.parse(
            _read(text),
            _read(program) if program.exists() else None,
            place=str(text),
            program_place=str(program),
        )

    @classmethod
    def parse(
        cls,
        text: str,
        program: str | None = None,
        *,
        place: str = TEXT_FILE,
        program_place: str = PROGRAM_FILE,
    ) -> Self:
        """The same from texts. `place` and `program_place` name them in errors."""
        normalised = _normalised(text, place)
        sentences = _sentences(normalised, place)
        source = None if program is None else _lines_only(program, program_place)
        found = cls(text=normalised, sentences=sentences, program=source)
        _check_program(found, program_place)
        return found

    @cached_property
    def numbers(self) -> Sentences:
        """What a plan may cite: ("S1", "S2", …), without the retired ones."""
        return tuple(sentence.number for sentence in self.sentences if not sentence.retired)

    @cached_property
    def judgement(self) -> Sentences:
        """Of these, the sentences that ask for judgement."""
        return tuple(sentence.number for sentence in self.sentences if sentence.judgement)

    @cached_property
    def version(self) -> str:
        """SHA-256 of the text. Line ends, trailing blanks and the way accents are encoded do not count."""
        return _sha256(self.text)

    @cached_property
    def program_hash(self) -> str | None:
        """SHA-256 of the program's source, None without one."""
        return None if self.program is None else _sha256(self.program)

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """The code words a plan may give as its reason, sorted: those in the program's own literals, those
        that a sentence writes in backquotes (`no_consent`), and that of a judgement nobody could make."""
        named = {REASON} if self.judgement else set[str]()
        named |= {word for sentence in self.sentences for word in _QUOTED.findall(sentence.text)}
        named |= {literal for literal, _ in _literals(self.program, PROGRAM_FILE)}
        return tuple(sorted(word for word in named if _CODE_WORD.fullmatch(word)))

    def cites(self, text: str) -> Sentences:
        """The sentences that a text names, each once, in the order in which it names them."""
        known = frozenset(self.numbers)
        return tuple(dict.fromkeys(number for number in _CITED.findall(text) if number in known))


def _read(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InstructionsError(f"{path}: cannot be read ({error.strerror}); put the file there") from None
    if len(content) > SIZE_AT_MOST:
        raise InstructionsError(f"{path}: is larger than {SIZE_AT_MOST} bytes; split the integration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InstructionsError(f"{path}:{line}: is not UTF-8; save it as UTF-8") from None


def _lines_only(text: str, place: str) -> str:
    """The text with one kind of line end. What a reader cannot see is refused."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    for at, line in enumerate(text.split("\n"), start=1):
        for c in line:
            if c != "\t" and unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
                raise InstructionsError(
                    f"{place}:{at}: holds the invisible character U+{ord(c):04X}; remove it"
                )
    return text


def _normalised(text: str, place: str) -> str:
    lines = unicodedata.normalize("NFC", _lines_only(text, place)).split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n") + "\n"


def _sentences(text: str, place: str) -> tuple[Sentence, ...]:
    visible = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    found: list[Sentence] = []
    open_, fenced = False, False
    for at, line in enumerate(visible.split("\n"), start=1):
        fenced ^= _FENCE.match(line) is not None
        begun = None if fenced else _SENTENCE.fullmatch(line)
        if begun:
            found.append(_next_sentence(begun, found, f"{place}:{at}"))
            open_ = True
        elif not fenced and _ALMOST.match(line):
            raise InstructionsError(
                f"{place}:{at}: looks like a sentence; write it as `S{len(found) + 1}. …`"
            )
        elif fenced or _BREAK.match(line):
            open_ = False
        elif open_:
            found[-1] = Sentence(number=found[-1].number, text=f"{found[-1].text} {line.strip()}".strip())
    if not found:
        raise InstructionsError(f"{place}: has no sentence; write each rule as `S1. …`")
    for sentence in found:
        if not sentence.text:
            raise InstructionsError(
                f"{place}: {sentence.number} says nothing; write the rule beside its number"
            )
    return tuple(found)


def _next_sentence(begun: re.Match[str], before: list[Sentence], place: str) -> Sentence:
    number, expected = f"S{begun[1] or begun[2]}", f"S{len(before) + 1}"
    if any(sentence.number == number for sentence in before):
        raise InstructionsError(f"{place}: {number} appears twice; number each sentence once")
    if number != expected:
        raise InstructionsError(
            f"{place}: {number} where {expected} was expected; number from S1 without gaps"
        )
    return Sentence(number=number, text=(begun[3] or "").strip())


def _check_program(instructions: Instructions, place: str) -> None:
    """A program may cite only sentences that there are."""
    for literal, line in _literals(instructions.program, place):
        if _CITED.fullmatch(literal) and literal not in instructions.numbers:
            raise InstructionsError(
                f"{place}:{line}: cites {literal}, which {TEXT_FILE} does not have; correct it"
            )


def _literals(program: str | None, place: str) -> list[tuple[str, int]]:
    """Every text that a program writes out whole, with its line; parts of an f-string are none."""
    if program is None:
        return []
    try:
        tree = syntax.program(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = error.lineno if isinstance(error, SyntaxError) and error.lineno else 1
        raise InstructionsError(f"{place}:{line}: is not Python; correct it there") from None
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    return [
        (node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
    ]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
