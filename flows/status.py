"""Status: each integration's last run, what is open, and what needs a person. From the ledger,
and from the anchor that says whether it is the newest."""

from collections.abc import Iterator

from flows import anchor, emit
from flows.ledger import deliveries, doubts, emission, entries, links, restored, runs, stages
from flows.ledger.store import Ledger
from flows.ledger.verify import first_finding
from flows.naming import told, typed
from flows.parameters import Mode

LISTED = 20  # contested fields
WAITING = (
    ("planned", "to be sent: the next run, or ferry retry {}"),
    ("sent", "left and not confirmed: the next run looks"),
    ("unknown", "doubtful: the next run looks, or a person must (listed below)"),
    ("held", "wait for a person: ferry release {}, or with --discard"),
    ("rejected", "refused by the target: put it right there, then ferry retry {} --rejected"),
)
IN_STAGING = {
    "planned": "to be staged: the next staged run, or ferry retry {}",
    "sent": "cut off: the next staged run goes on with it",
    "unknown": "doubtful: the next staged run looks, or a person must (listed below)",
    "rejected": "would be refused by the target: put it right there, then ferry retry {} --rejected",
}
LOOK = "Look in the target"
LOOK_STAGED = "Look in the account for trials; where there is none, nothing real was written: send it again"


def status(ledger: Ledger) -> Iterator[str]:
    """Lines for one integration."""
    whose, label = told(*ledger.of), typed(*ledger.of)
    latest = runs.latest(ledger, 1)
    if not latest:
        yield f"{whose}: never ran. Start it with: ferry run {label}"
        return
    run = latest[0]
    ended = f"{run.ended:%Y-%m-%d %H:%M:%S} UTC" if run.ended else "now running, or cut off"
    yield f"{whose}: run {run.id} ({run.kind}) {run.state}{f': {run.code}' if run.code else ''}, {ended}"
    yield from _lasts(ledger, *ledger.of)
    counts, month = deliveries.counts(ledger), emission.latest(ledger)
    staged = ledger.of[1] == "staging"
    arrived = "would arrive" if staged else "arrived"
    yield f"  {sum(counts.values())} deliveries in all, {counts.get('done', 0)} {arrived}"
    if month and (waiting := len(emission.waiting(ledger, month))):
        counts["planned"] -= waiting
        yield f"  {waiting} planned: each {emit.waits(month)}"
    for state, meaning in WAITING:
        if counts.get(state):
            said = IN_STAGING.get(state, meaning) if staged else meaning
            yield f"  {counts[state]} {state}: {said.format(label)}"
    for state, code, number in entries.open_entries(ledger):
        yield f"  {number} entries {state}{f' ({code})' if code else ''}"
    yield from _linked(ledger, label)
    for row in doubts.doubtful(ledger):
        yield (
            f"  doubtful: {row.operation} of entry {row.entry} version {row.version}, sent "
            f"{row.sent:%Y-%m-%d %H:%M:%S} UTC. {LOOK_STAGED if staged else LOOK}, then: "
            f"ferry retry {label} --arrived {row.key}, or --resend {row.key}"
        )
    yield from _restored(ledger, label)
    broken = first_finding(ledger)
    yield "  audit: whole" if broken is None else f"  AUDIT BROKEN: {broken}; see: ferry audit verify"


def _lasts(ledger: Ledger, label: str, mode: Mode) -> Iterator[str]:
    """Of a stage: how long it is still there."""
    if mode == "staging":
        ends = stages.known(ledger.engine, *label.split("/")).ends
        yield f"  until {ends:%Y-%m-%d %H:%M} UTC; then its data is destroyed. More time: ferry stage {label}"


def _linked(ledger: Ledger, label: str) -> Iterator[str]:
    """Of an integration that has an opposite one: its links, and what a person is to say."""
    counts, contested = links.tell(ledger)
    for state, number in sorted(counts.items()):
        yield f"  {number} links {state}"
    if unlinked := entries.number(ledger, "skipped", links.UNLINKED):
        yield f"  {unlinked} entries unlinked: the opposite integration wrote none of them"
    for entry, field in contested[:LISTED]:
        yield (
            f"  contested: {field} of entry {entry} was edited on both sides. Make it the same in both; "
            f"the next runs of the two see it"
        )
    if len(contested) > LISTED:
        yield f"  and {len(contested) - LISTED} more contested"


def _restored(ledger: Ledger, label: str) -> Iterator[str]:
    """Whether the ledger was restored from an older backup; also if no run noticed it yet."""
    found = restored.find(ledger)
    if found is not None and found.released is None:
        which = "an older backup" if found.same_keys else "nothing: it is another ledger, with other keys"
        yield (
            f"  RESTORED from {which}, noticed {found.since:%Y-%m-%d %H:%M:%S} UTC: targets may be ahead. "
            f"Runs read, decide and look, and send nothing until: ferry release {label}"
        )
    elif anchor.is_behind(ledger):
        yield "  RESTORED from an older backup: the ledger is behind its anchor; the next run sends nothing"
