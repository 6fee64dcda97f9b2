"""A dry run's preview: every field before → after, where it comes from and by which sentence.

It holds patient data, so it goes to the terminal of the person who asked and nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.plan import Argument, Call, Plan
from agent.visible import as_line, visible
from connectors.errors import ConnectorError
from connectors.operation import Arguments, Item
from flows import acts, rollout
from flows.agreeing import Weighed, weighed
from flows.explain import source_text
from flows.ledger import entries, holds, restored
from flows.ledger.deliveries import Due
from flows.ledger.plans import Decided
from flows.run import Candidate, Run

Group = Sequence[tuple[Candidate, Decided]]


@dataclass
class Foreseen:
    """What would become of calls, by patient and call.

    before: what the targets hold now; a code where that could not be read. waits: the codes of what would not
    leave by itself. stays: names of what would not be sent, since what is there stands. done: calls of which
    nothing would be sent. later: those whose other side cannot be read now.
    """

    before: dict[str, Arguments | str | None]
    waits: dict[str, str] = field(default_factory=dict[str, str])
    stays: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    done: set[str] = field(default_factory=set[str])
    later: set[str] = field(default_factory=set[str])


def lines(run: Run, decided: Group) -> Iterator[str]:
    """What would become of these entries, and what would be written, field by field."""
    due = _due(decided)
    seen = Foreseen(_before(run, due))
    _foresee(run, decided, due, seen)
    for candidate, one in decided:
        outcome = one.decision.outcome
        patient = candidate.known.patient
        if not isinstance(outcome, Plan):
            yield f"patient {patient}: refused ({':'.join(filter(None, (outcome.code, outcome.where)))})"
            continue
        if outcome.kind != "write":
            word = "skip" if outcome.kind == "skip" else "for a person to review"
            yield f"patient {patient}: {word} by {' '.join(outcome.because)} ({outcome.reason})"
            continue
        for at, call in enumerate(outcome.calls):
            key = f"{patient}.{at}"
            yield f"patient {patient}: {call.operation} by {' '.join(call.because)}{_becomes(seen, key)}"
            yield from _fields(call, seen, key)


def _becomes(seen: Foreseen, key: str) -> str:
    """Why a call would not leave; "" if it would."""
    if key in seen.waits:
        return f": waits for a person ({seen.waits[key]})"
    if key in seen.later:
        return ": waits for a later run, since the other side cannot be read now"
    return ": nothing is sent, what is there stays" if key in seen.done else ""


def _fields(call: Call, seen: Foreseen, key: str) -> Iterator[str]:
    held = seen.before.get(key, "")
    if held is None:
        yield "  there is no such record yet: it would be made"
    elif isinstance(held, str):
        yield f"  what the target holds now could not be read{f' ({held})' if held else ''}"
    for name, argument in call.arguments.items():
        source = visible(source_text(argument.source.model_dump(mode="json"), None))
        change = _change(held, name, argument, stays=name in seen.stays.get(key, ()))
        yield f"  {name}: {change} ← {source} by {' '.join(argument.because)}"


def _change(held: Arguments | str | None, name: str, argument: Argument, *, stays: bool) -> str:
    after = as_line(argument.value)
    if held is None or isinstance(held, str):
        return f"{after} (is not sent: what is there stays)" if stays else after
    now = as_line(held.get(name))
    if now == after:
        return f"{now} (as it is)"
    return f"{now} (stays, and is not {after})" if stays else f"{now} → {after}"


def _due(decided: Group) -> dict[str, list[Due]]:
    """What would be planned, by operation."""
    found: dict[str, list[Due]] = {}
    for candidate, one in decided:
        outcome, known = one.decision.outcome, candidate.known
        for at, call in enumerate(outcome.calls if isinstance(outcome, Plan) else ()):
            item = Item(f"{known.patient}.{at}", one.patient(call.operation), call.values())
            due = Due(item, known.ref, known.version + 1, "planned", "", None, None, newest=True)
            found.setdefault(call.operation, []).append(due)
    return found


def _before(run: Run, due: Mapping[str, Sequence[Due]]) -> dict[str, Arguments | str | None]:
    """What the targets hold now, by patient and call; a code where that could not be read."""
    found: dict[str, Arguments | str | None] = {}
    for operation, planned in due.items():
        write, items = run.writes[operation], [one.item for one in planned]
        if write.present is None:
            continue
        act = f"records of {run.ledger.name} read for a dry run: {operation}"
        acts.note_beside(run.ledger, act, *(entries.hash_of(run.ledger, item.patient) for item in items))
        try:
            found.update(write.present(items))
        except ConnectorError as error:
            found.update({item.key: error.code for item in items})
    return found


def _foresee(run: Run, decided: Group, due: Mapping[str, Sequence[Due]], seen: Foreseen) -> None:
    """As in a run that is not dry: what is held from the start, what stays, and what the breaker lets go."""
    if code := _held_from_the_start(run, decided, due):
        seen.waits = {one.item.key: code for planned in due.values() for one in planned}
        return
    for operation in run.writes:
        if planned := due.get(operation):
            _weigh(run, operation, planned, seen)
    _, others = rollout.parted(run, [one for _, one in decided])
    later = {one.known.ref for one in others}
    keys = [one.item.key for planned in due.values() for one in planned if one.entry in later]
    seen.waits = dict.fromkeys(keys, holds.ROLLOUT) | seen.waits


def _held_from_the_start(run: Run, decided: Group, due: Mapping[str, Sequence[Due]]) -> str:
    """The code under which all of it would wait, whatever the targets hold; "" if it would not."""
    if run.reconciling:
        return restored.CODE
    plans = [one.decision.outcome for _, one in decided]
    changed = sum(isinstance(plan, Plan) and plan.kind == "write" for plan in plans)
    return run.breaker.planned(changed, sum(map(len, due.values())), run.shares())


def _weigh(run: Run, operation: str, planned: Sequence[Due], seen: Foreseen) -> None:
    known = {
        one.item.key: held
        for one in planned
        if not isinstance(held := seen.before.get(one.item.key, ""), str)
    }
    said = Weighed(list(planned))
    if not any(seen.before.get(one.item.key) for one in planned if one.item.key not in known):
        try:
            said = weighed(run, operation, planned, known)
        except ConnectorError as error:
            seen.before |= {one.item.key: error.code for one in planned}
            return
    seen.waits |= said.waits | run.breaker.held(said.leaving, known, run.writes[operation])
    seen.stays |= said.stays
    seen.done |= {one.item.key for one in said.done}
    seen.later |= said.unread
