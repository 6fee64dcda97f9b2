"""Certify: the counts add up, what was written reads back, and only then the cursors move."""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from connectors.errors import ConnectorError
from connectors.operation import Arguments
from flows import anchor, deliver, steps
from flows.ledger import audit, deliveries, emission, entries, holds, measured, restored, runs
from flows.run import Run
from flows.staging import Stage
from flows.weigh import same

ACCOUNTED = (
    *("unchanged", "planned", "skipped", "review", "quarantined", "absent", "undecided"),
    *("echoes", "unlinked"),
)
SAMPLE = 25  # deliveries of each operation that are read back


def certify(run: Run) -> None:
    """End the run: complete, incomplete (something waits), or failed (the numbers are wrong)."""
    settled = deliveries.counts(run.ledger, run=run.id)
    for state, number in settled.items():
        run.counts[f"delivery_{state}"] = number
    _count_waiting(run)
    _read_back(run)
    run.counts["other_instructions"] = entries.decided_otherwise(run.ledger, run.versions.instructions)
    for warning in run.source.warnings:
        run.count("warned", code=warning.lower())
    everything = deliver.unsettled(run)
    run.state, run.code = _judgement(run, settled, everything)
    run.counts["created"], run.counts["emptied"] = run.breaker.creates, run.breaker.blanks
    run.counts[holds.KEPT_BACK] = holds.by_code(run.ledger).get(holds.ROLLOUT, 0)
    _measure(run)
    cursors = run.cursors if run.state != "failed" and not run.counts["undecided"] else {}
    closes = run.period if _ended_everything(run, everything) else None
    keep = run.deployment.integration.keep_entries
    runs.end(run.ledger, run.state, run.code, dict(run.counts), cursors, closes=closes, keep=keep)
    anchor.keep(run.ledger)


def _measure(run: Run) -> None:
    """What the run stored, asked and lasted, however it ends."""
    run.counts["stored_bytes"] = measured.stored(run.ledger)
    _count_requests(run)
    steps.whole(run)


def _count_requests(run: Run) -> None:
    """By system: of the source, and of each target; of a stage, too, what was read of the real one."""
    run.counts["source_requests"] = run.source.requests
    for name, target in run.targets.items():
        beside = run.paired.there.requests if run.paired and run.paired.pair.target == name else 0
        run.counts[f"{measured.REQUESTS}{name}"] = target.requests + beside
        if isinstance(target, Stage):
            run.counts[f"{measured.IMAGE}{name}"] = target.left + beside


def _count_waiting(run: Run) -> None:
    """Deliveries that wait for their week of the month are no failure: the run is complete without them."""
    if run.emission:
        waiting = emission.waiting(run.ledger, run.emission)
        here = sum(planned_by == run.id for planned_by in waiting.values())
        run.counts["waiting"], run.counts["delivery_waiting"] = len(waiting), here
        run.counts["delivery_planned"] -= here


def _ended_everything(run: Run, everything: Mapping[str, int]) -> bool:
    """Whether nothing more is to leave for this month: everyone was decided, everything left once."""
    read_all = run.kind not in ("retry", "undo") or bool(run.emission and run.emission.reopened)
    return (
        read_all
        and run.state != "failed"
        and not (run.counts["undecided"] or everything.get("planned") or run.reconciling)
    )


def _judgement(run: Run, settled: Mapping[str, int], everything: Mapping[str, int]) -> tuple[str, str]:
    counts = run.counts
    if counts["listed"] != sum(counts[name] for name in ACCOUNTED):
        return "failed", "entries_do_not_add_up"
    if counts["calls"] != sum(settled.values()):
        return "failed", "deliveries_do_not_add_up"
    if counts["read_back_differs"]:
        return "failed", "read_back_differs"
    counts["held_in_all"] = everything.get("held", 0)
    waiting = [state for state in ("planned", "sent", "unknown", "held") if everything.get(state)]
    reasons = {*waiting, *_open(run)}
    return ("incomplete", " ".join(sorted(reasons))) if reasons else ("complete", "")


def _open(run: Run) -> Iterator[str]:
    """What waits for a person, or for the next run, whichever run it comes from."""
    for name in ("undecided", "unread"):
        if run.counts[name]:
            yield name
    if entries.quarantined(run.ledger):
        yield "quarantined"
    if deliveries.refused(run.ledger):
        yield "delivery_rejected"
    if run.reconciling:
        yield restored.CODE


def _read_back(run: Run) -> None:
    """Compare a sample of what was written with what the target holds now.

    Where all that arrived was seen in the target's answers, in a run over everyone alone.
    """
    for operation, write in run.writes.items():
        if write.present is None or (write.shows and not run.counts["swept"]):
            continue
        sample = list(deliveries.sample_done(run.ledger, operation, SAMPLE, run.period))
        if not sample:
            continue
        audit.ahead(run.ledger, f"records read back: {operation}", *(one.item.key for one in sample))
        try:
            present = write.present([one.item for one in sample])
        except ConnectorError as error:
            run.count("not_read_back", len(sample), code=error.code)
            continue
        wrong = [one for one in sample if not _is_there(one.item.arguments, present.get(one.item.key))]
        run.count("read_back", (0 if write.shows else len(sample)) - len(wrong))  # what shows was counted
        if wrong:
            run.count("read_back_differs", len(wrong), code=operation)
            keys = [one.item.key for one in wrong]
            deliveries.move(run.ledger, keys, "rejected", deliveries.READ_BACK_DIFFERS)


def _is_there(written: Arguments, present: Arguments | None) -> bool:
    return present is not None and all(same(value, present.get(name)) for name, value in written.items())


def abandon(run: Run, code: str) -> None:
    """End a run that failed half-way. Cursors stay; what was planned goes out with the next run."""
    run.state, run.code = "failed", code
    _measure(run)
    runs.end(run.ledger, run.state, code, dict(run.counts), {})
    with suppress(anchor.AnchorUnavailable):  # the run failed already, for a reason that is to be told
        anchor.keep(run.ledger)
