"""A dry run's preview: every field before → after, where it comes from and by which sentence.

It holds patient data, so it goes to the terminal of the person who asked and nowhere else.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from agent.plan import Argument, Call, Plan
from connectors.errors import ConnectorError
from connectors.operation import Arguments, Item
from flows import acts, rollout
from flows.explain import source_text
from flows.ledger import entries, holds
from flows.ledger.deliveries import Due
from flows.ledger.plans import Decided
from flows.run import Candidate, Run

Group = Sequence[tuple[Candidate, Decided]]


def lines(run: Run, decided: Group) -> Iterator[str]:
    """What would become of these entries, and what would be written, field by field."""
    due = _due(decided)
    before = _before(run, due)
    waits = _waits(run, decided, due, before)
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
            why = f": waits for a person ({waits[key]})" if key in waits else ""
            yield f"patient {patient}: {call.operation} by {' '.join(call.because)}{why}"
            yield from _fields(call, before, key)


def _fields(call: Call, before: dict[str, Arguments | str | None], key: str) -> Iterator[str]:
    held = before.get(key, "")
    if held is None:
        yield "  there is no such record yet: it would be made"
    elif isinstance(held, str):
        yield f"  what the target holds now could not be read{f' ({held})' if held else ''}"
    for name, argument in call.arguments.items():
        source = source_text(argument.source.model_dump(mode="json"))
        yield f"  {name}: {_change(held, name, argument)} ← {source} by {' '.join(argument.because)}"


def _change(held: Arguments | str | None, name: str, argument: Argument) -> str:
    after = _text(argument.value)
    if held is None or isinstance(held, str):
        return after
    now = _text(held.get(name))
    return f"{now} (as it is)" if now == after else f"{now} → {after}"


def _text(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


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


def _waits(
    run: Run, decided: Group, due: Mapping[str, Sequence[Due]], before: Mapping[str, Arguments | str | None]
) -> dict[str, str]:
    """What would not leave by itself, and why: the breaker counts as it does in a run that is not dry."""
    plans = [one.decision.outcome for _, one in decided]
    changed = sum(isinstance(plan, Plan) and plan.kind == "write" for plan in plans)
    if code := run.breaker.planned(changed, sum(map(len, due.values())), run.shares()):
        return {one.item.key: code for planned in due.values() for one in planned}
    known = {key: held for key, held in before.items() if not isinstance(held, str)}
    waits: dict[str, str] = {}
    for operation, planned in due.items():
        waits |= run.breaker.held(planned, known, run.writes[operation])
    _, others = rollout.parted(run, [one for _, one in decided])
    later = {one.known.ref for one in others}
    return {one.item.key: holds.ROLLOUT for d in due.values() for one in d if one.entry in later} | waits
