"""A dry run's preview: every field before → after, where it comes from and by which sentence.

It holds patient data, so it goes to the terminal of the person who asked and nowhere else.
"""

import json
from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from agent.plan import Argument, Call, Plan
from connectors.errors import ConnectorError
from connectors.operation import Arguments, Item
from flows import acts
from flows.explain import source_text
from flows.ledger import entries
from flows.ledger.plans import Decided
from flows.run import Candidate, Run

Group = Sequence[tuple[Candidate, Decided]]


def lines(run: Run, decided: Group) -> Iterator[str]:
    """What would become of these entries, and what would be written, field by field."""
    before = _before(run, decided)
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
            yield f"patient {patient}: {call.operation} by {' '.join(call.because)}"
            yield from _fields(call, before, f"{patient}.{at}")


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


def _before(run: Run, decided: Group) -> dict[str, Arguments | str | None]:
    """What the targets hold now, by patient and call; a code where that could not be read."""
    by_operation: dict[str, list[Item]] = {}
    for candidate, one in decided:
        outcome = one.decision.outcome
        for at, call in enumerate(outcome.calls if isinstance(outcome, Plan) else ()):
            item = Item(f"{candidate.known.patient}.{at}", one.patient(call.operation), call.values())
            by_operation.setdefault(call.operation, []).append(item)
    found: dict[str, Arguments | str | None] = {}
    for operation, items in by_operation.items():
        write = run.writes[operation]
        if write.present is None:
            continue
        act = f"records of {run.ledger.name} read for a dry run: {operation}"
        acts.note_beside(run.ledger, act, *(entries.hash_of(run.ledger, item.patient) for item in items))
        try:
            found.update(write.present(items))
        except ConnectorError as error:
            found.update({item.key: error.code for item in items})
    return found
