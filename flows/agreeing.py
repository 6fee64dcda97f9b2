"""Agreeing: what a delivery of a pair's may write, by what the other side holds at that moment.

The other side is read right before the write, by its own source. Of each field that goes both ways
flows/weigh.py says whose value stands; only what is to be written leaves. What both hold afterwards is noted,
so that the opposite run takes it for an echo. Between that read and the write a person may still edit: no
system that is paired offers a conditional write.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import JsonValue

from connectors.entry import Entry, Found
from connectors.operation import Arguments, Outcome
from flows.ledger import audit, deliveries, links
from flows.ledger.deliveries import Due
from flows.ledger.links import SAID, UNLINKED, Agreed, Learnt, Link
from flows.other import Paired, Pending
from flows.pairs import Shared
from flows.run import Run
from flows.weigh import Weight, alike, folded, is_empty, verdict

SAME = "already_so"
LEFT = "left_as_it_is"
GONE = "record_gone"  # it was archived or merged by a person: it is not made again unseen


def weigh(
    run: Run, operation: str, batch: Sequence[Due], before: Mapping[str, Arguments | None]
) -> list[Due]:
    """What of a batch is to leave, without what stays as it is. The rest is settled, or waits for a person.

    Raises what reading the other side raises: nothing was settled then.
    """
    paired = run.paired
    if paired is None or not operation.startswith(f"{paired.pair.target}_"):
        return list(batch)
    known = _links(run, paired, batch)
    if operation != paired.pair.operation:
        return _safe(run, batch, lambda one: _doubted(paired, known.get(one.entry)))
    there = _there(run, paired, list(known.values()))
    safe = _safe(run, batch, lambda one: _unsafe(paired, one, known.get(one.entry), there))
    _mark(run, paired, safe, batch, known)
    leaving: list[Due] = []
    left: dict[str, list[str]] = {}
    done: list[Due] = []
    for one in safe:
        pending, stays = _weighed(run, paired, one, known.get(one.entry), there, before.get(one.item.key))
        paired.pending[one.item.key] = pending
        rest = {name: value for name, value in one.item.arguments.items() if name not in stays}
        if stays:
            left[one.item.key] = sorted(stays)
        if (
            rest or not pending.link or pending.gone
        ):  # what is not linked is written all the same: that links it
            leaving.append(replace(one, item=replace(one.item, arguments=rest)))
        else:
            done.append(one)
    deliveries.leave_out(run.ledger, left)
    _end(run, paired, done)
    return leaving


def settled(run: Run, batch: Sequence[Due], outcomes: Sequence[Outcome]) -> None:
    """Note what both sides hold of what arrived: which record it is, and the values."""
    paired = run.paired
    if paired is None:
        return
    arrived = {one.key: one for one in outcomes if one.state == "done" and one.key in paired.pending}
    pending = {key: paired.pending[key] for key in arrived}
    for one in batch:
        paired.pending.pop(one.item.key, None)
    if not pending:
        return
    if paired.pair.keeps:
        learnt = [
            Learnt(its.entry, str(arrived[key].reference), its.gone)
            for key, its in pending.items()
            if arrived[key].reference is not None
        ]
        links.learn(run.ledger, paired.pair.name, learnt)
    now_known = _links(run, paired, [one for one in batch if one.item.key in pending])
    agreed = [
        _agreed(run, paired, its, now_known[its.entry], {**its.same, **its.sent})
        for its in pending.values()
        if its.entry in now_known
    ]
    links.agree(run.ledger, agreed)
    if overwritten := sum(its.overwritten for its in pending.values()):
        run.count("overwritten", overwritten)


def _links(run: Run, paired: Paired, batch: Sequence[Due]) -> dict[str, Link]:
    """The links of a batch, by its entries' pseudonyms. One that says two things is none."""
    if paired.pair.keeps:
        return links.of_entries(run.ledger, [one.entry for one in batch])
    found = links.of_records(run.ledger, paired.pair.name, [one.patient for one in batch])
    return {one.entry: found[one.patient][0] for one in batch if len(found.get(one.patient, ())) == 1}


