"""What a system may hold of patients: which kinds of data, and what must be signed or switched on first.

Every connector says it for every category. It is asked where an integration is checked and compiled, and
once more by the gate before a run decides anything.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.entry import Category


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true of the tenant's account. Confirmed by name, with words, in integration.yaml."""

    name: str
    meaning: str  # one clause that follows "if"


class Lack(NamedTuple):
    """Why something may not be held, and what to do."""

    what: str
    todo: str


BAA = Condition("baa", "a business associate agreement with the vendor is signed and covers this account")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one system may hold. A category that is not named here needs `conditions` like every other.

    conditions: needed for any patient data at all: that somebody is a patient is patient data, too.
    more: what single categories need besides.
    forbidden: what the system may never hold, each with the reason, one clause.
    """

    conditions: tuple[Condition, ...] = (BAA,)
    more: Mapping[Category, tuple[Condition, ...]] = field(
        default_factory=dict[Category, tuple[Condition, ...]]
    )
    forbidden: Mapping[Category, str] = field(default_factory=dict[Category, str])

    def needed(self, category: Category) -> tuple[Condition, ...]:
        """What has to be confirmed before it may hold this."""
        return (*self.conditions, *self.more.get(category, ()))

    def lack(self, category: Category, confirmed: Collection[str]) -> Lack | None:
        """Why it may not hold this now; None if it may."""
        if category in self.forbidden:
            return Lack(f"may not hold {category}: {self.forbidden[category]}", f"take {category} out")
        for condition in self.needed(category):
            if condition.name not in confirmed:
                what = f"may hold {category} only if {condition.meaning}"
                return Lack(
                    what, f'if so, write there: confirmed: {{{condition.name}: "since when, by whom"}}'
                )
        return None

    @property
    def names(self) -> frozenset[str]:
        """Every condition that can be confirmed for it."""
        besides = (condition for each in self.more.values() for condition in each)
        return frozenset(condition.name for condition in (*self.conditions, *besides))


OWN = Holding(conditions=())
"""The practice's own machine, database or EHR: everything, without a condition."""
