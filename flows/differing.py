"""Differences between two versions' decisions as lines: counts by sentence first, values only if asked."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from pydantic import JsonValue

from agent.difference import Difference, Side, by_sentence
from agent.instructions import Sentence
from agent.visible import as_line, visible
from connectors.entry import without_positions

Found = Mapping[str, tuple[Difference, ...]]  # by entry
NO_SENTENCE = "refused"


def counts(found: Found, sentences: tuple[Sentence, ...]) -> Iterator[str]:
    """For each sentence how many entries differ by it, and in what."""
    texts = {one.number: one.text for one in sentences}
    for sentence, ones in by_sentence(found).items():
        entries = len({entry for entry, _ in ones})
        text = texts.get(sentence, "not in this version" if sentence else "by one of the versions")
        word = "entry differs" if entries == 1 else "entries differ"
        yield f"{sentence or NO_SENTENCE}: {entries} {word}; {text}"
        for what, number in Counter(one.what for _, one in ones).most_common():
            yield f"  {number:>6}  {what}"


def each(found: Found, *, show: bool, at_most: int | None = None) -> Iterator[str]:
    """Every difference of each entry, those of the first entries only if there are more than `at_most`."""
    for entry, ones in list(found.items())[:at_most]:
        yield f"{entry}:"
        for one in ones:
            yield f"  {line(one, show=show)}"
    if at_most is not None and len(found) > at_most:
        yield f"and {len(found) - at_most} more entries: see all of them with --show"


def line(one: Difference, *, show: bool) -> str:
    """One difference: `warehouse_upsert_patients.email: <text> → null by S5`."""
    shown = show or one.kind == "word"
    sides = " → ".join(_side(side, shown=shown) for side in (one.before, one.after))
    return f"{one.what}: {sides} by {' '.join(one.because) or NO_SENTENCE}"


def _side(side: Side, *, shown: bool) -> str:
    if side.unset:
        return "not set"
    if shown:
        return clear(side.value)
    return masked(side.value)


def masked(value: JsonValue) -> str:
    """What kind of value there is, and nothing of it; null and empty are told apart."""
    if value is None:
        return "null"
    if value in ("", [], {}):
        return "empty"
    names = {str: "text", bool: "yes or no", int: "number", float: "number", list: "list", dict: "object"}
    return f"<{names[type(value)]}>"


def masked_path(path: str, names: Collection[str]) -> str:
    """A path of an entry without positions, and without a name that is none of these.

    names: those that the source gives, see `declared.names`. Others an entry gave itself, below a field of
    the practice's own, and they may be a patient's.
    """
    return ".".join(part if part in names else "<name>" for part in without_positions(path).split("."))


def clear(value: JsonValue) -> str:
    """A value as people read it: a text as it is, unless something of it would not be seen; else as JSON."""
    plain = isinstance(value, str) and value == visible(value)
    return value if isinstance(value, str) and plain else as_line(value)