def _there(run: Run, paired: Paired, known: Sequence[Link]) -> dict[str, Entry]:
    """What the other side holds of these links, by its ids; without those that it does not give."""
    wanted = [one.at(paired.theirs) for one in known if one.state != "review" or one.code == links.IDENTITY]
    if not wanted:
        return {}
    audit.ahead(run.ledger, "other side read", *(one.ref for one in known))
    readings = paired.there.read(wanted, paired.pair.there)
    return {one.patient: one.entry for one in readings if isinstance(one, Found)}


def _safe(run: Run, batch: Sequence[Due], unsafe: Callable[[Due], str]) -> list[Due]:
    """Without those whose record is not surely the entry's: they wait for a person, now and when released."""
    waits: dict[str, list[str]] = {}
    for one in batch:
        if code := unsafe(one):
            waits.setdefault(code, []).append(one.item.key)
    for code, keys in sorted(waits.items()):
        deliveries.move(run.ledger, keys, "held", code)
        run.count("held", len(keys), code=code)
    held = {key for keys in waits.values() for key in keys}
    return [one for one in batch if one.item.key not in held]


def _mark(
    run: Run, paired: Paired, safe: Sequence[Due], batch: Sequence[Due], known: Mapping[str, Link]
) -> None:
    """What the keeper saw of its links: those whose record names the entry, and those whose does not."""
    if not paired.pair.keeps:
        return
    right = {one.entry for one in safe}
    links.confirm(run.ledger, [link for entry, link in known.items() if entry in right])
    wrong = [known[one.entry] for one in batch if one.entry in known and one.entry not in right]
    links.doubt(run.ledger, wrong)


def _unsafe(paired: Paired, one: Due, link: Link | None, there: Mapping[str, Entry]) -> str:
    if link is None or not paired.pair.keeps or link.code in SAID:
        return _doubted(paired, link)
    held = there.get(link.reader)
    if held is None:
        return "" if one.released else GONE
    return "" if str(held.get(paired.pair.identity)) == link.keeper else links.IDENTITY


def _doubted(paired: Paired, link: Link | None) -> str:
    if link is None:
        return "" if paired.pair.keeps else UNLINKED
    return link.code if link.state == "review" else ""


def _weighed(
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
    gone = bool(link) and held is None
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
        if weight.owner == "newest" and weight.ours and weight.theirs and not weight.same:
            newer = _newer(run, paired, one, held) if newer == "?" else newer
            weight = replace(weight, newer=newer)
        said = verdict(weight)
        if said.act == "send":
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


def _agreed(
    run: Run, paired: Paired, its: Pending, link: Link, fields: Mapping[str, tuple[str, str]]
) -> Agreed:
    """By side, as hashes that are each record's own."""
    noted: dict[str, Mapping[str, str]] = {}
    for key, (own, seen) in fields.items():
        record = link.at(paired.theirs)
        theirs = links.value_hash(run.ledger, paired.pair.name, record, key, seen)
        noted[key] = {paired.ours: own, paired.theirs: theirs}
    return Agreed(link.ref, noted, {**dict.fromkeys(noted, ""), **its.contested})


def _end(run: Run, paired: Paired, batch: Sequence[Due]) -> None:
    """Those of which nothing is left to send are done, and what was found out of them is noted."""
    if not batch:
        return
    outcomes: list[Outcome] = []
    for one in batch:
        same, shared = paired.pending[one.item.key].same, paired.pair.shared
        agreed = all(shared[argument].key in same for argument in one.item.arguments)
        outcomes.append(Outcome(one.item.key, "done", SAME if agreed else LEFT))
        run.count("outcome_done", code=outcomes[-1].code)
    deliveries.settle(run.ledger, outcomes)
    settled(run, batch, outcomes)
