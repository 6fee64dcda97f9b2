"""Rollout: a share of the entries goes first; the others follow when it is seen that theirs arrived.

Which entries go first is decided by a keyed hash of each: by chance, and the same ones in every run.
"""

from collections.abc import Sequence

from flows.ledger import holds
from flows.ledger.holds import ROLLOUT, Fate
from flows.ledger.plans import Decided
from flows.run import Run


def parted(run: Run, decided: Sequence[Decided]) -> tuple[list[Decided], list[Decided]]:
    """Those that go first, and those that wait. A stage holds nothing back: it is there to see all."""
    share = run.deployment.integration.rollout
    if share is None or run.asked.staged:
        return list(decided), []
    first = [one for one in decided if _place(run, one) < share]
    chosen = {one.known.ref for one in first}
    return first, [one for one in decided if one.known.ref not in chosen]


def go_on(run: Run) -> bool:
    """Let the others follow, if what went first arrived. True if something is to be delivered now.

    Nothing is let go while too much is refused of what went first in this run, or under these instructions,
    or while nothing arrived yet under them: they wait for the next run, or for a person (`ferry release`).
    On a restored ledger they wait for a person's word on that, as everything does.
    """
    waits = holds.by_code(run.ledger).get(ROLLOUT)
    if run.deployment.integration.rollout is None or run.reconciling or not waits:
        return False
    first, under, before = holds.fates(run.ledger, run.versions.instructions)
    more = run.deployment.integration.limits.refused
    if not under.done or too_much(first, before, more) or too_much(under, before, more):
        run.count("held", holds.by_code(run.ledger, run.id).get(ROLLOUT, 0), code=ROLLOUT)
        return False
    run.count("rolled_out", holds.go_on(run.ledger))
    return True


def too_much(now: Fate, before: Fate, more: float) -> bool:
    """Whether a larger share is refused than under the version before, by more than `more`."""
    return now.share > before.share + more


def _place(run: Run, one: Decided) -> float:
    """Where an entry stands, from 0 to below 1."""
    hashed = run.ledger.seal.keyed_hash("rollout/1", run.ledger.integration, one.known.patient)
    return int(hashed[:12], 16) / 16**12
