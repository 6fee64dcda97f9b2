"""Deliver: what the ledger holds as planned goes out in the target's own batches; doubts are settled.

A delivery is committed as sent, with what the target held before, and only then leaves. What came of
it is matched by key. After a crash or a lost answer its class says what may be done. Of what must not
leave twice, the ledger's anchor knows, too, before it leaves: an older copy that takes the ledger's place
is seen to be older, whatever moment it is from.
"""

import time
from collections.abc import Mapping, Sequence

from connectors.errors import Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.operation import Arguments, Delivery, Item, Outcome, Write
from flows import agreeing, anchor, reconcile, still
from flows.anchor import AnchorUnavailable
from flows.crash import crashpoint
from flows.ledger import audit, deliveries, doubts, emission, holds, restored
from flows.ledger.deliveries import Due
from flows.ledger.store import now
from flows.run import Run

STRIKES = 3  # batches in a row that a target refuses to take; then it is left alone in this run
PASSES = 4  # over what is open, at the end of a run
PAUSE = 0.25  # seconds before the second pass; doubles


def deliver(run: Run, *, full: bool = False) -> None:
    """Send everything that is planned, in the declared order of the operations.

    full: only what fills a batch; the rest waits for more, and the operations after it wait, too: a list may
    want the contact that is written before it.
    """
    if run.reconciling:
        return
    for operation, write in run.writes.items():
        if _deliver_operation(run, operation, write, full=full):
            return


def meanwhile(run: Run, *, full: bool) -> None:
    """Send what is planned while entries are still read.

    What leaves once a month waits until all are read: an older version would take the newest one's place.
    """
    if run.emission is None:
        deliver(run, full=full)


def _deliver_operation(run: Run, operation: str, write: Write, *, full: bool) -> bool:
    """Whether something was kept back for a fuller batch."""
    after, strikes = "", 0
    while _target(operation, run) not in run.down:
        batch = deliveries.due(run.ledger, operation, ["planned"], write.batch, after, run.emission)
        if not batch or (full and len(batch) < write.batch):
            return bool(batch)
        after = batch[-1].item.key
        strikes = 0 if _deliver_batch(run, operation, write, batch) else strikes + 1
        if strikes == STRIKES:
            run.down.add(_target(operation, run))
    return False


