"""The breaker: more than a run usually does, or may do, waits for a person.

Two places ask it. When plans are journalled: how many deliveries, and how many entries changed? Before a
batch leaves, when it is known what the target holds: how many records would be made, how many values
would become empty? What has tripped once holds the rest of the run's deliveries of that kind; what left
before is counted, once however often it left. Kinds of writes that a person is to see each time (`ask_first`)
wait in any number. What a person released, or may have been applied before, is not looked at again.
"""

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Literal

from pydantic import JsonValue

from connectors.operation import Arguments, Delivery, Write
from flows.ledger.deliveries import Due
from flows.limits import Limits

Code = Literal[
    "too_many_writes",
    "unusual_share",
    "too_many_creates",
    "too_many_blanks",
    "new_record",
    "empties_a_value",
    "moves_money",
]
MEANING: Mapping[str, str] = {
    "too_many_writes": "more in one run than the limits let pass",
    "unusual_share": "far more entries changed than in the runs before",
    "too_many_creates": "would make more new records than the limits let pass",
    "too_many_blanks": "would empty more values than the limits let pass",
    "new_record": "would make a new record, or may: each waits for a person, as limits.ask_first says",
    "empties_a_value": "would empty a value, or may: each waits for a person, as limits.ask_first says",
    "moves_money": "moves money: each waits for a person, as limits.ask_first says",
    "rollout": "follow when what went first has arrived: too much of it was refused, or nothing arrived yet",
    "instructions_changed": "planned by earlier instructions, whose rollout did not come so far",
    "policy_changed": "planned before what may be written was changed",
    "identity_differs": "the record there holds another patient's id, or none: put it right there",
    "linked_twice": "one record there was written for two patients",
    "reference_differs": "another record there was written than before",
    "record_gone": "the record there was archived or merged: released, it is made or found anew",
    "not_our_link": "a record there holds the patient's id, and Ferry never wrote it: released, it is taken",
    "unlinked": "the record is linked with no patient any more",
}
LEARN_FROM = 5  # complete runs; before there are so many, only the fixed limits hold
REMEMBERED = 30  # complete runs of the same mode that the usual share is learnt from
SPREADS = 6.0  # robust deviations above the median that are still usual
NORMAL = 1.4826  # median absolute deviation → standard deviation
FEW = 10  # rows of one batch; a share of fewer says nothing


def usual(shares: Sequence[float], floor: float) -> float | None:
    """The largest share of changed entries that is not unusual; None before enough is known.

    Median and median deviation: a few odd days among the runs do not move it.
    """
    if len(shares) < LEARN_FROM:
        return None
    middle = median(shares)
    spread = NORMAL * median([abs(share - middle) for share in shares])
    return max(floor, middle + SPREADS * spread)


@dataclass
class Breaker:
    """The limits of one run, and what they have let pass."""

    limits: Limits
    entries: int  # that the ledger knew when the run began
    unlimited: bool = False  # a first run, or a resync: it is meant to write everything
    tripped: set[Code] = field(default_factory=set[Code])
    changed: int = 0
    writes: int = 0
    _made: set[str] = field(default_factory=set[str])  # keys of what would make a record
    _blanked: dict[str, int] = field(default_factory=dict[str, int])  # by key, how many values
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def creates(self) -> int:
        """New records that were let pass."""
        return len(self._made)

    @property
    def blanks(self) -> int:
        """Values to become empty that were let pass."""
        return sum(self._blanked.values())

    def planned(self, changed: int, writes: int, shares: Sequence[float]) -> Code | Literal[""]:
        """ "" or the code under which the deliveries of these changed entries wait.

        `shares`: of the known entries, changed in each of the last complete runs of this kind.
        """
        if self.unlimited or not writes:
            return ""
        with self._turn:
            self.changed += changed
            self.writes += writes
            if self.writes > max(self.limits.at_least, self.limits.share * self.entries):
                self.tripped.add("too_many_writes")
            learnt = usual(shares, self.limits.usual)
            if learnt is not None and self.changed > max(self.limits.at_least, learnt * self.entries):
                self.tripped.add("unusual_share")
            return self._first("too_many_writes", "unusual_share")

    def held(
        self, batch: Sequence[Due], before: Mapping[str, Arguments | None], write: Write
    ) -> dict[str, Code]:
        """Which of a batch wait, by key, now that it is known what the target holds."""
        fresh = [one for one in batch if one.first_sent is None and not one.released]
        creating = {one.item.key for one in fresh if before.get(one.item.key, {}) is None}
        emptied = {one.item.key: _emptied(one, before.get(one.item.key)) for one in fresh}
        blanking = {key: number for key, number in emptied.items() if number}
        with self._turn:
            self._weigh(creating, blanking, len(batch))
            waits = self._to_ask(fresh, creating, blanking, before, write)
            if "too_many_blanks" in self.tripped:
                waits |= dict.fromkeys(blanking, "too_many_blanks")
            if "too_many_creates" in self.tripped:
                waits |= dict.fromkeys(creating, "too_many_creates")
            self._made |= creating - waits.keys()
            self._blanked |= {key: number for key, number in blanking.items() if key not in waits}
            return waits

    def _to_ask(
        self,
        fresh: Sequence[Due],
        creating: Collection[str],
        blanking: Collection[str],
        before: Collection[str],
        write: Write,
    ) -> dict[str, Code]:
        """What waits whatever its number: a person is asked, too, where the target cannot say what it holds.

        A write that always makes a record is one that creates.
        """
        asked, waits = self.limits.ask_first, dict[str, Code]()
        upserts, keys = write.delivery is Delivery.UPSERT, [one.item.key for one in fresh]
        unseen = [one for one in fresh if upserts and one.item.key not in before]
        if "creates" in asked:
            makes = {*creating, *(one.item.key for one in unseen)} if upserts else keys
            waits |= dict.fromkeys(makes, "new_record")
        if "blanks" in asked:
            may = (one.item.key for one in unseen if any(map(_is_blank, one.item.arguments.values())))
            waits |= dict.fromkeys({*blanking, *may}, "empties_a_value")
        if "money" in asked and write.money:
            waits |= dict.fromkeys(keys, "moves_money")
        return waits

    def _weigh(self, creating: set[str], blanking: Mapping[str, int], size: int) -> None:
        limits = self.limits
        allowed = max(limits.at_least, limits.creates * self.entries)
        if creating and not self.unlimited and len(self._made | creating) > allowed:
            self.tripped.add("too_many_creates")
        much = len(blanking) >= FEW and len(blanking) > limits.blanked * size
        if blanking and (much or sum((self._blanked | dict(blanking)).values()) > limits.blanks):
            self.tripped.add("too_many_blanks")

    def _first(self, *codes: Code) -> Code | Literal[""]:
        for code in codes:
            if code in self.tripped:
                return code
        return ""


def _is_blank(value: JsonValue) -> bool:
    return value in (None, "")


def _emptied(one: Due, before: Arguments | None) -> int:
    """How many values of the target would become empty."""
    if before is None:
        return 0
    return sum(
        _is_blank(value) and not _is_blank(before.get(name)) for name, value in one.item.arguments.items()
    )
