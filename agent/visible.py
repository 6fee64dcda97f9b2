"""Text as it is shown to people and models: what does not print is seen, and not obeyed.

A terminal takes control characters for commands, a page puts right-to-left overrides into effect, and neither
shows what is invisible.
"""

import json
import re

from pydantic import JsonValue

# Letters and marks by their category, and yet nothing is seen of them: of Unicode's
# Default_Ignorable_Code_Point, and the blank of Braille.
BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str, besides: str = "") -> str:
    r"""The text as one line: control, bidi and invisible characters stand as escapes, such as \n and \u202e.

    besides: characters that stay as they are.
    """
    if text.isprintable() and (text.isascii() or not BLANK.search(text)):
        return text
    return "".join(c if c in besides or _is_seen(c) else json.dumps(c)[1:-1] for c in text)


def as_line(value: JsonValue) -> str:
    """A value as one line of JSON, visible as a whole."""
    return visible(json.dumps(value, ensure_ascii=False))


def _is_seen(c: str) -> bool:
    return c.isprintable() and not BLANK.match(c)
