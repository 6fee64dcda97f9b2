"""What is in a model's request: the part that is always the same, the entry, and about how many tokens."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

PIECES = re.compile(r"[^\W\d_]+|\d{1,3}|[^\w\s]+|_+|\s+(?=\s)|\n")
LETTERS = 5  # of a word, in one token: about what the vendors' own tokenizers take for English


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it went over the wire: the entry's text, and every byte around it."""

    entry: str
    around: bytes

    @classmethod
    def of(cls, body: bytes) -> "Request":
        """Raises ValueError if the last message is not the entry, told by itself."""
        messages = json.loads(body)["messages"]
        entry: str = messages[-1]["content"]
        told = json.dumps(entry, ensure_ascii=False).encode()
        if messages[-1]["role"] != "user" or body.count(told) != 1:
            raise ValueError("the entry is not the last message of the request")
        return cls(entry, body.replace(told, b""))

    @property
    def ahead(self) -> int:
        """Bytes that are the same for every entry."""
        return len(self.around)


def different(requests: Sequence[Request]) -> int:
    """How many different static parts there are: 1 where the provider may keep it."""
    return len({request.around for request in requests})


def tokens(text: str) -> int:
    """An estimate, for ratios: words in fives of letters, numbers in threes of digits, and marks."""
    return sum(-(-len(piece) // LETTERS) for piece in PIECES.findall(text))
