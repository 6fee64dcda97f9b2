"""The report of a run: what happened to how many, and why. Counts and codes only."""

from collections.abc import Iterator
from dataclasses import dataclass

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import emit, flow_runs, trend
from flows.ledger import deliveries, entries, holds
from flows.naming import joined, told, typed
from flows.review.door import link
from flows.run import Run
from flows.settings import Settings
from flows.staging import Stage

WAITING = frozenset({"Incomplete", "Held", "Refusals", "DryRunIncomplete"})
"""Names of states of runs that ended well, and after which something waits."""
FEW = 5  # refused deliveries; fewer are no share

ENTRY_LINES = (
    ("listed", "entries read because they may have changed"),
    ("unchanged", "are as they were last handled: nothing was done"),
    ("planned", "changed: a plan was made"),
    ("skipped", "changed: the instructions say to leave them"),
    ("review", "changed: a person must decide"),
    ("quarantined", "changed: refused by the gate, or not decided"),
    ("absent", "were not given by the source"),
    ("unread", "of those, listed by the source and not given: asked for again by the next runs"),
    ("undecided", "could not be worked on; they stay open"),
    ("echoes", "changed only by what the opposite integration wrote: nothing was done"),
    ("unlinked", "were never written for an entry of the opposite integration: left alone"),
    ("stepped_in", "were decided by the fallback: the model did not answer"),
    ("shadow_compared", "were decided by the version beside, too; it writes nothing"),
    ("shadow_differing", "of those, decided otherwise: ferry promote"),
    ("shadow_requests", "model requests were made for the version beside, on a budget of its own"),
)
DELIVERY_LINES = (
    ("open_before", "were planned by earlier runs and have not arrived: they come first"),
    ("delivery_done", "arrived"),
    ("delivery_rejected", "the target refused"),
    ("delivery_planned", "could not be sent yet; the next run sends them"),
    ("delivery_waiting", "wait for their week of the month"),
    ("delivery_sent", "left and are not confirmed; the next run looks"),
    ("delivery_unknown", "nobody can say whether they arrived"),
    ("delivery_held", "wait for a person"),
    ("delivery_superseded", "were overtaken by a newer version, here or there, or dropped by a person"),
    ("released", "had been held: a person let them go in this run"),
    ("discarded", "had been held: a person dropped them in this run"),
    ("created", "records were made that the target did not have"),
    ("emptied", "values of the target became empty"),
    ("rolled_out", "waited for those that go first, and followed: enough of these arrived"),
    ("put_back", "values would be put back"),
    ("undo_kept", "values were written since the run that is undone, and stay"),
    ("not_undone", "of what it wrote cannot be put back"),
    ("withdrawn", "of what it planned had not arrived, and is not sent any more"),
    ("overwritten", "values that a person had edited there were replaced, as their owner says"),
    ("yielded", "values are newer there: the opposite integration carries them"),
    ("owned_there", "values were edited here and are the other side's: it keeps its own"),
    ("contested", "values were edited on both sides: a person makes them the same; see: ferry status"),
)
IN_STAGING = {
    "delivery_done": "would arrive, if it were live",
    "delivery_rejected": "the target would refuse",
    "delivery_planned": "could not be staged yet; the next staged run goes on with them",
    "delivery_sent": "were cut off; the next staged run goes on with them",
    "delivery_unknown": "nobody can say whether they were staged",
    "created": "records would be made that the target does not have",
    "emptied": "values of the target would become empty",
    "rolled_out": "waited for those that go first, and followed: enough of these would arrive",
    "withdrawn": "of what it planned was not staged yet, and is not any more",
    "overwritten": "values that a person had edited there would be replaced, as their owner says",
}
"""What is said of a staged run instead: nothing of it is live."""
REASONS = ("warned", "held", "skipped", "review", "quarantined", "absent", "troubles", "outcome_done",
           "outcome_rejected", "outcome_unknown", "outcome_transient", "outcome_superseded", "held_up",
           "read_back_differs", "not_read_back", "shadow_unusable", "shadow_unread",
           "shadow_ended", "not_undone")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    number: int
    what: str
    meaning: str


def rows(run: Run) -> Iterator[Row]:
    """Every count of a run that is worth a line, in the order of an entry's way."""
    always, label = ("listed", "unchanged", "planned", "delivery_done"), _typed(run)
    for name, meaning in _lines(run):
        if run.counts[name] or name in always:
            yield Row(run.counts[name], name.removeprefix("delivery_"), meaning)
    if held := run.counts["held_in_all"]:
        yield Row(held, "held in all", f"decide: {command(run)}, or with --discard")
    yield from _month(run)
    if others := run.counts["other_instructions"]:
        meaning = f"entries were last decided by other instructions; decide them anew: ferry resync {label}"
        yield Row(others, "other version", meaning)
    yield Row(run.counts["model_requests"], "model requests", "asked of a model over the network")
    if run.counts["model_requests"]:
        dollars = run.counts["model_micro_usd"] / 1_000_000
        yield Row(run.counts["model_tokens"], "model tokens", f"in and out, for {dollars:.4f} US dollars")
    yield Row(run.source.requests, "source requests", f"asked of {run.source.name}, which is only read")
    for target, system in run.targets.items():
        would = "would be asked of it: it is staged"
        asked = would if isinstance(system, Stage) else "asked of it, reads included"
        yield Row(system.requests, f"{target} requests", asked)
    those, there = ("would arrive", "stage") if run.asked.staged else ("arrived", "target")
    same = f"of those that {those}, compared with the {there}: the same"
    yield Row(run.counts["read_back"], "read back", same)


