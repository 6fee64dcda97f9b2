"""The report of a run: what happened to how many, and why. Counts and codes only."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows import emit
from flows.run import Run

ENTRY_LINES = (
    ("listed", "entries read because they may have changed"),
    ("unchanged", "are as they were last handled: nothing was done"),
    ("planned", "changed: a plan was made"),
    ("skipped", "changed: the instructions say to leave them"),
    ("review", "changed: a person must decide"),
    ("quarantined", "changed: refused by the gate, or not decided"),
    ("absent", "were not given by the source"),
    ("undecided", "could not be worked on; they stay open"),
)
DELIVERY_LINES = (
    ("delivery_done", "arrived"),
    ("delivery_rejected", "the target refused"),
    ("delivery_planned", "could not be sent yet; the next run sends them"),
    ("delivery_waiting", "wait for their week of the month"),
    ("delivery_sent", "left and are not confirmed; the next run looks"),
    ("delivery_unknown", "nobody can say whether they arrived"),
    ("delivery_held", "wait for a person"),
    ("delivery_superseded", "were overtaken by a newer version of the entry"),
)
REASONS = ("skipped", "review", "quarantined", "absent", "troubles", "outcome_rejected", "outcome_unknown",
           "outcome_transient", "held_up", "read_back_differs", "not_read_back")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    what: str
    meaning: str


def rows(run: Run) -> Iterator[Row]:
    """Every count of a run that is worth a line, in the order of an entry's way."""
    always = ("listed", "unchanged", "planned", "delivery_done")
    for name, meaning in (*ENTRY_LINES, *DELIVERY_LINES):
        if run.counts[name] or name in always:
            yield Row(run.counts[name], name.removeprefix("delivery_"), meaning)
    yield from _month(run)
    yield Row(run.counts["model_requests"], "model requests", "asked of a model over the network")
    yield Row(run.source.requests, "source requests", "asked of Healthie; none named a session note (guard)")
    yield Row(
        run.counts["read_back"], "read back", "of those that arrived, compared with the target: the same"
    )


def _month(run: Run) -> Iterator[Row]:
    """Of an integration that delivers in one week of the month: what left for it, what waits for the next."""
    if run.emission:
        left = run.counts["outcome_done"]
        if run.period or left:
            yield Row(left, "left", f"for {run.emission.period}, whenever they were planned, and arrived")
        yield Row(run.counts["waiting"], "waiting", f"in all: each {emit.waits(run.emission)}")


def reasons(run: Run) -> Iterator[Row]:
    """Why: the codes behind the counts."""
    for name, number in sorted(run.codes.items()):
        kind, _, code = name.partition(" ")
        if kind in REASONS:
            yield Row(number, kind.removeprefix("outcome_"), code)


def headline(run: Run) -> str:
    kind = "dry run" if run.dry else f"run {run.id}"
    ended = f"{run.state}: {run.code}" if run.code else run.state
    return f"{run.deployment.label}, {kind}, {run.mode}: {ended}"


def markdown(run: Run) -> str:
    """The report as Prefect's markdown artifact."""
    lines = [f"# {headline(run)}", "", "| | | |", "|---:|---|---|"]
    lines += [f"| {row.number} | {row.what} | {row.meaning} |" for row in rows(run)]
    if why := list(reasons(run)):
        lines += ["", "## Why", "", "| | | |", "|---:|---|---|"]
        lines += [f"| {row.number} | {row.what} | `{row.meaning}` |" for row in why]
    return "\n".join(lines)


def table(run: Run) -> list[dict[str, str | int]]:
    """The report as Prefect's table artifact."""
    return [
        {"number": row.number, "what": row.what, "meaning": row.meaning}
        for row in (*rows(run), *reasons(run))
    ]
