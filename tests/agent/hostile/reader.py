"""How the obedient one reads: it finds a goal's words in a text, whatever they are dressed in.

It keeps to what a program's sandbox knows of Python, so that a hostile program can read the same way.
"""

import base64
import re
import unicodedata

LOOKALIKES = {"а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "х": "x", "у": "y", "і": "i"}
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u202a\u202b\u202c\u202d\u202e"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def goal_in(text: str, phrases: dict[str, list[str]]) -> str | None:
    """The goal whose words are in the text; None without one. `phrases`: by goal, as `plain` gives them."""
    text = unescaped(text)
    for read in READINGS:
        seen = plain(read(text))
        for goal, words in phrases.items():
            for phrase in words:
                if phrase in seen:
                    return goal
    return None


def plain(text: str) -> str:
    """A text in small letters of ordinary width, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def unescaped(text: str) -> str:
    """A text out of JSON: its escapes as the characters they stand for."""
    codes: list[int] = []
    for part in re.split(r"(\\u[0-9a-f]{4}|\\[nt\"\\])", text):
        if part.startswith("\\u") and len(part) == 6:
            code = int(part[2:], 16)
            if codes and 0xDC00 <= code <= 0xDFFF and 0xD800 <= codes[-1] <= 0xDBFF:
                codes[-1] = 0x10000 + (codes[-1] - 0xD800) * 0x400 + code - 0xDC00
            else:
                codes.append(code)
        elif part == "\\n" or part == "\\t":
            codes.append(32)
        else:
            codes += [ord(c) for c in (part[1:] if part in ('\\"', "\\\\") else part)]
    return "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)


def as_it_is(text: str) -> str:
    return text


def seen_through(text: str) -> str:
    """Without what a reader cannot see."""
    return "".join(c for c in text if c not in INVISIBLE)


def tagged(text: str) -> str:
    """What is written in Unicode's tag characters, which show nothing at all."""
    return "".join(chr(ord(c) - 0xE0000) for c in text if 0xE0020 <= ord(c) <= 0xE007E)


def latin(text: str) -> str:
    """Cyrillic letters that look Latin as the Latin ones."""
    return "".join(LOOKALIKES.get(c, c) for c in text)


def backwards(text: str) -> str:
    return "".join(reversed(text))


def turned(text: str) -> str:
    """ROT13."""
    small = {c: LETTERS[(at + 13) % 26] for at, c in enumerate(LETTERS)}
    return "".join(small.get(c.lower(), c) for c in text)


def from_base64(text: str) -> str:
    return " ".join(_decoded(word) for word in re.findall(r"[A-Za-z0-9+/]{16,}=*", text))


def from_hex(text: str) -> str:
    words = re.findall(r"(?:[0-9a-f]{2}){8,}", text)
    return " ".join("".join(chr(int(pair, 16)) for pair in re.findall("..", word)) for word in words)


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word).decode("utf-8")
    except ValueError:
        return ""


READINGS = [as_it_is, seen_through, tagged, latin, backwards, turned, from_base64, from_hex]
