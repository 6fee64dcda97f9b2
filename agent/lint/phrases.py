"""Phrases as people write them down, one a line, so that a list of them can be read and added to.

large/small open? <thing>     one of large and small, perhaps open, a thing
diagnos*                      with any ending
as_needed/if_needed           _ stands for a space inside of an alternative
^delete                       only as the first word; delete$ only as the last
"""

import re

from agent.lint.words import NUMBER, SPAN, Q

GROUPS = {
    "number": f"(?:{NUMBER})",
    "span": SPAN,
    "quoted": Q,
    "word": r"[\w'’-]+",
    "words": r"[\w'’-]+(?: [\w'’-]+){0,3}",
    "det": "(?:the|their|his|her|its|our|every|each|all|an?)",
    "all": "(?:all|any|every|whatever|full|complete|entire|whole)",
    "is": "(?:is|are|be|gets?)",
    "patient": "(?:patient|client)s?",
    "record": "(?:rows?|records?|patients?|clients?|contacts?|entry|entries|tables?|them)",
    "thing": "(?:patient|client|visit|appointment|balance|amount|invoice|number|value|payment|name|time)s?",
    "visit": "(?:appointment|visit|session)s?",
    "person": "(?:a person|somebody|someone|a human|the team|the staff|the front desk|the office|staff)",
    "stays": "(?:left|leaves?|stays?|remains?|keeps?|kept)",
    "sends": "(?:sends?|sent|receives?|gets?)",
    "sent": "(?:sent|written|listed|included|carried|transferred|synced|exported|added|shared|copied)",
    "who": "(?:patients?|clients?|they|who|people|person|he|she|family|families|parents?|somebody|someone)",
    "wants": (
        "(?:(?:wants?|wish|wishes|hopes?|intends?|cares?|feels?|thinks?|believes?|understands?|likes?|dislikes?"
        "|enjoys?|trusts?|fears?|worry|worries|prefers?)(?: to)?|would like|plans? to"
        "|(?:no longer )?needs? (?:help|support|attention|care|us))"
    ),
    "by": (
        "(?:session|chart|charting|progress|visit|clinical|therapy|psychotherapy|treatment|provider|therapist"
        "|clinician|doctor|dietitian|nurse|soap|case|encounter|counsell?ing|counsell?or|appointment|intake"
        "|process|medical)(?:'s|’s|s')?"
    ),
}
_PART = re.compile(r"<(\w+)>")


def phrases(text: str) -> re.Pattern[str]:
    """A pattern that finds any of the phrases, in a text in lower case."""
    lines = (line.strip() for line in text.strip().split("\n"))
    return re.compile("|".join(_phrase(line) for line in lines if line))


def _phrase(line: str) -> str:
    words = line.removeprefix("^").removesuffix("$").split()
    found, begun = "", False
    for word in words:
        one = _word(word.removesuffix("?"))
        if word.endswith("?"):
            found += f"(?: {one})?" if begun else f"(?:{one} )?"
        else:
            found += f" {one}" if begun else one
            begun = True
    begins = r"^\W*" if line.startswith("^") else r"(?<![\w-])"
    ends = r"(?=\W*$)" if line.endswith("$") else r"(?![\w-])"
    return f"{begins}(?:{found}){ends}"


def _word(word: str) -> str:
    """A word or its alternatives: a/b."""
    return f"(?:{'|'.join(_alternative(one) for one in word.split('/'))})"


def _alternative(word: str) -> str:
    parts = _PART.split(word)
    plain = [re.escape(part).replace("_", " ").replace(r"\*", r"\w*") for part in parts[::2]]
    groups = [GROUPS[name] for name in parts[1::2]]
    return "".join(part for pair in zip(plain, [*groups, ""], strict=True) for part in pair)
