"""What a practice wrote, before it is told to a model: readable, and without what identifies a patient."""

import re
import unicodedata
from pathlib import Path

from agent.instructions import SIZE_AT_MOST
from flows.errors import Spoken

UNSEEN = ("Cc", "Cf", "Co", "Cs")  # categories of characters; a text from a word processor has some
IDENTIFYING = {
    "an e-mail address": re.compile(r"[\w.+-]+@(?!example\.)[\w-]+\.[\w.-]+"),
    "a telephone number": re.compile(r"(?<![\d-])(?:\+?1[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}(?!\d)"),
    "a social security number": re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?!\d)"),
    "a number of a person's": re.compile(r"(?<!\d)\d{7,}(?!\d)"),
}


class RefineInvalid(Spoken):
    """Nothing can be refined there. One line."""


def text(path: Path) -> str:
    """A file's text, "" if it is not there.

    Raises:
        RefineInvalid: it cannot be read, or is too long.
    """
    try:
        found = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise RefineInvalid(f"{path}: cannot be read as UTF-8 text; put a readable file there") from None
    if len(found) > SIZE_AT_MOST:
        raise RefineInvalid(f"{path}: is longer than {SIZE_AT_MOST} characters; split the integration")
    return found


def told(path: Path) -> str:
    """A file's text as a model may be told it: without invisible characters, accents in one form.

    Raises:
        RefineInvalid: as `text`, or it holds what may be a patient's: that goes to no model.
    """
    found = unicodedata.normalize("NFC", text(path))
    found = "".join(c for c in found if c in "\n\t" or unicodedata.category(c) not in UNSEEN)
    for at, line in enumerate(found.split("\n"), start=1):
        for what, pattern in IDENTIFYING.items():
            if pattern.search(line):
                raise RefineInvalid(
                    f"{path}:{at}: holds {what}; it would go to the model: take it out, and write a "
                    "sentence that needs it by hand"
                )
    return found
