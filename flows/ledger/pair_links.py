"""The links of one pair, as a run has them: the live ones; in staging, what it makes of them by itself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import cast

from pydantic import JsonValue, TypeAdapter

from connectors.entry import Entry
from flows.ledger import entries, learning, links, staged
from flows.ledger.learning import Learnt
from flows.ledger.links import IDENTITY, MOVED, Agreed, Link, Side
from flows.ledger.staged import Held
from flows.ledger.store import Ledger

OPERATION = "pair"  # what a stage's links are kept as; no write's full name is one word
LINK = TypeAdapter(Link)
STAGED = "staged:"  # begins what a stage calls a record that it made: the target has none


class PairLinks:
    """Of one of the two integrations. Safe to use from several threads."""

    def __init__(self, ledger: Ledger, pair: str, ours: Side) -> None:
        self._ledger, self._pair = ledger, pair
        self._ours: Side = ours

    def of(self, known: Mapping[str, str]) -> dict[str, list[Link]]:
        """The links of our entries, {id: pseudonym}, by id; more than one where something is wrong."""
        if self._ours == "reader":
            return links.of_records(self._ledger, self._pair, list(known))
        found = links.of_entries(self._ledger, list(known.values()))
        return {one: [found[ref]] for one, ref in known.items() if ref in found}

    def value_hash(self, record: str, field: str, folded: str) -> str:
        return links.value_hash(self._ledger, self._pair, record, field, folded)

    def contested(self) -> list[str]:
        """The ids of our entries whose newer value we are to carry."""
        return links.contested(self._ledger, self._pair, self._ours)

    def confirm(self, found: Sequence[Link]) -> None:
        links.confirm(self._ledger, found)

    def doubt(self, found: Sequence[Link]) -> None:
        links.doubt(self._ledger, found)

    def agree(self, agreed: Sequence[Agreed]) -> None:
        links.agree(self._ledger, agreed)

    def learn(self, learnt: Sequence[Learnt]) -> None:
        learning.learn(self._ledger, self._pair, learnt)

    def held(self, link: Link, record: str, entry: Entry | None) -> Entry | None:
        """What the other side holds of a link: `entry` from its source. record: as its write names it."""
        return entry


class StagedLinks(PairLinks):
    """In staging: the live links, which are only read, under what staged runs made of them."""

    def __init__(
        self, stage: Ledger, live: Ledger, pair: str, ours: Side, operation: str, identity: str
    ) -> None:
        """operation: the paired write. identity: the reader's field that names the keeper's entry."""
        super().__init__(live, pair, ours)
        self._stage, self._operation, self._identity = stage, operation, identity
        self._met: dict[str, Link] = {}

    def of(self, known: Mapping[str, str]) -> dict[str, list[Link]]:
        kept = staged.find(self._stage, [self._name(one) for one in known])
        found = {one: [_link(kept[self._name(one)])] for one in known if self._name(one) in kept}
        found |= self._live({one: ref for one, ref in known.items() if one not in found})
        if self._ours == "keeper":  # by the pseudonym that the entry has in the stage
            found = {one: [replace(link, entry=known[one]) for link in its] for one, its in found.items()}
        self._met.update((link.ref, link) for its in found.values() for link in its)
        return found

    def _live(self, known: Mapping[str, str]) -> dict[str, list[Link]]:
        if self._ours == "reader":
            return super().of(known)
        return super().of(entries.pseudonyms(self._ledger, list(known)))

    def contested(self) -> list[str]:
        kept = [_link(one) for one in staged.all_of(self._stage, OPERATION)]
        ours = {link.at(self._ours): self._ours in link.contested.values() for link in kept}
        return [
            *(one for one in super().contested() if one not in ours),
            *(one for one, its in ours.items() if its),
        ]

    def confirm(self, found: Sequence[Link]) -> None:
        self._keep(replace(one, state="confirmed", code="") for one in found if links.confirmable(one))

    def doubt(self, found: Sequence[Link]) -> None:
        self._keep(replace(one, state="review", code=IDENTITY) for one in found if one.state != "review")

    def agree(self, agreed: Sequence[Agreed]) -> None:
        self._keep(_agreed(self._met[one.ref], one) for one in agreed if one.ref in self._met)

    def learn(self, learnt: Sequence[Learnt]) -> None:
        known = self.of({one.patient: one.entry for one in learnt})
        self._keep(_learnt(known.get(one.patient, []), one) for one in learnt)

    def held(self, link: Link, record: str, entry: Entry | None) -> Entry | None:
        """What the stage has of the record stands over what the other side shows."""
        ours = staged.of_record(self._stage, self._operation, record)
        if ours is None or ours.values is None or (entry is None and not link.reader.startswith(STAGED)):
            return entry
        made = {self._identity: link.keeper} if entry is None else {}
        return {**(entry or {}), **made, **ours.values}

    def _name(self, own: str) -> str:
        return staged.hash_of(self._stage, OPERATION, own)

    def _keep(self, changed: Iterable[Link]) -> None:
        found = list(changed)
        self._met.update((one.ref, one) for one in found)
        if found:
            staged.keep(self._stage, OPERATION, [self._held(one) for one in found])

    def _held(self, link: Link) -> Held:
        return Held(self._name(link.at(self._ours)), cast(dict[str, JsonValue], asdict(link)))


def _link(held: Held) -> Link:
    return LINK.validate_python(held.values)


def _agreed(link: Link, one: Agreed) -> Link:
    whose = {field: who for field, who in {**link.contested, **one.contested}.items() if who}
    return replace(link, agreed={**link.agreed, **one.fields}, contested=whose)


def _learnt(known: Sequence[Link], one: Learnt) -> Link:
    """As learning.learn: who was linked with another record follows it if that one is gone."""
    if not known:
        ref = f"{STAGED}{one.entry}"
        return Link(ref, one.entry, one.patient, one.reference, "learned", "", {}, {})
    link = known[0]
    if link.reader == one.reference:
        return replace(link, state="learned", code="") if link.code == MOVED else link
    if one.former_is_gone:
        return replace(link, reader=one.reference, state="learned", code="", agreed={}, contested={})
    return replace(link, state="review", code=MOVED)
