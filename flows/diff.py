"""Diff: what a run wrote, or would write, field by field: before → after, its source, and its sentence.

Of a staged run it is what the stage recorded. Values are shown only if asked for.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from agent.visible import as_line, visible
from flows import acts
from flows.declared import names
from flows.differing import masked
from flows.explain import meaning, source_text
from flows.ledger import written
from flows.ledger.store import Ledger
from flows.ledger.written import Written
from flows.naming import told
from flows.opening import labelled, open_ledger
from flows.settings import Settings
from flows.tenants import load


def diff(settings: Settings, run: str, *, values: bool) -> Iterator[str]:
    """Lines, as they are read: however large the run was, a page of it is held.

    Raises:
        RunUnknown, StageOver, IntegrationInvalid, LedgerUnavailable, AnchorUnavailable.
    """
    label, mode = labelled(settings, run)
    deployment = load(settings.deployments, label)
    ledger = open_ledger(settings, deployment, mode)
    try:
        telling = _Telling(None if values else names(deployment), staged=mode == "staging")
        yield from map(visible, _lines(ledger, run, telling))
    finally:
        ledger.close()


def _lines(ledger: Ledger, run: str, telling: "_Telling") -> Iterator[str]:
    acts.note_beside(
        ledger, f"writes of {ledger.name} shown{' with their values' if telling.values else ''}", run
    )
    counts: Counter[str] = Counter()
    for page in written.of_run(ledger, run):
        for one in page:
            counts.update(_kinds(one))
            yield from telling.told(one)
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


@dataclass(frozen=True, slots=True)
class _Telling:
    """How writes are told. names: of the source, where values are not shown; None where they are."""

    names: Collection[str] | None
    staged: bool

    @property
    def values(self) -> bool:
        return self.names is None

    def told(self, one: Written) -> Iterator[str]:
        who = f"patient {one.patient}" if self.values else f"entry {one.entry}"
        record = " (a new record)" if one.creates else ""
        state = meaning(one.state, staged=self.staged) + (f" ({one.code})" if one.code else "")
        yield f"{who}: {one.operation} by {' '.join(one.because)}{record}: {state}; key {one.key}"
        for name, argument in one.arguments.items():
            source = source_text(argument.source.model_dump(mode="json"), self.names)
            yield f"  {name}: {self._change(one, name)} ← {source} by {' '.join(argument.because)}"

    def _change(self, one: Written, name: str) -> str:
        after = self._text(one.arguments[name].value)
        if name in one.left_out:
            return f"{after} (not sent: what is there stands)"
        if not one.read or one.before is None:
            return after
        if not one.changes(name):
            return f"{after} (as it is)"
        before = self._text(one.before[name]) if name in one.before else "not set"
        return f"{before} → {after}"

    def _text(self, value: JsonValue) -> str:
        return as_line(value) if self.values else masked(value)
