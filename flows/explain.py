"""Explain: why did, or didn't, this patient's entry arrive? Read from the ledger alone."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence

import sqlalchemy as sa
from pydantic import JsonValue

from agent.access import PROGRAM
from agent.visible import as_line, visible
from flows import emit, naming
from flows.declared import names
from flows.differing import masked_path
from flows.ledger import emission, entries
from flows.ledger.newest import UNDO
from flows.ledger.store import Ledger
from flows.ledger.tables import DELIVERY, ENTRY, PLAN
from flows.run import version_of
from flows.tenants import Deployment

VERSIONS = 5  # the newest ones that are told of

MEANING = {
    "planned": "is planned and not sent yet; the next run sends it",
    "sent": "left, and the run was cut off before the answer; the next run looks",
    "done": "delivered",
    "rejected": "refused by the target",
    "unknown": "nobody can say whether it arrived; a person must look (ferry status)",
    "held": "waits for a person",
    "superseded": "void: a newer version was decided, or the target had one, or a person dropped it",
}

IN_STAGING = {
    "planned": "would be sent; the next staged run goes on with it",
    "sent": "the run was cut off; the next staged run goes on with it",
    "done": "would be delivered",
    "rejected": "would be refused by the target",
    "unknown": "nobody can say what would come of it",
    "held": "would wait for a person",
    "superseded": "void: a newer version was decided, or a person dropped it",
}


def meaning(state: str, *, staged: bool) -> str:
    """What a delivery's state means; of a staged run, what it would mean."""
    return (IN_STAGING if staged else MEANING)[state]


def explain(deployment: Deployment, ledger: Ledger, patient: str, *, values: bool) -> Iterator[str]:
    """Lines that tell an entry's story, newest version first. Values only if asked for."""
    yield from map(visible, _lines(deployment, ledger, patient, values=values))


def _lines(deployment: Deployment, ledger: Ledger, patient: str, *, values: bool) -> Iterator[str]:
    row = _entry(ledger, patient)
    if row is None:
        yield f"patient {patient}: never seen by {naming.told(*ledger.of)}. No run has read this entry."
        yield f"Is it the right id? A full sweep reads everyone: ferry run {naming.typed(*ledger.of)} --sweep"
        return
    yield f"patient {patient} is {row.ref} in {naming.told(*ledger.of)}; version {row.version}, {_state(row)}"
    yield f"last read {_time(row.seen)} by run {row.seen_run}" + _unchanged(row)
    if row.again_on:
        yield f"will be decided again on {row.again_on} although nothing changes (a date rule)"
    for at, plan in enumerate(_plans(ledger, row.ref)):
        yield ""
        told = _Told(deployment, plan, values=values) if at == 0 else None
        yield from _plan(ledger, plan, told)
    yield ""
    for sentence in deployment.instructions.sentences:
        yield f"{sentence.number}: {sentence.text}"


def _entry(ledger: Ledger, patient: str) -> "sa.Row[tuple[object, ...]] | None":
    found = sa.select(ENTRY).where(
        ENTRY.c.integration == ledger.integration, ENTRY.c.patient_hash == entries.hash_of(ledger, patient)
    )
    with ledger.reading() as connection:
        return connection.execute(found).one_or_none()


def _plans(ledger: Ledger, ref: str) -> "list[sa.Row[tuple[object, ...]]]":
    newest = sa.select(PLAN).where(PLAN.c.entry == ref).order_by(PLAN.c.version.desc()).limit(VERSIONS)
    with ledger.reading() as connection:
        return list(connection.execute(newest))


def _state(row: "sa.Row[tuple[object, ...]]") -> str:
    if row.state == "quarantined":
        left = max(0, entries.ATTEMPTS - row.attempts)
        later = f"will be tried {left} more times" if left else "waits for a change or for: ferry retry"
        return f"quarantined ({row.code}); {later}"
    if row.state == "absent":
        return f"absent: the source did not give it ({row.code})"
    return f"{row.state} ({row.code})" if row.code else str(row.state)


def _unchanged(row: "sa.Row[tuple[object, ...]]") -> str:
    if row.decided is not None and row.seen > row.decided:
        return f"; unchanged since it was decided {_time(row.decided)}"
    return ""


