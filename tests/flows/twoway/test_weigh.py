"""Whose value stands, in every case there is; and a model of two people who edit one field for ever."""

from dataclasses import dataclass, field
from itertools import product
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from flows.weigh import Owner, Weight, alike, folded, verdict

OWNERS: tuple[Owner, ...] = ("ours", "theirs", "newest", "person")
OPPOSITE: dict[Owner, Owner] = {"ours": "theirs", "theirs": "ours", "newest": "newest", "person": "person"}
EVERY = [
    Weight(owner=owner, same=same, ours=ours, theirs=theirs, newer=newer)
    for owner, same, ours, theirs, newer in product(
        OWNERS, (True, False), (True, False), (True, False), ("ours", "theirs", "")
    )
]


@pytest.mark.parametrize("weight", EVERY, ids=str)
def test_an_edit_there_goes_under_only_by_its_owner_and_never_untold(weight: Weight) -> None:
    said = verdict(weight)

    if said.act == "send" and weight.theirs:
        assert said.overwrites
        assert weight.owner == "ours" or (weight.owner == "newest" and weight.newer == "ours")
    if weight.owner == "person" and weight.ours and weight.theirs and not weight.same:
        assert said.act == "contest"
    if weight.same:
        assert said.act == "same"


@pytest.mark.parametrize("weight", [one for one in EVERY if not one.same], ids=str)
def test_both_directions_never_write_over_each_other(weight: Weight) -> None:
    newer: dict[str, Literal["ours", "theirs", ""]] = {"ours": "theirs", "theirs": "ours", "": ""}
    back = Weight(
        owner=OPPOSITE[weight.owner],
        same=False,
        ours=weight.theirs,
        theirs=weight.ours,
        newer=newer[weight.newer],
    )

    assert {verdict(weight).act, verdict(back).act} != {"send"}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("phone", "(312) 555-0101", "+1 312-555-0101"),
        ("mobilephone", "312.555.0101", "3125550101"),
        ("email", "Ana@Example.com", "ana@example.com"),
        ("firstname", "Zoe\u0308", "Zo\u00eb"),
        ("firstname", None, ""),
        ("firstname", "Ana ", "Ana"),
    ],
)
def test_what_a_system_changes_by_itself_is_no_edit(field: str, one: str | None, other: str | None) -> None:
    assert alike(field, one, other)


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("firstname", "ana", "Ana"),
        ("mailing_city", "chicago", "Chicago"),
        ("phone", "312-555-0101", "312-555-0102"),
        ("phone", "312-555-0101 x2", "312-555-0101"),
        ("balance", "1.50", "150"),
        ("visits", 1, "1"),
        ("visits", 0, None),
        ("active", False, None),
    ],
)
def test_what_a_person_changes_is_one(field: str, one: JsonValue, other: JsonValue) -> None:
    assert not alike(field, one, other)


@given(st.text(max_size=40))
def test_folding_twice_is_folding_once(text: str) -> None:
    for name in ("phone", "email", "lastname"):
        once = folded(name, text)

        assert once in (folded(name, text), "null")


@dataclass
class Side:
    value: int
    changed: int = 0
    handled: int = 0


@dataclass
class Two:
    """Two systems with one field, and what they agreed on."""

    owner: Owner
    left: Side = field(default_factory=lambda: Side(0))
    right: Side = field(default_factory=lambda: Side(0))
    agreed: tuple[int, int] = (0, 0)
    clock: int = 0
    contested: bool = False
    lost: list[int] = field(default_factory=list[int])  # edits that went under and were not told

    def edit(self, side: Side, value: int) -> None:
        self.clock += 1
        side.value, side.changed = value, self.clock

    def run(self, mine: Side, other: Side, owner: Owner, agreed: tuple[int, int]) -> bool:
        """One run of one direction. True if it wrote."""
        newer: Literal["ours", "theirs", ""] = "ours" if mine.changed > other.changed else "theirs"
        said = verdict(
            Weight(
                owner=owner,
                same=mine.value == other.value,
                ours=mine.value != agreed[0],
                theirs=other.value != agreed[1],
                newer="" if self.contested else newer,
            )
        )
        if said.act == "contest":
            self.contested = True
        if said.act not in ("send", "same"):
            return False
        if said.act == "send" and other.value != agreed[1] and not said.overwrites:
            self.lost.append(other.value)
        wrote, other.value = other.value != mine.value, mine.value
        self.agreed, self.contested = (mine.value, mine.value), False
        return wrote

    def there(self) -> bool:
        return self.run(self.left, self.right, self.owner, self.agreed)

    def back(self) -> bool:
        agreed = (self.agreed[1], self.agreed[0])
        return self.run(self.right, self.left, OPPOSITE[self.owner], agreed)


STEPS = st.lists(st.sampled_from(["left", "right", "there", "back"]), max_size=30)


@settings(max_examples=400, deadline=None)
@given(owner=st.sampled_from(OWNERS), steps=STEPS)
def test_whatever_is_edited_nothing_is_lost_untold_and_it_comes_to_rest(
    owner: Owner, steps: list[str]
) -> None:
    two = Two(owner)
    for number, step in enumerate(steps, start=1):
        if step in ("left", "right"):
            two.edit(two.left if step == "left" else two.right, number)
        elif step == "there":
            two.there()
        else:
            two.back()
    for _ in range(2):
        two.there()
        two.back()

    quiet = [two.there(), two.back(), two.there(), two.back()]

    assert two.lost == []
    assert not any(quiet)
    assert two.left.value == two.right.value or two.contested
    if owner in ("ours", "newest"):
        assert two.left.value == two.right.value
