"""Diff: what a run wrote, or would write, field by field: before → after, its source, and its sentence.

Of a staged run it is what the stage recorded. Values are shown only if asked for.
"""

import json
from collections import Counter
from collections.abc import Iterator

from pydantic import JsonValue

from flows import acts
from flows.differing import masked
from flows.explain import meaning, source_text
from flows.ledger import written
from flows.ledger.store import Ledger
from flows.ledger.written import Written
from flows.naming import mode_of, told
from flows.opening import labelled, open_ledger
from flows.settings import Settings
from flows.tenants import load


def diff(settings: Settings, run: str, *, values: bool) -> Iterator[str]:
    """Lines, as they are read: however large the run was, a page of it is held.

    Raises:
        RunUnknown, StageOver, IntegrationInvalid, LedgerUnavailable, AnchorUnavailable.
    """
    label, mode = labelled(settings, run)
    ledger = open_ledger(settings, load(settings.deployments, label), mode)
    try:
        yield from _lines(ledger, run, values=values)
    finally:
        ledger.close()


def _lines(ledger: Ledger, run: str, *, values: bool) -> Iterator[str]:
    acts.note_beside(ledger, f"writes of {ledger.name} shown{' with their values' if values else ''}", run)
    counts: Counter[str] = Counter()
    staged = mode_of(ledger.name)[1] == "staging"
    for page in written.of_run(ledger, run):
        for one in page:
            counts.update(_kinds(one))
            yield from _told(one, values=values, staged=staged)
    yield ""
    yield f"run {run} of {told(*ledger.of)}: {_summary(counts)}"


def _kinds(one: Written) -> list[str]:
    if not one.read:
        return ["writes", "not compared"]
    if one.creates:
        return ["writes", "new records"]
    changed = sum(one.changes(name) for name in one.arguments)
    return ["writes", *["fields changed"] * changed, *([] if changed else ["without a change"])]


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items()) or "it planned no write"


def _told(one: Written, *, values: bool, staged: bool) -> Iterator[str]:
    who = f"patient {one.patient}" if values else f"entry {one.entry}"
    record = " (a new record)" if one.creates else ""
    state = meaning(one.state, staged=staged)
    yield f"{who}: {one.operation} by {' '.join(one.because)}{record}: {state}{_code(one)}"
    for name, argument in one.arguments.items():
        source = source_text(argument.source.model_dump(mode="json"))
        yield f"  {name}: {_change(one, name, values=values)} ← {source} by {' '.join(argument.because)}"


def _code(one: Written) -> str:
    return f" ({one.code})" if one.code else ""


def _change(one: Written, name: str, *, values: bool) -> str:
    after = _text(one.arguments[name].value, values=values)
    if name in one.left_out:
        return f"{after} (not sent: what is there stands)"
    if not one.read or one.before is None:
        return after
    if not one.changes(name):
        return f"{after} (as it is)"
    before = _text(one.before[name], values=values) if name in one.before else "not set"
    return f"{before} → {after}"


def _text(value: JsonValue, *, values: bool) -> str:
    return json.dumps(value, ensure_ascii=False) if values else masked(value)
