"""Compared: the fields of one delivery of a pair's, as both sides hold them, and what follows for each."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from connectors.entry import Entry, Found
from connectors.operation import Arguments
from flows.ledger import audit, links
from flows.ledger.deliveries import Due
from flows.ledger.links import Link
from flows.other import Paired, Pending
from flows.pairs import Shared
from flows.run import Run
from flows.weigh import Weight, alike, folded, is_empty, verdict


def compared(
    run: Run,
    paired: Paired,
    one: Due,
    link: Link | None,
    there: Mapping[str, Entry],
    before: Arguments | None,
) -> tuple[Pending, set[str]]:
    """What is to be noted of a delivery, and which of its arguments stay behind."""
    record = link.at(paired.theirs) if link else ""
    held = there.get(record) if link else None
    gone = link is not None and (held is None or (one.released and link.code in links.SAID))
    agreed = link.agreed if link and not gone else {}
    pending = Pending(one.entry, link.ref if link else "", record, {}, {}, {}, gone=gone)
    stays: set[str] = set()
    newer: Literal["ours", "theirs", "", "?"] = "?"
    overwritten = 0
    for argument, value in one.item.arguments.items():
        field = paired.pair.shared[argument]
        seen = held.get(field.there) if held is not None and field.there else (before or {}).get(argument)
        own = one.own.get(field.key, "")
        weight = _weight(run, paired, field, (value, seen, own), agreed.get(field.key), record)
        whose = link.contested.get(field.key) if link else ""
        if (
            weight.owner == "newest"
            and weight.ours
            and weight.theirs
            and not weight.same
            and whose != "person"
        ):
            newer = _newer(run, paired, one, held) if newer == "?" else newer
            weight = replace(weight, newer=newer)
        said = verdict(weight)
        if said.act == "send" or (said.act == "same" and (link is None or gone)):
            pending.sent[field.key] = (own, folded(field.key, value))
            overwritten += said.overwrites
            continue
        stays.add(argument)
        if said.act == "leave" and weight.owner == "theirs" and weight.ours:
            run.count("owned_there")
        if said.act == "same":
            pending.same[field.key] = (own, folded(field.key, seen))
        elif said.act in ("contest", "yield"):
            pending.contested[field.key] = "person" if said.act == "contest" else paired.theirs
            run.count("contested" if said.act == "contest" else "yielded")
    shown = held if held is not None else before or {}
    pending.same.update(_empty_on_both(run, paired, one, shown, by_argument=held is None))
    return replace(pending, overwritten=overwritten), stays


def _empty_on_both(
    run: Run, paired: Paired, one: Due, seen: Mapping[str, JsonValue], *, by_argument: bool
) -> dict[str, tuple[str, str]]:
    """What the plan says nothing of, and neither side holds: that is agreed on, too."""
    agreed: dict[str, tuple[str, str]] = {}
    for argument, field in paired.pair.shared.items():
        nothing = folded(field.key, None)
        own = links.value_hash(run.ledger, paired.pair.name, one.patient, field.key, nothing)
        there = seen.get(argument if by_argument else field.there)
        unsaid = field.own and argument not in one.item.arguments
        if unsaid and one.own.get(field.key) == own and is_empty(there):
            agreed[field.key] = (own, nothing)
    return agreed


def _weight(
    run: Run,
    paired: Paired,
    field: Shared,
    values: tuple[JsonValue, JsonValue, str],
    agreed: Mapping[str, str] | None,
    record: str,
) -> Weight:
    """values: what is to be written, what is there, and our source's value as a hash."""
    value, seen, own = values
    first = agreed is None
    edited = first and not is_empty(seen)
    if agreed is not None:
        hashed = links.value_hash(run.ledger, paired.pair.name, record, field.key, folded(field.key, seen))
        edited = agreed.get(paired.theirs) != hashed
    ours = not is_empty(value)  # where nothing was agreed on, an empty value is no edit
    if agreed is not None:
        ours = run.mode == "resync" or agreed.get(paired.ours) != own
    return Weight(
        owner=field.owner,
        same=alike(field.key, value, seen),
        ours=ours,
        theirs=edited,
        first=first,
        empty_there=is_empty(seen),
    )


def _newer(run: Run, paired: Paired, one: Due, held: Entry | None) -> Literal["ours", "theirs", ""]:
    """Whose entry was changed last, as the two systems say; "" if one does not, or at the same moment."""
    audit.ahead(run.ledger, "changed when", one.entry)
    ours = [
        _moment(found.entry.get(paired.pair.changed))
        for found in run.source.read([one.patient], [paired.pair.changed])
        if isinstance(found, Found)
    ]
    theirs = _moment(held.get(paired.pair.changed_there)) if held is not None else None
    mine = ours[0] if ours else None
    if mine is None or theirs is None or mine == theirs:
        return ""
    return "ours" if mine > theirs else "theirs"


def _moment(value: JsonValue) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
