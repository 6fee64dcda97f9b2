"""Beside: what the shadow version makes of the entries that the live one has decided. It writes nothing."""

from collections.abc import Sequence

from agent.agent import Case, is_transient
from agent.difference import Difference, differences
from connectors.entry import Entry, Found
from connectors.errors import ConnectorError
from flows.ledger import entries, shadows
from flows.ledger.plans import Decided
from flows.run import Run
from flows.shadow import Beside


def decide(run: Run, beside: Beside, cases: Sequence[Case], decided: Sequence[Decided]) -> None:
    """Decide these entries once more, and keep where that comes out otherwise.

    What either version could not decide for now (its model does not answer) is not compared.
    """
    read = _entries(run, beside, cases, decided)
    there = [
        (Case(case.patient, read[case.patient], case.known, case.today), one)
        for case, one in zip(cases, decided, strict=True)
        if case.patient in read and not one.transient
    ]
    found: dict[str, tuple[Difference, ...]] = {}
    compared = 0
    decisions = beside.decider.decide([case for case, _ in there])
    for (_, live), decision in zip(there, decisions, strict=True):
        if is_transient(decision.outcome):
            continue
        compared += 1
        if differing := differences(live.decision.outcome, decision.outcome):
            found[live.plan] = differing
    run.count("shadow_requests", sum(one.model_requests for one in decisions))
    run.count("shadow_left_out", len(cases) - compared)
    if compared:
        shadows.journal(run.ledger, beside.version, compared, found)
        run.count(shadows.COMPARED, compared)
        run.count(shadows.DIFFERING, len(found))


def _entries(run: Run, beside: Beside, cases: Sequence[Case], decided: Sequence[Decided]) -> dict[str, Entry]:
    """The entries with the version's own fields: those at hand if they are the same, else read."""
    if set(beside.fields) == set(run.deployment.manifest.paths):
        return {case.patient: case.entry for case in cases}
    with run.ledger.writing("read beside") as connection:
        entries.reading(run.ledger, connection, [one.known for one in decided])
    try:
        readings = list(run.source.read([case.patient for case in cases], beside.fields))
    except ConnectorError as error:
        run.count("shadow_unread", len(cases), code=error.code)
        return {}
    return {one.patient: one.entry for one in readings if isinstance(one, Found)}