def _plan(ledger: Ledger, plan: "sa.Row[tuple[object, ...]]", told: "_Told | None") -> Iterator[str]:
    yield f"version {plan.version}, decided {_time(plan.made)} by run {plan.run}: {_decision(plan)}"
    content = json.loads(ledger.seal.open(plan.sealed, "plan"))
    calls = content["outcome"].get("calls", [])
    judged: dict[str, str] = content["outcome"].get("judged", {})  # options by sentence, where any was asked
    with ledger.reading() as connection:
        rows = connection.execute(
            sa.select(DELIVERY).where(DELIVERY.c.plan == plan.id).order_by(DELIVERY.c.ordinal)
        ).all()
    month = emission.latest(ledger)
    waiting = list(emission.waiting(ledger, month, entry=plan.entry)) if month else []
    for row in rows:
        waits = emit.waits(month) if month and row.key in waiting else ""
        yield from _delivery(row, waits or meaning(row.state, staged=ledger.of[1] == "staging"))
        if told:
            yield from told.fields(calls[row.ordinal]["arguments"], judged)


def _delivery(row: "sa.Row[tuple[object, ...]]", state: str) -> Iterator[str]:
    code = f" ({row.code})" if row.code else ""
    when = f" {_time(row.settled)}" if row.settled else ""
    attempts = f", sent {row.attempts} times" if row.attempts > 1 else ""
    yield f"  {row.operation} by {row.because}: {state}{when}{code}{attempts}; key {row.key}"
    if row.left_out:
        yield f"    not sent, since what is there stands: {', '.join(row.left_out)}"


class _Told:
    """How the written values of a plan are told: sentence, source fields, who decided."""

    def __init__(self, deployment: Deployment, plan: "sa.Row[tuple[object, ...]]", *, values: bool) -> None:
        self._by, self._values = str(plan.by), values
        self._names = None if values else names(deployment)
        # Which fields a sentence needs is known of the instructions that are there, and of no others.
        same = plan.instructions == version_of(deployment)
        self._manifest = deployment.manifest if same else None

    def fields(
        self, arguments: Mapping[str, Mapping[str, JsonValue]], judged: Mapping[str, str]
    ) -> Iterator[str]:
        for name, argument in arguments.items():
            value = f" = {as_line(argument['value'])}" if self._values else ""
            because = _texts(argument["because"])
            source = source_text(argument["source"], self._names)
            source += self._decided_from(argument["source"], because)
            yield f"    {name}{value} ← {source} by {' '.join(because)} ({self._mode(because, judged)})"

    def _decided_from(self, source: JsonValue, because: Sequence[str]) -> str:
        """A value that names no field of its own was chosen by those that its sentences need."""
        assert isinstance(source, dict)
        if source["paths"] or source["kind"] == "before" or self._manifest is None:
            return ""
        needed = dict.fromkeys(path for one in because for path in self._manifest.root.get(one, ()))
        return f", decided from {', '.join(needed)}" if needed else ""

    def _mode(self, because: Sequence[str], judged: Mapping[str, str]) -> str:
        asked = {label.partition(".")[0] for label in judged}  # S5, S5.2: asked twice
        if asked.intersection(because):
            return "judgement"
        return self._by if self._by in (PROGRAM, UNDO) else f"model {self._by}"


def _texts(listed: JsonValue) -> list[str]:
    assert isinstance(listed, list)
    return [str(one) for one in listed]


def source_text(source: JsonValue, names: Collection[str] | None) -> str:
    """Where a value comes from, as a person reads it: `@phone_number|e164`, `computed from dob`.

    names: of a path nothing else is shown, see `differing.masked_path`; None: to who sees values, all of it.
    """
    assert isinstance(source, dict)
    paths, transforms = source["paths"], source["transforms"]
    assert isinstance(paths, list) and isinstance(transforms, list)
    shown = [str(path) if names is None else masked_path(str(path), names) for path in paths]
    listed = ", ".join(shown)
    if source["kind"] in ("leaf", "transform"):
        return "|".join([f"@{listed}", *(str(name) for name in transforms)])
    if source["kind"] == "computed":
        return f"computed from {listed}" if listed else "computed"
    if source["kind"] == "before":
        return "what was there before"
    return str(source["kind"]).replace("_", " ")


def _decision(plan: "sa.Row[tuple[object, ...]]") -> str:
    if plan.by == UNDO:
        return f"{plan.code}: what was there before is put back" if plan.kind == "write" else str(plan.code)
    if plan.kind == "write":
        return "planned"
    if plan.kind == "refused":
        return f"refused ({plan.code})"
    because = f" by {plan.because}" if plan.because else ""
    reason = f" ({plan.code})" if plan.code else ""
    return f"{'skipped' if plan.kind == 'skip' else 'for a person to review'}{because}{reason}"


def _time(moment: object) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
