"""Reconcile: what a run does with a ledger that was restored from an older backup. It asks, sends nothing.

A delivery of such a ledger may have been sent by runs that the ledger no longer knows of, perhaps as a
later version of the entry. So the target is asked for every key that it can have had.
"""

from collections.abc import Mapping, Sequence

from connectors.errors import ConnectorError
from connectors.operation import Delivery, Item, Outcome, Write
from flows.ledger import audit, deliveries, restored
from flows.ledger.deliveries import Due
from flows.ledger.store import now
from flows.run import Run

LOOK = 50  # items of one look, at least
FINDABLE = (Delivery.KEYED, Delivery.SEARCHABLE)


def is_doubted(run: Run, one: Due) -> bool:
    """Whether only a look tells if it may be sent: the ledger may have missed that it was."""
    return run.reconciling or (run.restored is not None and one.code == restored.CODE)


def reconcile(run: Run) -> None:
    """Settle, by a look, what is held because of the restore and did arrive. The rest stays held."""
    if run.restored is None or not run.reconciling or not run.restored.same_keys:
        return
    for operation, write in run.writes.items():
        old_enough = (now() - run.restored.since).total_seconds() >= write.horizon
        if write.look and write.delivery in FINDABLE and old_enough:
            _settle_held(run, operation, write)


def _settle_held(run: Run, operation: str, write: Write) -> None:
    after = ""
    while batch := deliveries.due(run.ledger, operation, ["held"], max(write.batch, LOOK), after):
        after = batch[-1].item.key
        try:
            seen = looked(run, operation, write, batch)
        except ConnectorError as error:
            run.count("held_up", len(batch), code=error.code)
            return
        found = [Outcome(key, "done", "found", reference) for key, reference in seen.items() if reference]
        deliveries.settle(run.ledger, found)


def looked(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> Mapping[str, str | None]:
    """What the target has of a batch, by the deliveries' keys: {key: reference, or None}.

    First the audit, then the look. After a restore a delivery is looked for under its other keys too.
    """
    assert write.look is not None
    audit.ahead(run.ledger, f"records looked for: {operation}", *(one.item.key for one in batch))
    names = {one.item.key: [one.item.key, *_other_keys(run, one)] for one in batch}
    items = [
        Item(key=key, patient=one.item.patient, arguments=one.item.arguments)
        for one in batch
        for key in names[one.item.key]
    ]
    answers: dict[str, str | None] = {}
    size = max(write.batch, LOOK)
    for start in range(0, len(items), size):
        answers.update(write.look(items[start : start + size]))
    return {
        key: next((answers[one] for one in others if answers.get(one) is not None), None)
        for key, others in names.items()
        if all(one in answers for one in others)
    }


def _other_keys(run: Run, one: Due) -> Sequence[str]:
    """Of what was sent before the backup the key is known; of the rest it may be a later version's."""
    if run.restored is None or not is_doubted(run, one) or one.first_sent is not None:
        return ()
    return restored.other_keys(
        run.ledger, run.restored, one.item.patient, one.fingerprint, one.version, one.call
    )