def _deliver_batch(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> bool:
    """Send one batch and commit what became of it. False if the target took none of it for now."""
    batch = _in_its_window(run, write, batch)
    items = [one.item for one in batch]
    if not batch:
        return True
    try:
        before = _before(run, operation, write, items)
        batch = still.untouched(run, operation, write, batch)
        batch = agreeing.weigh(run, operation, batch, before)
    except (Transient, Unknown, Unauthorized) as error:
        if isinstance(error, Unauthorized):
            run.down.add(_target(operation, run))
        run.count("held_up", len(batch), code=error.code)
        return False
    except Rejected as error:  # time does not put it right, and the records after it are not to wait
        _settled(run, [Outcome(item.key, "rejected", error.code) for item in items])
        return True
    batch = _let_pass(run, write, batch, before)
    if not batch:
        return True
    deliveries.mark_sent(run.ledger, batch, before, run.period)
    crashpoint("send")
    outcomes = _send(run, operation, write, batch)
    crashpoint("sent")
    if write.shows:
        run.count("read_back", sum(outcome.state == "done" for outcome in outcomes))
    _settled(run, outcomes, [one.item.key for one in batch if one.period is None])
    agreeing.settled(run, batch, outcomes)
    return any(outcome.state != "transient" for outcome in outcomes)


def _before(run: Run, operation: str, write: Write, items: Sequence[Item]) -> Mapping[str, Arguments | None]:
    """What the target holds of these records now, where it can say. First the audit, then the read."""
    if write.present is None:
        return {}
    audit.ahead(run.ledger, f"records read: {operation}", *(item.key for item in items))
    return write.present(items)


def _in_its_window(run: Run, write: Write, batch: Sequence[Due]) -> Sequence[Due]:
    """Without those that left so long ago that the target forgot their key: they are looked for first."""
    if write.delivery is not Delivery.KEYED:
        return batch
    late = {one.item.key for one in batch if _window_is_over(write, one)}
    deliveries.move(run.ledger, sorted(late), "unknown", "window_over")
    return [one for one in batch if one.item.key not in late]


def _window_is_over(write: Write, one: Due) -> bool:
    return one.first_sent is not None and (now() - one.first_sent).total_seconds() >= write.window


def _let_pass(
    run: Run, write: Write, batch: Sequence[Due], before: Mapping[str, Arguments | None]
) -> list[Due]:
    """The part of a batch that the breaker lets go; the rest waits for a person from now on."""
    waits = run.breaker.held(batch, before, write)
    for code in sorted(set(waits.values())):
        keys = [key for key, its in waits.items() if its == code]
        holds.hold(run.ledger, keys, code, before)
        run.count("held", len(keys), code=code)
    return [one for one in batch if one.item.key not in waits]


def _settled(run: Run, outcomes: Sequence[Outcome], never_left: Sequence[str] = ()) -> None:
    deliveries.settle(run.ledger, outcomes, never_left)
    for outcome in outcomes:
        run.count(f"outcome_{outcome.state}", code=outcome.code)


def _send(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> list[Outcome]:
    items = [one.item for one in batch]
    try:
        if write.delivery is not Delivery.UPSERT:
            anchor.keep(run.ledger)
        answered = {outcome.key: outcome for outcome in write.send(items)}
    except AnchorUnavailable:  # nothing left
        return [Outcome(item.key, "transient", "anchor_unavailable") for item in items]
    except Transient as error:
        return [Outcome(item.key, "transient", error.code) for item in items]
    except Unknown as error:
        return [Outcome(item.key, "unknown", error.code) for item in items]
    except Unauthorized as error:
        run.down.add(_target(operation, run))
        return [Outcome(item.key, "transient", error.code) for item in items]
    except (Rejected, Denied) as error:
        return [Outcome(item.key, "rejected", error.code) for item in items]
    return [answered.get(item.key, Outcome(item.key, "unknown", "no_answer_for_item")) for item in items]


def settle(run: Run) -> None:
    """Find out about deliveries that left and were never confirmed, each by its class."""
    met = 0
    for operation, write in run.writes.items():
        after = ""
        states = ["sent"] if write.delivery is Delivery.BLIND else ["sent", "unknown"]
        while batch := deliveries.due(run.ledger, operation, states, max(write.batch, 50), after):
            after, met = batch[-1].item.key, met + len(batch)
            _settle_batch(run, operation, write, batch)
    if met:
        hold_other_versions(run)


def hold_other_versions(run: Run) -> None:
    """What was planned under grants that no longer stand waits for a person, also if it left once before.

    So does what rollout kept back of other instructions: what arrives under these says nothing of it.
    """
    for code, number in holds.other_versions(run.ledger, run.versions).items():
        run.count("held", number, code=code)


def foresee(run: Run) -> None:
    """Count what earlier runs left that this one would send first, and what waits for a person."""
    left = deliveries.counts(run.ledger)
    going = left.get("planned", 0) + left.get("sent", 0)
    run.counts["held_in_all"] = left.get("held", 0) + (going if run.reconciling else 0)
    run.counts["open_before"] = 0 if run.reconciling else going


def _settle_batch(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> None:
    again: list[Due] = []
    look: list[Due] = []
    for one in batch:
        kind = _how_to_settle(run, write, one)
        if kind == "again":
            again.append(one)
        elif kind == "look":
            look.append(one)
    _list_blind(run, write, batch)
    _back(run, again)
    if look and _target(operation, run) not in run.down:
        _look(run, operation, write, look)


def _how_to_settle(run: Run, write: Write, one: Due) -> str:
    """again: sending it again is safe. look: ask the target. wait: too early, or nobody can tell."""
    if write.delivery is Delivery.UPSERT:
        return "again"
    if write.delivery is Delivery.BLIND or one.code == restored.NOT_FINDABLE:
        return "wait"
    age = (now() - (one.sent or now())).total_seconds()
    if reconcile.is_doubted(run, one):
        return "look" if write.look and age >= write.horizon else "wait"
    if write.delivery is Delivery.KEYED:
        if one.newest and not _window_is_over(write, one):
            return "again"
        return "look" if write.look and age >= write.horizon else "wait"
    return "look" if age >= write.horizon else "wait"


def _list_blind(run: Run, write: Write, batch: Sequence[Due]) -> None:
    """Blind ones are never sent again: they are listed for a person."""
    if write.delivery is Delivery.BLIND:
        cut_off = [one.item.key for one in batch if one.state == "sent"]
        deliveries.move(run.ledger, cut_off, "unknown", "cut_off")


def _back(run: Run, batch: Sequence[Due]) -> None:
    """Plan them again; what a newer version of the entry decided over is void instead.

    Unless it may have left in the month's period: then it goes to its end, and the newer version waits.
    """
    period = run.emission.period if run.emission else None
    state, code = ("held", restored.CODE) if run.reconciling else ("planned", "")
    again = [one.item.key for one in batch if one.newest or (period and one.period == period)]
    deliveries.move(run.ledger, again, state, code)
    deliveries.move(run.ledger, [one.item.key for one in batch if one.item.key not in again], "superseded")


def _look(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> None:
    try:
        seen = reconcile.looked(run, operation, write, batch)
    except (Transient, Unknown, Rejected) as error:
        run.count("held_up", len(batch), code=error.code)
        return
    except Unauthorized as error:
        run.down.add(_target(operation, run))
        run.count("held_up", len(batch), code=error.code)
        return
    found = [
        Outcome(key, "done", "found", reference) for key, reference in seen.items() if reference is not None
    ]
    deliveries.settle(run.ledger, found)
    absent = {key for key, reference in seen.items() if reference is None}
    deliveries.begin_anew(
        run.ledger, sorted(absent)
    )  # it did not arrive: a keyed one's window is yet to begin
    _back(run, [one for one in batch if one.item.key in absent])


def finish(run: Run) -> None:
    """A few passes over what is still open, so that a short disturbance does not wait for the next run.

    Everything has left once before anything leaves again: a target then knows all who claim one record.
    """
    deliver(run)
    for number in range(PASSES):
        settle(run)
        deliver(run)
        counts = unsettled(run)
        if not any(counts.get(state) for state in ("planned", "sent", "unknown")):
            return
        if number + 1 < PASSES and _may_still_move(run, counts):
            time.sleep(PAUSE * 2**number)
        else:
            return


def unsettled(run: Run) -> dict[str, int]:
    """How many deliveries of the integration are in which state; without those that wait for their week."""
    counts = deliveries.counts(run.ledger)
    if run.emission:
        waiting = len(emission.waiting(run.ledger, run.emission))
        counts["planned"] = counts.get("planned", 0) - waiting
    return counts


def _may_still_move(run: Run, counts: Mapping[str, int]) -> bool:
    blind = len(doubts.doubtful(run.ledger))
    return counts.get("planned", 0) + counts.get("sent", 0) + counts.get("unknown", 0) > blind and bool(
        {_target(operation, run) for operation in run.writes} - run.down
    )


def _target(operation: str, run: Run) -> str:
    """The target that an operation's full name belongs to; no target's name begins another's name + `_`."""
    return next(name for name in run.targets if operation.startswith(f"{name}_"))
