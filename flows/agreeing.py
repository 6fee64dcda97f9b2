"""Agreeing: what a delivery of a pair's may write, by what the other side holds at that moment.

The other side is read right before the write, by its own source. Of each field that goes both ways
flows/weigh.py says whose value stands; only what is to be written leaves. What both hold afterwards is noted,
so that the opposite run takes it for an echo. Between that read and the write a person may still edit: no
system that is paired offers a conditional write.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.entry import Absent, Entry, Found
from connectors.operation import Arguments, Outcome
from flows import acts
from flows.compared import compared
from flows.ledger import deliveries, entries, links
from flows.ledger.deliveries import Due
from flows.ledger.learning import Learnt
from flows.ledger.links import CLAIMED, SAID, UNLINKED, Agreed, Link
from flows.ledger.pair_links import STAGED
from flows.other import Paired, Pending
from flows.run import Run

SAME = "already_so"
LEFT = "left_as_it_is"
GONE = "record_gone"  # it was archived or merged by a person: it is not made again unseen


@dataclass
class Weighed:
    """What is to become of a batch.

    done: nothing of them is left to send. waits: by key, the codes under which some wait for a person.
    unread: keys of those of which nobody knows for now what the other side holds. stays: by key, the names of
    what is not sent. right, wrong: links whose record names the entry, and whose record does not.
    """

    leaving: list[Due]
    done: list[Due] = field(default_factory=list[Due])
    waits: dict[str, str] = field(default_factory=dict[str, str])
    unread: set[str] = field(default_factory=set[str])
    stays: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    right: list[Link] = field(default_factory=list[Link])
    wrong: list[Link] = field(default_factory=list[Link])
    pending: dict[str, Pending] = field(default_factory=dict[str, Pending])


def weigh(
    run: Run, operation: str, batch: Sequence[Due], before: Mapping[str, Arguments | None]
) -> list[Due]:
    """What of a batch is to leave, without what stays as it is. The rest is settled, or waits for a person.

    Raises what reading the other side raises: nothing was settled then.
    """
    said = weighed(run, operation, batch, before)
    if run.paired is not None:
        _keep(run, run.paired, batch, said)
    return said.leaving


def weighed(
    run: Run, operation: str, batch: Sequence[Due], before: Mapping[str, Arguments | None]
) -> Weighed:
    """What is to become of a batch, by what the other side holds now. Nothing but the reading is noted.

    Raises what reading the other side raises.
    """
    paired = run.paired
    if paired is None or not operation.startswith(f"{paired.pair.target}_"):
        return Weighed(list(batch))
    known = _links(paired, batch)
    if operation != paired.pair.operation:
        return _parted(batch, lambda one: _doubted(paired, known.get(one.entry)))
    there, unread = _there(run, paired, list(known.values()))
    hidden = {entry for entry, link in known.items() if link.at(paired.theirs) in unread}
    readable = [one for one in batch if one.entry not in hidden]
    typed = _typed(run, paired, [one for one in readable if one.entry not in known], before)
    said = _parted(
        readable, lambda one: typed.get(one.item.key) or _unsafe(paired, one, known.get(one.entry), there)
    )
    said.unread = {one.item.key for one in batch if one.entry in hidden}
    if paired.pair.keeps:
        _name(said, readable, {entry: one for entry, one in known.items() if one.at(paired.theirs) in there})
    _compare(run, paired, said, known, there, before)
    return said


def _compare(
    run: Run,
    paired: Paired,
    said: Weighed,
    known: Mapping[str, Link],
    there: Mapping[str, Entry],
    before: Mapping[str, Arguments | None],
) -> None:
    """Of what may leave, field by field, what stays behind."""
    safe, said.leaving = said.leaving, []
    for one in safe:
        key = one.item.key
        pending, stays = compared(run, paired, one, known.get(one.entry), there, before.get(key))
        said.pending[key] = pending
        rest = {name: value for name, value in one.item.arguments.items() if name not in stays}
        if stays or one.left_out:
            said.stays[key] = sorted({*stays, *(one.over.keys() - one.item.arguments.keys())})
        # what is not linked is written all the same: that links it
        if rest or not pending.link or pending.gone:
            said.leaving.append(replace(one, item=replace(one.item, arguments=rest)))
        else:
            said.done.append(one)


def _keep(run: Run, paired: Paired, batch: Sequence[Due], said: Weighed) -> None:
    """Commit what was found: who waits and why, what stays behind, and what is done without being sent.

    Those of which nobody knows what they hold there stay planned, whatever a person's word.
    """
    if said.unread:
        run.count("held_up", len(said.unread), code="unreadable")
    for code in sorted(set(said.waits.values())):
        keys = [one.item.key for one in batch if said.waits.get(one.item.key) == code]
        deliveries.move(run.ledger, keys, "held", code)
        run.count("held", len(keys), code=code)
    paired.links.confirm(said.right)
    paired.links.doubt(said.wrong)
    paired.pending.update(said.pending)
    deliveries.leave_out(run.ledger, said.stays)
    _end(run, paired, said.done)


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
    ids = {one.entry: one.patient for one in batch}
    if paired.pair.keeps:
        learnt = [
            Learnt(its.entry, str(arrived[key].reference), its.gone, ids[its.entry])
            for key, its in pending.items()
            if arrived[key].reference is not None
        ]
        paired.links.learn(learnt)
    now_known = _links(paired, [one for one in batch if one.item.key in pending])
    agreed = [
        _agreed(paired, its, now_known[its.entry], {**its.same, **its.sent})
        for its in pending.values()
        if its.entry in now_known
    ]
    paired.links.agree(agreed)
    if overwritten := sum(its.overwritten for its in pending.values()):
        run.count("overwritten", overwritten)


def _links(paired: Paired, batch: Sequence[Due]) -> dict[str, Link]:
    """The links of a batch, by its entries' pseudonyms. One that says two things is none."""
    found = paired.links.of({one.patient: one.entry for one in batch})
    return {one.entry: found[one.patient][0] for one in batch if len(found.get(one.patient, ())) == 1}


