"""Undo: what a run wrote is put back to what the target held before, where the target still holds our value.

What a person, or a later run, wrote since stays and is listed. An undo is planned, journalled and delivered
as everything else, and can be undone itself. Deletes are off: a record that the run made stays.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from agent.plan import Argument, Call, Decision, Plan, Source
from connectors.errors import ConnectorError
from connectors.operation import Arguments, Delivery, Item, Write
from flows.certify import same
from flows.ledger import audit, entries, holds, plans, written
from flows.ledger.plans import Decided
from flows.ledger.store import Ledger
from flows.ledger.written import Written
from flows.run import Run

Why = Literal[
    "made_by_it",
    "cannot_be_taken_back",
    "not_known_before",
    "no_such_write",
    "not_readable",
    "did_not_arrive",
]
BY = "undo"
MEANING: Mapping[Why, str] = {
    "made_by_it": "records that the run made: they stay, since nothing is deleted",
    "cannot_be_taken_back": "acts that no target takes back, such as a charge or an event",
    "not_known_before": "of which it is not known what the target held before",
    "no_such_write": "by an operation that is granted no more",
    "not_readable": "of which the target cannot say now what it holds",
    "did_not_arrive": "that did not arrive: there is nothing to put back",
}


@dataclass(frozen=True, slots=True)
class Back:
    """One write of the run, and what becomes of it.

    back: what is put back. kept: the names of what was written since by somebody else, or by a later run.
    why: why nothing of it can be put back; "" if something can, or all of it was kept.
    """

    one: Written
    back: Arguments
    kept: tuple[str, ...] = ()
    why: Why | Literal[""] = ""


def of_run(ledger: Ledger, writes: Mapping[str, Write], run: str) -> Iterator[list[Back]]:
    """What an undo of a run would do, page by page. Only reads leave."""
    for page in written.of_run(ledger, run):
        found: list[Back] = []
        for operation in dict.fromkeys(one.operation for one in page):
            mine = [one for one in page if one.operation == operation]
            found += _of_operation(ledger, writes.get(operation), mine)
        yield found


def _of_operation(ledger: Ledger, write: Write | None, page: Sequence[Written]) -> Iterator[Back]:
    hopeless: dict[str, Why] = {one.key: why for one in page if (why := _hopeless(write, one))}
    for one in page:
        if one.key in hopeless:
            yield Back(one, {}, why=hopeless[one.key])
    able = [one for one in page if one.key not in hopeless]
    if not able or write is None or write.present is None:
        return
    items = [Item(one.key, one.bound, _before(one)) for one in able]
    audit.note(ledger.engine, ledger.audit_key, ledger.tenant, "records read for an undo", len(items))
    try:
        present = write.present(items)
    except ConnectorError:
        yield from (Back(one, {}, why="not_readable") for one in able)
        return
    later = written.later(ledger, able)
    yield from (_back(one, present.get(one.key), later.get(one.key, frozenset())) for one in able)


def _hopeless(write: Write | None, one: Written) -> Why | None:
    if one.state != "done":
        return "did_not_arrive"
    if write is None:
        return "no_such_write"
    if write.delivery is not Delivery.UPSERT or write.present is None:
        return "cannot_be_taken_back"
    if one.creates:
        return "made_by_it"
    return None if _before(one) else "not_known_before"


def _before(one: Written) -> dict[str, JsonValue]:
    """What the run replaced by something else, as it was."""
    before = one.before or {}
    return {name: before[name] for name in one.arguments if name in before and one.changes(name)}


def _back(one: Written, present: Arguments | None, later: frozenset[str]) -> Back:
    back: dict[str, JsonValue] = {}
    kept: list[str] = []
    for name, value in _before(one).items():
        ours = one.arguments[name].value
        if present is None or name in later or not same(ours, present.get(name)):
            kept.append(name)
        else:
            back[name] = value
    return Back(one, back, tuple(kept))


def plan(run: Run, of: str) -> None:
    """Journal what puts a run's writes back, as a new version of each of its entries."""
    for page in of_run(run.ledger, run.writes, of):
        for one in page:
            run.count("undo_kept", len(one.kept))
            if one.why:
                run.count("not_undone", code=one.why)
        _journal(run, [one for one in page if one.back])


def _journal(run: Run, page: Sequence[Back]) -> None:
    by_patient: dict[str, list[Back]] = {}
    for one in page:
        by_patient.setdefault(one.one.patient, []).append(one)
    known = entries.known(run.ledger, list(by_patient))
    decided = [_decided(run, known[patient], backs) for patient, backs in by_patient.items()]
    run.count("listed", len(decided))
    run.count("planned", len(decided))
    run.count("calls", len(page))
    if decided:
        plans.journal(run.ledger, decided, run.versions, run.writes)
        holds.pass_all(run.ledger)  # a person asked for exactly these


def _decided(run: Run, known: entries.Known, backs: Sequence[Back]) -> Decided:
    calls = tuple(_call(one) for one in backs)
    because = tuple(dict.fromkeys(number for call in calls for number in call.because))
    decision = Decision(outcome=Plan(kind="write", calls=calls, because=because))
    paired = run.paired.pair.target if run.paired else ""
    bound = next((one.one.bound for one in backs if one.one.bound != known.patient), "")
    return Decided(known, known.fingerprint, decision, by=BY, rest=known.rest, record=bound, paired=paired)


def _call(one: Back) -> Call:
    arguments = {
        name: Argument(value=value, source=Source(kind="before"), because=one.one.arguments[name].because)
        for name, value in one.back.items()
    }
    return Call(operation=one.one.operation, arguments=arguments, because=one.one.because)


def foretold(pages: Iterator[list[Back]], *, values: bool) -> Iterator[str]:
    """What an undo would do and what it cannot, as lines: each thing that stays, then the counts."""
    counts: Counter[str] = Counter()
    for page in pages:
        for one in page:
            counts["put back"] += len(one.back)
            counts["kept"] += len(one.kept)
            if one.why:
                counts[one.why] += 1
            if one.kept:
                who = f"patient {one.one.patient}" if values else f"entry {one.one.entry}"
                yield f"{who}: {one.one.operation}: {', '.join(one.kept)}: written since, and kept"
    yield f"{counts['put back']} values are put back; {counts['kept']} were written since, and are kept"
    yield from (f"{counts[why]} {meaning}" for why, meaning in MEANING.items() if counts[why])
