"""Conditions in a form that can be compared: the words that say when, without those that join them."""

import re
from collections.abc import Sequence

from agent.lint.phrases import phrases
from agent.lint.topics import mention

SUBORDINATE = re.compile(r"\b(?:if|when|whenever|unless|once|in case|as long as|until)\b[^,]*(?:,|$)")

SAME = {
    "!active": phrases("""
        who/that is/are not/no_longer active
        inactive/archive/archived
        no longer active
    """),
    "!insurance": phrases("uninsured/not_insured"),
    "insurance": phrases("insured"),
    "under 18": phrases("minor/minors/child/children/kid/kids/underage"),
    "open": phrases("unpaid/outstanding/still_open/not_paid"),
    "not it": phrases("""
        is/are/was/were missing/unknown/absent/blank/empty/null/not_there/not_known/not_given/not_filled_in
        missing/unknown/blank/none/nothing/nobody
    """),
    "not": phrases("""
        lack/lacks/lacking/without/no/never/neither/nor
        has/have/having/with/there_is/there_are no
        don't/doesn't/isn't/aren't/wasn't/didn't/hasn't/haven't
    """),
    "<": phrases("below/under/younger_than/less_than/fewer_than"),
    "<=": phrases("at_most/up_to/no_more_than/not_more_than/within_the_last/within/in_the_last"),
    ">": phrases("over/above/older_than/more_than/exceeding/exceeds/greater_than/longer_than"),
    ">=": phrases("at_least/no_less_than/not_less_than"),
    "email": phrases("e-mail_address/email_address/e-mail/mail_address"),
    "phone": phrases("phone_number/telephone_number/telephone/mobile_number"),
    "dob": phrases("date_of_birth/birth_date/birthday"),
    "invoice": phrases("invoice/invoices/bill/bills"),
    "visit": phrases("visit/visits/appointment/appointments"),
    "tag": phrases("tag/tags/tagged"),
}
"""What is said in many ways, as one word."""

_EXCEPT = re.compile(
    r"\b(?:unless|except|but not|other than|apart from|even if|even though|nevertheless|anyway|still)\b"
)
_WHATEVER = re.compile(r",? ?\b(?:whatever|no matter|regardless of)\b[^,]*")
_OR = re.compile(r"\b(?:or|either)\b")
_WORD = re.compile(r"!?[a-z0-9_$<>=.%-]*[a-z0-9_<>=%]")
_ENDS_NOT = frozenset({"and", "or", "but", "with", "who", "whose", "then", ","})
_HOLDS = frozenset(
    """
    anyone anybody everyone everybody someone somebody a an the this that these those of in on to at by
    for from as is are was were be been being has have had having it its one ones they them their he she
    his her him patient patients client clients person people record records row rows entry entries
    every each all any if when whenever where who whose whom which with and or but then else otherwise
    also must should shall will can may do does did get gets there here such so only just always again
    now yet already year years whole table database list column field value s than in-case case is: =>
    -> → given single go goes going sent send put written write kept keep copied listed made reads
    """.split()  # noqa: SIM905  # as a list it would be a page
)


def condition(text: str, about: Sequence[str], *, whole: bool = False) -> tuple[frozenset[str], bool]:
    """The condition in a text whose verb is taken out, and whether a part of it says nothing by itself.

    Args:
        about: what the column acted on is called; "without a phone" is "!it" for the phone.
        whole: all of the text is condition, so a column's name in it is a part of that.
    """
    text = _WHATEVER.sub(" ", text)
    free = bool(_EXCEPT.search(text) or _OR.search(text))
    for to, pattern in SAME.items():
        text = pattern.sub(f" {to} ", text)
    while about and (at := mention(text, about)):
        text = f"{text[: at[0]]} it {text[at[1] :]}"
    literals = frozenset(_literals(text))
    return literals if whole else literals - {"it"}, free


def _literals(text: str) -> list[str]:
    found: list[str] = []
    negated = False
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
