"""Numbers that stay: what is kept, or reworded, keeps its number, and no number is used twice."""

from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

ALIKE = 0.9  # of two texts' letters; less, and two rules of one pattern would be taken for one
SHORTEST = 20  # letters of a text that another may go on from


def numbered(
    before: Mapping[str, str], drafted: Sequence[tuple[str, str | None]], first_new: str
) -> list[str]:
    """A number for each draft, in their order.

    Args:
        before: the text of each number that may be kept.
        drafted: each draft's text, and the number that it claims to keep.
        first_new: the first number that nobody had: "S5".
    """
    found: dict[int, str] = {}
    left = dict(before)
    for keep in (_same, _claimed, _alike):
        for at, (text, claim) in enumerate(drafted):
            number = None if at in found else keep(text, claim, left)
            if number is not None:
                found[at] = number
                del left[number]
    letter, next_ = first_new[0], int(first_new[1:])
    for at in range(len(drafted)):
        if at not in found:
            found[at] = f"{letter}{next_}"
            next_ += 1
    return [found[at] for at in range(len(drafted))]


def after(letter: str, numbers: Sequence[str]) -> str:
    """The number after the last of these: "S5"."""
    return f"{letter}{max((int(number[1:]) for number in numbers), default=0) + 1}"


def in_order(numbers: Sequence[str]) -> list[str]:
    """Each once, by what they count: S2 before S10."""
    return sorted(set(numbers), key=lambda number: int(number[1:]))


def _same(text: str, _claim: str | None, left: Mapping[str, str]) -> str | None:
    return next((number for number, old in left.items() if old == text), None)


def _claimed(_text: str, claim: str | None, left: Mapping[str, str]) -> str | None:
    return claim if claim in left else None


def _alike(text: str, _claim: str | None, left: Mapping[str, str]) -> str | None:
    """The one that goes on where the other ends, or that differs in a few letters."""
    ratios = {
        number: _ratio(old.casefold().rstrip("."), text.casefold().rstrip("."))
        for number, old in left.items()
    }
    best = max(ratios, key=lambda number: ratios[number], default=None)
    return best if best is not None and ratios[best] >= ALIKE else None


def _ratio(one: str, other: str) -> float:
    short, long_ = sorted((one, other), key=len)
    if len(short) >= SHORTEST and long_.startswith(short):
        return 1.0
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
