"""What the records of a stage have of what must be unique, and what they need of each other.

The target says who has a value now; the stage knows who of them changed since. A value that a record of the
stage has is a row of its own beside the records, found by its hash. It counts as long as that record says so.
"""

from collections.abc import Sequence
from dataclasses import replace

from connectors.operation import Claim, Need
from flows.ledger import staged
from flows.ledger.staged import Held
from flows.ledger.store import Ledger

HOLDER = "holder"


class Claimed:
    """The claims and needs of one batch of a write, weighed one item after the other.

    Args:
        target: its name in the integration. write: the write's own.
    """

    def __init__(self, ledger: Ledger, target: str, write: str, found: Sequence[Claim | Need]) -> None:
        self._ledger, self._target, self._write = ledger, target, write
        self._of: dict[str, list[Claim | Need]] = {}
        for one in found:
            self._of.setdefault(one.key, []).append(one)
        rows = staged.find(ledger, [self._place(one) for one in found if isinstance(one, Claim)])
        self._holders = {place: str((row.values or {})[HOLDER]) for place, row in rows.items()}
        asked = [self._needed(one) if isinstance(one, Need) else self._theirs(one) for one in found]
        self._records = staged.find(ledger, [*self._holders.values(), *asked])
        self._new: dict[str, str] = {}

    def refusal(self, key: str, record: str) -> str | None:
        """The code with which the target would refuse this item of this record, or None."""
        return next((one.code for one in self._of.get(key, ()) if self._is_against(one, record)), None)

    def taken(self, key: str, held: Held) -> Held:
        """The record with what it holds from now on by this item."""
        claims = {one.rule: self._place(one) for one in self._of.get(key, ()) if isinstance(one, Claim)}
        held = replace(held, claims={**held.claims, **claims})
        self._records[held.record] = held
        self._new |= {place: held.record for place in claims.values() if place}
        self._holders |= self._new
        return held

    def rows(self) -> list[Held]:
        """Who has what from now on: to be kept beside the records."""
        return [Held(place, {HOLDER: record}) for place, record in self._new.items()]

    def _is_against(self, one: Claim | Need, record: str) -> bool:
        if isinstance(one, Need):
            found = self._records.get(self._needed(one))
            return not one.there and (found is None or found.values is None)
        place = self._place(one)
        rivals = {self._holders.get(place, ""): False, self._theirs(one): True} if place else {}
        return any(
            other not in ("", record) and self._has(other, one.rule, place, untouched=told)
            for other, told in rivals.items()
        )

    def _has(self, record: str, rule: str, place: str, *, untouched: bool) -> bool:
        """Does that record have it now? `untouched`: so the target says of one that the stage left alone."""
        held = self._records.get(record)
        return untouched if held is None or rule not in held.claims else held.claims[rule] == place

    def _place(self, claim: Claim) -> str:
        """The hash of a value that must be unique; "" of none."""
        if claim.value is None:
            return ""
        return staged.hash_of(self._ledger, f"{self._operation()} {claim.rule}", claim.value)

    def _theirs(self, claim: Claim) -> str:
        return staged.hash_of(self._ledger, self._operation(), claim.holder) if claim.holder else ""

    def _needed(self, need: Need) -> str:
        return staged.hash_of(self._ledger, self._operation(need.write), need.record)

    def _operation(self, write: str = "") -> str:
        return f"{self._target}_{write or self._write}"
