"""Words of a model's own: plain prose or nothing, and nothing that other fields of the entry say.

This is a net below the grant, not a proof: a paraphrase passes. So free text is granted rarely, and to
fields that a person reads.
"""

import re
import unicodedata

from pydantic import JsonValue

from agent.grants import GrantedArgument
from agent.refusals import Code, RefusalError
from connectors.entry import Entry, leaves, without_positions

LENGTH_AT_MOST = 500  # characters
SHORTEST_WORD = 3  # a value of fewer letters and digits may occur in any text
SHORTEST_NUMBER = 5  # digits: shorter runs occur by chance
SHORTEST_RUN = 6  # letters and digits, however they are spaced
WORDS_TOLD_APART = 3  # values of at most so many words are also looked for word by word

_PUNCTUATION = frozenset(" .,;:!?'’\"-–—/()&%+$")
_LINKS = re.compile(r"//|www\.|[^\W_]\.[^\W\d_]|mailto:|\]\(", re.IGNORECASE)


def check_free_text(text: str, granted: GrantedArgument, entry: Entry) -> str:
    """The text without white space around it. Raises RefusalError if it may not be written."""
    text = text.strip(" ")
    if len(text) > LENGTH_AT_MOST:
        raise RefusalError(Code.FREE_TEXT_TOO_LONG, granted.where)
    if not is_plain(text):
        raise RefusalError(Code.FREE_TEXT_UNSAFE, granted.where)
    others = (value for path, value in leaves(entry) if without_positions(path) not in granted.sources)
    if any(says(text, value) for value in others):
        raise RefusalError(Code.FREE_TEXT_LEAKS, granted.where)
    return text


def is_plain(text: str) -> bool:
    """Letters, digits and a sentence's punctuation: no link, no markup, no formula, nothing that hides."""
    if not text or not text[0].isalnum() or unicodedata.normalize("NFKC", text) != text:
        return False
    return all(_is_ordinary(c) for c in text) and _LINKS.search(text) is None


def says(text: str, value: JsonValue) -> bool:
    """Whether a text repeats a value: as words, as a number, or letter by letter."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    spoken, wanted = _words(text), _words(str(value))
    few = len(wanted) <= WORDS_TOLD_APART and len("".join(wanted)) >= SHORTEST_WORD
    return (few and any(len(w) > SHORTEST_WORD and w in spoken for w in wanted)) or says_all(text, value)


def says_all(text: str, value: JsonValue) -> bool:
    """The same for the value as a whole: one of its words alone is not enough."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return False
    spoken, wanted = _words(text), _words(str(value))
    run = "".join(wanted)
    if len(run) < SHORTEST_WORD:
        return False
    if f" {' '.join(wanted)} " in f" {' '.join(spoken)} ":
        return True
    digits = "".join(c for c in run if c.isdigit())
    if len(digits) >= SHORTEST_NUMBER and digits in "".join(c for c in text if c.isdigit()):
        return True
    return len(run) >= SHORTEST_RUN and run in "".join(spoken)


def _is_ordinary(c: str) -> bool:
    return c in _PUNCTUATION or unicodedata.category(c) in ("Lu", "Ll", "Lo", "Mn", "Nd")


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c if c.isalnum() else " " for c in plain).split()