def _lines(run: Run) -> Iterator[tuple[str, str]]:
    """Each count by its name, with what it means; of a staged run, what it would mean."""
    instead = IN_STAGING if run.asked.staged else {}
    return ((name, instead.get(name, meaning)) for name, meaning in (*ENTRY_LINES, *DELIVERY_LINES))


def _month(run: Run) -> Iterator[Row]:
    """Of an integration that delivers in one week of the month: what left for it, what waits for the next."""
    if run.emission:
        left = run.counts["outcome_done"]
        if run.period or left:
            ended = "would arrive" if run.asked.staged else "arrived"
            yield Row(left, "left", f"for {run.emission.period}, whenever they were planned, and {ended}")
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
    return f"{told(run.deployment.label, run.asked.mode)}, {kind}, {run.kind}: {ended}"


def command(run: Run) -> str:
    """What a person types to let go what is held; with --discard to drop it."""
    return f"ferry release {_typed(run)}"


def _typed(run: Run) -> str:
    return typed(run.deployment.label, run.asked.mode)


def name(run: Run) -> None:
    """Let the dashboard call the flow run by its integration, kind and run, and find it by them."""
    label, own = run.deployment.label, {"ferry", f"kind:{run.kind}", f"mode:{run.asked.mode}"}
    own |= {f"tenant:{run.deployment.tenant}", f"integration:{run.deployment.name}"}
    if run.id:
        own.add(f"run:{run.id}")
    staged = "staging " if run.asked.staged else ""
    flow_runs.name_this(f"{label} {staged}{run.kind} {run.id or 'dry run'}", own)


def state(run: Run) -> State[None]:
    """How the run ended, in a word that alerts and people can tell apart.

    Complete; Refusals: the targets refused an unusual share; Held: something waits for a person; Incomplete:
    something waits for the next run; Red: the numbers are wrong. A dry run has names of its own, since it is
    no sign that anything arrives.
    """
    message = headline(run)
    if run.dry and run.kind == "undo":
        told = ("put_back", "undo_kept", "not_undone", "withdrawn")
        message += "".join(f"; {run.counts[name]} {meaning}" for name, meaning in _lines(run) if name in told)
    if run.dry:
        return Completed(name="DryRun" if run.state == "complete" else "DryRunIncomplete", message=message)
    if run.state == "failed":
        return Failed(name="Red", message=f"{run.code}: {message}")
    if run.state == "complete":
        return Completed(name="Complete", message=message)
    if _refused_much(run):
        return Completed(name="Refusals", message=message)
    if run.counts["held_in_all"]:
        return Completed(name="Held", message=f"{message}; decide: {command(run)}, or with --discard")
    return Completed(name="Incomplete", message=message)


def _refused_much(run: Run) -> bool:
    refused, arrived = run.counts["outcome_rejected"], run.counts["outcome_done"]
    return refused >= FEW and refused > run.deployment.integration.limits.refused * (refused + arrived)


def publish(run: Run) -> None:
    """The dashboard's artifacts of a run: the report, its counts, what is open and why, the last runs."""
    key, said = joined(run.ledger.tenant, run.ledger.name), headline(run)
    create_markdown_artifact(markdown(run), key=f"{key}-report", description=said)
    create_table_artifact(table(run), key=f"{key}-counts", description=said)
    create_table_artifact(
        open_by_reason(run), key=f"{key}-open", description=f"{said}. What is open, and why"
    )
    create_markdown_artifact(trend.markdown(run.ledger), key=f"{key}-trend", description="The last runs")


def open_by_reason(run: Run) -> list[dict[str, str | int]]:
    """Entries and deliveries that are not settled, by why, with what to do."""
    label = _typed(run)
    held = [("deliveries held", why, number) for why, number in holds.by_code(run.ledger).items()]
    counts = deliveries.counts(run.ledger)
    others = [
        (f"deliveries {kind}", "", counts[kind])
        for kind in ("planned", "sent", "unknown", "rejected")
        if counts.get(kind)
    ]
    waiting = [(f"entries {kind}", why, number) for kind, why, number in entries.open_entries(run.ledger)]
    return [
        {"number": number, "what": what, "why": why, "next": _next(what.split()[1], label)}
        for what, why, number in [*held, *others, *waiting] or [("nothing is open", "", 0)]
    ]


def _next(kind: str, label: str) -> str:
    """What to do about something that is open."""
    return {
        "held": f"ferry release {label}, or with --discard",
        "is": "",
        "review": f"look: ferry explain {label} PATIENT",
        "quarantined": f"ferry retry {label}",
        "absent": "nothing, if the patient is gone",
        "unknown": f"as ferry status {label} says",
        "rejected": f"put it right in the target, then ferry retry {label} --rejected",
    }.get(kind, "nothing: the next run goes on with it")


def markdown(run: Run) -> str:
    """The report as Prefect's markdown artifact."""
    lines = ["### What happened", "", "| number | what | meaning |", "|---:|---|---|"]
    lines += [f"| {row.number} | {row.what} | {row.meaning} |" for row in rows(run)]
    if why := list(reasons(run)):
        lines += ["", "### Why", "", "| number | what | code |", "|---:|---|---|"]
        lines += [f"| {row.number} | {row.what} | `{row.meaning}` |" for row in why]
    if run.id and run.counts["calls"]:
        lines += ["", _look(run)]
    return "\n".join(lines)


def _look(run: Run) -> str:
    """Where its writes are to be seen. None of them is here."""
    command = f"ferry review {run.deployment.label}{'' if run.asked.staged else ' --live'}"
    return (
        f"Each write, field by field: `{command}`; while that is open: [this run]({link(Settings(), run.id)})"
    )


def table(run: Run) -> list[dict[str, str | int]]:
    """The report as Prefect's table artifact."""
    return [
        {"number": row.number, "what": row.what, "meaning": row.meaning}
        for row in (*rows(run), *reasons(run))
    ]
