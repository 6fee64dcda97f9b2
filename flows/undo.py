"""Undo: what a run wrote is put back to what the target held before, where the target still holds our value.

What a person, or a later run, wrote since stays and is listed. An undo is planned, journalled and delivered
as everything else, and can be undone itself; flows/still.py looks once more right before it leaves. What the
run had not sent yet is not sent any more. Deletes are off: a record that the run made stays.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from agent.plan import Argument, Call, Decision, Plan, Source
from connectors.errors import ConnectorError
from connectors.operation import Item
from flows import acts
from flows.boundary import CodedFailure
from flows.ledger import audit, emission, entries, kept, plans, written
from flows.ledger.kept import RunUnknown
from flows.ledger.newest import UNDO
from flows.ledger.plans import Decided
from flows.ledger.store import now
from flows.ledger.written import Written
from flows.naming import told
from flows.putback import AGAIN, MEANING, Back, Why, compared, hopeless, taken, toggled
from flows.run import Run


def of_run(run: Run, of: str) -> Iterator[list[Back]]:
    """What an undo of a run would do, page by page. Only reads leave.

    Raises:
        RunUnknown: it is none of this integration's.
    """
    past = kept.find(run.ledger.engine, of) if of else None
    if past is None or (past.label, past.mode) != run.ledger.of:
        raise RunUnknown(
            f"{told(*run.ledger.of)}: has no run {of or 'that is named'}; name one as its report does"
        )
    for page in written.of_run(run.ledger, of):
        overtaken = list({one.entry for one in page if not one.newest})
        waits = written.on_their_way(run.ledger, overtaken, _reason(of))
        found: list[Back] = []
        for operation in dict.fromkeys(one.operation for one in page):
            found += _of_operation(run, [one for one in page if one.operation == operation], waits)
        yield found


def _reason(of: str) -> str:
    return f"undo of {of}"


def _of_operation(run: Run, page: Sequence[Written], waits: set[str]) -> Iterator[Back]:
    operation = page[0].operation
    write, opposite = run.writes.get(operation), _opposite(run, operation)
    why: dict[str, Why | Literal[""]] = {
        one.key: hopeless(run, write, one, waits, toggles=bool(opposite)) for one in page
    }
    for one in page:
        if found := why[one.key]:
            yield Back(one, why=found)
    able = [one for one in page if not why[one.key]]
    if not able or write is None or write.present is None:
        return
    items = [Item(one.key, one.bound, taken(write, one)) for one in able]
    _note_reading(run, operation, items)
    try:
        present = write.present(items)
    except ConnectorError:
        yield from (Back(one, why="not_readable") for one in able)
        return
    later = written.later(run.ledger, able, opposite)
    for one in able:
        there, since = present.get(one.key), later.get(one.key, [])
        if opposite:
            yield toggled(one, opposite, there, since)
        else:
            yield compared(run, write, one, there, since)


def _opposite(run: Run, operation: str) -> str:
    """The granted write of the same target that takes this one back; "" if there is none."""
    for target in run.targets:
        short = operation.removeprefix(f"{target}_")
        if short != operation:
            named = run.writes[operation].opposite if operation in run.writes else ""
            others = [name for name in run.writes if name.startswith(f"{target}_")]
            return next((one for one in others if _take_back(run, target, one, short, named)), "")
    return ""


def _take_back(run: Run, target: str, one: str, short: str, named: str) -> bool:
    return one.removeprefix(f"{target}_") == named or run.writes[one].opposite == short


def _note_reading(run: Run, operation: str, items: Sequence[Item]) -> None:
    """First the audit, then the read. Who only looks has no lease: it is noted where people's acts are."""
    keys = [item.key for item in items]
    if run.dry:
        acts.note_beside(run.ledger, f"records of {run.ledger.name} read for an undo: {operation}", *keys)
    else:
        audit.ahead(run.ledger, f"records read for an undo: {operation}", *keys)


