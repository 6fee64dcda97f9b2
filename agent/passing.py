"""What a program's own text may not pass on: a value that its target may not receive.

Where `computed` is granted, an approved program writes what it makes. This is a net below that approval, no
proof: what is shortened, rewritten, counted or told by a constant passes, and so does a day alone.
"""

import re
from collections.abc import Iterator

from pydantic import JsonValue

from agent.free_text import says_all
from agent.grants import GrantedArgument
from agent.references import occurrences
from agent.refusals import Code, RefusalError
from connectors.entry import Entry, leaves, without_positions

_DAY = re.compile(r"\d{4}-\d\d-\d\d([T ].*)?")  # days are alike by chance, so a bare one tells nothing


def check_passed_on(made: JsonValue, granted: GrantedArgument, entry: Entry) -> None:
    """Raises RefusalError if it says what the target may not receive, and the argument's sources do not."""
    texts = [text for _, text in leaves({"": made}) if isinstance(text, str) and not _DAY.fullmatch(text)]
    if not texts:
        return
    kept = [value for path, value in leaves(entry) if granted.keeps_out(without_positions(path))]
    for text in texts:
        for value in kept:
            if says_all(text, value) and not any(says_all(str(own), value) for own in _own(granted, entry)):
                raise RefusalError(Code.COMPUTED_LEAKS, granted.where)


def _own(granted: GrantedArgument, entry: Entry) -> Iterator[JsonValue]:
    for path in granted.sources:
        yield from (value for _, value in occurrences(entry, path))
