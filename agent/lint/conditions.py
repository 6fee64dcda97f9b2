"""Conditions in a form that can be compared: the words that say when, without those that only hold them together."""

import re
from collections.abc import Sequence

from agent.lint.topics import mention

SUBORDINATE = re.compile(r"\b(?:if|when|whenever|unless|once|in case|as long as|until)\b[^,]*(?:,|$)")

_SAME = (
    (r"\b(?:who|that) (?:are|is) (?:not|no longer) active\b|\binactive\b|\barchived?\b"
     r"|\bno longer active\b", " !active "),
    (r"\b(?:uninsured|not insured)\b", " !insurance "),
    (r"\binsured\b", " insurance "),
    (r"\b(?:minors?|children|child|kids?|underage)\b", " under 18 "),
    (r"\b(?:unpaid|outstanding|still open|not paid)\b", " open "),
    (r"\b(?:is|are|was|were) (?:missing|unknown|absent|blank|not (?:there|known|given|filled in)|empty"
     r"|null)\b", " not it "),
    (r"\b(?:missing|unknown|blank)\b", " not it "),
    (r"\b(?:lacks?|lacking|without|has no|have no|having no|with no|there is no|there are no|no)\b", " not "),
    (r"\b(?:don't|doesn't|isn't|aren't|wasn't|didn't|never|hasn't|haven't|neither|nor)\b", " not "),
    (r"\b(?:none|nothing|nobody)\b", " not it "),
    (r"\b(?:below|under|younger than|less than|fewer than)\b", " < "),
    (r"\b(?:at most|up to|no more than|not more than|within(?: the last)?|in the last)\b", " <= "),
    (r"\b(?:over|above|older than|more than|exceeding|exceeds?|greater than|longer than)\b", " > "),
    (r"\b(?:at least|from|no less than|not less than)\b(?= \$?\d)", " >= "),
    (r"\b(?:e-mail address|email address|e-mail|mail address)\b", " email "),
    (r"\b(?:phone number|telephone number|telephone|mobile number)\b", " phone "),
    (r"\b(?:date of birth|birth date|birthday)\b", " dob "),
    (r"\b(?:invoices?|bills?)\b", " invoice "),
    (r"\b(?:visits?|appointments?)\b", " visit "),
    (r"\b(?:tagged|tags?)\b", " tag "),
)  # fmt: skip
SAME = tuple((re.compile(pattern), to) for pattern, to in _SAME)
_EXCEPT = re.compile(
    r"\b(?:unless|except|but not|other than|apart from|even if|even though|nevertheless|anyway|still)\b"
)
_WHATEVER = re.compile(r",? ?\b(?:whatever|no matter|regardless of)\b[^,]*")
_OR = re.compile(r"\b(?:or|either)\b")
_WORD = re.compile(r"!?[a-z0-9_$<>=.%-]*[a-z0-9_<>=%]")
_ENDS_NOT = frozenset({"and", "or", "but", "with", "who", "whose", "then", ","})
_HOLDS = frozenset(
    "a an the this that these those of in on to at by for from as is are was were be been being has hav"
    "e had having it its "
    "one ones they them their he she his her him patient patients client clients person people record r"
    "ecords row rows entry "
    "entries every each all any if when whenever where who whose whom which with and or but then else o"
    "therwise also must "
    "should shall will can may do does did get gets there here such so only just always again now yet a"
    "lready year years "
    "whole table database list column field value s than in-case case is: => -> → given single go goes "
    "going sent send put written write kept keep copied listed made reads".split()
)


def condition(text: str, about: Sequence[str], *, whole: bool = False) -> tuple[frozenset[str], bool]:
    """The condition in a text whose verb is taken out, and whether a part of it says nothing by itself.

    Args:
        about: what the column acted on is called; "without a phone" is "!it" for the phone.
        whole: all of the text is condition, so a column's name in it is a part of that.
    """
    text = _WHATEVER.sub(" ", text)
    free = bool(_EXCEPT.search(text) or _OR.search(text))
    for pattern, to in SAME:
        text = pattern.sub(to, text)
    while about and (at := mention(text, about)):
        text = f"{text[: at[0]]} it {text[at[1] :]}"
    literals = frozenset(_literals(text))
    return literals if whole else literals - {"it"}, free


def _literals(text: str) -> list[str]:
    found, negated = [], False
    for word in re.findall(r",|[^\s,]+", text):
        word = _bare(word)  # noqa: PLW2901
        if word == "not":
            negated = True
        elif word == "it":
            found.append("!it" if negated else "it")
        elif word in _ENDS_NOT:
            negated = False
        elif word and word not in _HOLDS:
            found.append(_literal(_stem(word), negated=negated))
    return found


def _literal(word: str, *, negated: bool) -> str:
    """Not archived is active."""
    return f"!{word}".removeprefix("!!") if negated else word


def _bare(word: str) -> str:
    if word == ",":
        return word
    found = _WORD.search(word.removesuffix("'s").removesuffix("’s"))
    return found[0] if found else ""


def _stem(word: str) -> str:
    if word.startswith("q_"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return (
        word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word
    )