def plan(run: Run, of: str) -> None:
    """Journal what puts a run's writes back, as a new version of each of its entries.

    Raises:
        RunUnknown. CodedFailure: the ledger is older than its targets, so that nothing is to be sent.
    """
    if run.reconciling:
        label = run.deployment.label
        text = f"{label}: its ledger was restored, and what it holds waits; first: ferry release {label}"
        raise CodedFailure("ledger_restored", text)
    for page in of_run(run, of):
        _count(run, page)
        _journal(run, of, page)


def foresee(run: Run, of: str) -> None:
    """Count what an undo would do, and do nothing."""
    for page in of_run(run, of):
        _count(run, page)
        run.count("put_back", sum(one.number for one in page))


def _count(run: Run, page: Sequence[Back]) -> None:
    for one in page:
        run.count("undo_kept", len(one.named("written_since")))
        for code in one.reasons:
            if code not in ("written_since", "as_before"):
                run.count("not_undone", code=code)
        run.count("withdrawn", int(one.one.is_open and not one.one.may_be_there))
    again = {one.one.entry for one in page if one.why in AGAIN}
    run.count("undecided", len(again))
    run.count("listed", len(again))


def _journal(run: Run, of: str, page: Sequence[Back]) -> None:
    """Of whom something is put back, and of whom something was still to be sent: that is void then."""
    by_patient: dict[str, list[Back]] = {}
    for one in page:
        if one.back or one.one.is_open:
            by_patient.setdefault(one.one.patient, []).extend([one] if one.back else [])
    known = entries.known(run.ledger, list(by_patient))
    decided = [_decided(run, of, known[patient], backs) for patient, backs in by_patient.items()]
    run.count("listed", len(decided))
    run.count("planned", len(decided))
    run.count("calls", sum(map(len, by_patient.values())))
    if decided:
        # a person asked for exactly these: the breaker does not look at them, and they wait for no week
        also = {"released": now(), "period": emission.ANY if run.emission else None}
        plans.journal(run.ledger, decided, run.versions, run.writes, also=also)


def _decided(run: Run, of: str, known: entries.Known, backs: Sequence[Back]) -> Decided:
    calls = tuple(_call(one) for one in backs)
    because = tuple(dict.fromkeys(number for call in calls for number in call.because))
    outcome = Plan(kind="write" if calls else "skip", calls=calls, because=because, reason=_reason(of))
    bound = next((one.one.bound for one in backs if one.one.bound != known.patient), "")
    return Decided(
        known,
        known.fingerprint,
        Decision(outcome=outcome),
        by=UNDO,
        record=bound,
        paired=run.paired.pair.target if run.paired else "",
        over=tuple(one.over for one in backs),
    )


def _call(one: Back) -> Call:
    arguments = {
        name: Argument(value=value, source=Source(kind="before"), because=one.one.arguments[name].because)
        for name, value in one.back.items()
    }
    return Call(operation=one.operation, arguments=arguments, because=one.one.because)


def foretold(pages: Iterator[list[Back]], *, values: bool) -> Iterator[str]:
    """What an undo would do and what it cannot, as lines: each thing that stays, then the counts."""
    put_back, kept_ones, stay = 0, 0, Counter[tuple[Why, str]]()
    for page in pages:
        for one in page:
            put_back += one.number
            if written_since := one.named("written_since"):
                kept_ones += len(written_since)
                who = f"patient {one.one.patient}" if values else f"entry {one.one.entry}"
                names = ", ".join(written_since)
                yield f"{who}: {one.one.operation}: {names}: written since, and kept"
            for why in one.reasons:
                stay[why, one.one.operation] += 1
    yield f"{put_back} values are put back; {kept_ones} were written since, and are kept"
    for why, meaning in MEANING.items():
        found = {operation: number for (code, operation), number in stay.items() if code == why}
        if found:
            by = ", ".join(f"{number} {operation}" for operation, number in sorted(found.items()))
            yield f"{sum(found.values())} {meaning} ({by})"
