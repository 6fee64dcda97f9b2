"""Compared: the fields of one delivery of a pair's, as both sides hold them, and what follows for each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Literal

from pydantic import JsonValue

from connectors.entry import Entry, Found
from connectors.operation import Arguments
from connectors.source import Source
from flows import acts
from flows.ledger import links
from flows.ledger.deliveries import Due
from flows.ledger.links import Link
from flows.other import Paired, Pending
from flows.pairs import Shared
from flows.run import Run
from flows.weigh import Act, Weight, alike, folded, is_empty, verdict


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of a delivery's record on the other side.

    held: as its own source gave it just now; None: by `before`, what the target says of it, if anything.
    """

    held: Entry | None
    before: Arguments
    record: str
    agreed: Mapping[str, Mapping[str, str]]
    contested: Mapping[str, str]
    unlinked: bool  # or its record is gone: what is sent finds or makes one

    def seen(self, argument: str, there: str) -> JsonValue:
        return self.held.get(there) if self.held is not None and there else self.before.get(argument)

    def is_left_to(self, paired: Paired, key: str) -> bool:
        """Whether the other direction looked at the field first, and found this one's value to be newer."""
        return self.contested.get(key) == paired.ours


def compared(
    run: Run,
    paired: Paired,
    one: Due,
    link: Link | None,
    there: Mapping[str, Entry],
    before: Arguments | None,
) -> tuple[Pending, set[str]]:
    """What is to be noted of a delivery, and which of its arguments stay behind."""
    sides, gone = _sides(paired, one, link, there, before)
    pending = Pending(one.entry, link.ref if link else "", sides.record, {}, {}, {}, gone=gone)
    stamped = cache(partial(_stamped, run, paired, one, sides.held))
    stays: set[str] = set()
    overwritten = 0
    for argument, value in one.item.arguments.items():
        field = paired.pair.shared[argument]
        weight = _weight(run, paired, field, one, value, sides)
        asks = weight.owner == "newest" and weight.ours and weight.theirs and not weight.same
        if asks and sides.contested.get(field.key) != "person":
            weight = replace(weight, newer=_newer(run, paired, one, field, sides, stamped()))
        said = verdict(weight)
        overwritten += said.overwrites
        act = "send" if said.act == "same" and sides.unlinked else said.act  # it is written whole
        noted = (one.own.get(field.key, ""), folded(field.key, value))
        if not _goes(run, paired, pending, field.key, noted, weight, act):
            stays.add(argument)
            if act == "leave" and sides.is_left_to(paired, field.key):  # what was newer is there no more
                pending.contested[field.key] = paired.theirs if weight.theirs else ""
    pending.same.update(_left_empty(run, paired, one, sides))
    _unsaid(run, paired, pending, sides)
    return replace(pending, overwritten=overwritten), stays


def _sides(
    paired: Paired, one: Due, link: Link | None, there: Mapping[str, Entry], before: Arguments | None
) -> tuple[Sides, bool]:
    """What is known of the other side, and whether the record that the entry was linked with is gone."""
    held = there.get(link.at(paired.theirs)) if link else None
    gone = link is not None and (held is None or (one.released and link.code in links.SAID))
    known = link if link and not gone else None
    sides = Sides(
        held=held,
        before=before or {},
        record=link.at(paired.theirs) if link else "",
        agreed=known.agreed if known else {},
        contested=known.contested if known else {},
        unlinked=known is None,
    )
    return sides, gone


def _goes(
    run: Run, paired: Paired, pending: Pending, key: str, noted: tuple[str, str], weight: Weight, act: Act
) -> bool:
    """Whether an argument leaves; what is to be noted of it is put down."""
    if act == "send":
        pending.sent[key] = noted
        return True
    if act == "same":
        pending.same[key] = noted
    elif act in ("contest", "yield"):
        pending.contested[key] = "person" if act == "contest" else paired.theirs
        _tell(run, paired, "contested" if act == "contest" else "yielded", pending.entry, key)
    elif weight.owner == "theirs" and weight.ours:
        _tell(run, paired, "owned_there", pending.entry, key)
    return False