def _there(run: Run, paired: Paired, known: Sequence[Link]) -> tuple[dict[str, Entry], set[str]]:
    """What the other side holds of these links, by its ids; and which of them cannot be read for now.

    What it does not give at all is in neither.
    """
    wanted = [one.at(paired.theirs) for one in known if one.state != "review" or one.code == links.IDENTITY]
    if not wanted:
        return {}, set()
    acts.ahead(run.ledger, "other side read", *(one.ref for one in known), dry=run.dry)
    asked = [one for one in wanted if not one.startswith(STAGED)]
    readings = list(paired.there.read(asked, paired.pair.there)) if asked else []
    given = {one.patient: one.entry for one in readings if isinstance(one, Found)}
    there = _as_held(run, paired, [one for one in known if one.at(paired.theirs) in wanted], given)
    hidden = (one for one in readings if isinstance(one, Absent) and one.reason in entries.MAY_COME_BACK)
    return there, {one.patient for one in hidden}


def _as_held(run: Run, paired: Paired, known: Sequence[Link], given: Mapping[str, Entry]) -> dict[str, Entry]:
    """What the other side's source gave of these links; in staging, under what the stage has of it."""
    name = run.writes[paired.pair.operation].record
    found = {link.at(paired.theirs): link for link in known}
    held = {id_: paired.links.held(its, name(its.keeper, {}), given.get(id_)) for id_, its in found.items()}
    return {id_: entry for id_, entry in held.items() if entry is not None}


def _typed(
    run: Run, paired: Paired, unlinked: Sequence[Due], before: Mapping[str, Arguments | None]
) -> dict[str, str]:
    """Entries of the keeper's that were never written, and that a record names: a person typed it there."""
    look = run.writes[paired.pair.operation].look
    doubted = [
        one.item
        for one in unlinked
        if before.get(one.item.key) is not None and one.first_sent is None and not one.released
    ]
    if not (paired.pair.keeps and look and doubted):
        return {}
    acts.ahead(run.ledger, "records looked for", *(item.key for item in doubted), dry=run.dry)
    return {key: CLAIMED for key, reference in look(doubted).items() if reference is not None}


def _parted(batch: Sequence[Due], unsafe: Callable[[Due], str]) -> Weighed:
    """Those whose record is not surely the entry's wait for a person, now and when released."""
    waits = {one.item.key: code for one in batch if (code := unsafe(one))}
    return Weighed([one for one in batch if one.item.key not in waits], waits=waits)


def _name(said: Weighed, batch: Sequence[Due], known: Mapping[str, Link]) -> None:
    """What the keeper saw of its links: those whose record names the entry, and those whose does not."""
    right = {one.entry for one in said.leaving}
    said.right = [link for entry, link in known.items() if entry in right]
    said.wrong = [known[one.entry] for one in batch if one.entry in known and one.entry not in right]


def _unsafe(paired: Paired, one: Due, link: Link | None, there: Mapping[str, Entry]) -> str:
    if link is None or link.code in SAID:
        return "" if one.released and paired.pair.keeps else _doubted(paired, link)
    held = there.get(link.at(paired.theirs))
    if held is None:
        return "" if one.released else GONE
    if not paired.pair.keeps:  # the entry said so when it was read
        return _doubted(paired, link)
    return "" if str(held.get(paired.pair.identity)) == link.keeper else links.IDENTITY


def _doubted(paired: Paired, link: Link | None) -> str:
    if link is None:
        return "" if paired.pair.keeps else UNLINKED
    return link.code if link.state == "review" else ""


def _agreed(paired: Paired, its: Pending, link: Link, fields: Mapping[str, tuple[str, str]]) -> Agreed:
    """By side, as hashes that are each record's own."""
    noted: dict[str, Mapping[str, str]] = {}
    for key, (own, seen) in fields.items():
        record = link.at(paired.theirs)
        theirs = paired.links.value_hash(record, key, seen)
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