def _unsaid(run: Run, paired: Paired, pending: Pending, sides: Sides) -> None:
    """What the other direction left to this one, and the plan says nothing of, is a person's to say."""
    for key in sides.contested:
        known = key in pending.same or key in pending.sent or key in pending.contested
        if sides.is_left_to(paired, key) and not known:
            pending.contested[key] = "person"
            _tell(run, paired, "contested", pending.entry, key)


def _tell(run: Run, paired: Paired, what: str, entry: str, key: str) -> None:
    """Count it once a run, however often the delivery is weighed before it arrives."""
    if (what, entry, key) not in paired.told:
        paired.told.add((what, entry, key))
        run.count(what)


def _left_empty(run: Run, paired: Paired, one: Due, sides: Sides) -> dict[str, tuple[str, str]]:
    """What the plan says nothing of, and our side holds nothing of: the other side may keep what it has.

    That is agreed on, too, unless the other side was edited as well.
    """
    agreed: dict[str, tuple[str, str]] = {}
    for argument, field in paired.pair.shared.items():
        if not field.own or argument in one.item.arguments:
            continue
        own = _hash(run, paired, one.patient, field.key, folded(field.key, None))
        seen = sides.seen(argument, field.there)
        theirs = folded(field.key, seen)
        last = sides.agreed.get(field.key, {}).get(paired.theirs)
        as_agreed = is_empty(seen) or last == _hash(run, paired, sides.record, field.key, theirs)
        if one.own.get(field.key) == own and as_agreed:
            agreed[field.key] = (own, theirs)
    return agreed


def _hash(run: Run, paired: Paired, record: str, key: str, value: str) -> str:
    return paired.links.value_hash(record, key, value)


def _weight(run: Run, paired: Paired, field: Shared, one: Due, value: JsonValue, sides: Sides) -> Weight:
    seen, agreed = sides.seen(field.argument, field.there), sides.agreed.get(field.key)
    if agreed is None:  # an empty value is no edit then
        ours, theirs = not is_empty(value), not is_empty(seen)
    else:
        hashed = _hash(run, paired, sides.record, field.key, folded(field.key, seen))
        theirs = agreed.get(paired.theirs) != hashed
        again = run.kind == "resync" and not theirs  # an edit there is carried back all the same
        ours = again or agreed.get(paired.ours) != one.own.get(field.key, "")
    return Weight(
        owner=field.owner,
        same=alike(field.key, value, seen),
        ours=ours,
        theirs=theirs,
        first=agreed is None,
        empty_there=is_empty(seen),
    )


Stamps = tuple[datetime | None, datetime | None]
"""Ours and theirs; None: the system does not say."""


def _newer(
    run: Run, paired: Paired, one: Due, field: Shared, sides: Sides, stamped: Stamps
) -> Literal["ours", "theirs", ""]:
    """Whose field was edited last, else whose record; "" if one side does not say, or at the same moment."""
    if sides.held is None:
        return ""
    mine = _edited(run.source, one.patient, field.own) or stamped[0]
    theirs = _edited(paired.there, sides.record, field.there) or stamped[1]
    if mine is None or theirs is None or mine == theirs:
        return ""
    return "ours" if mine > theirs else "theirs"


def _edited(source: Source, patient: str, path: str) -> datetime | None:
    return source.edited([patient], [path]).get(patient, {}).get(path)


def _stamped(run: Run, paired: Paired, one: Due, held: Entry | None) -> Stamps:
    """When both entries were changed last, as the two systems say."""
    acts.ahead(run.ledger, "changed when", one.entry, dry=run.dry)
    ours = [
        _moment(found.entry.get(paired.pair.changed))
        for found in run.source.read([one.patient], [paired.pair.changed])
        if isinstance(found, Found)
    ]
    theirs = _moment(held.get(paired.pair.changed_there)) if held is not None else None
    return ours[0] if ours else None, theirs


def _moment(value: JsonValue) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
