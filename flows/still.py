"""Still: of an undo's deliveries, only what the target holds still as the run that is undone left it leaves.

It is looked at when the undo is planned, and once more right before it leaves: between the two a person may
edit, above all where the undo was cut off and goes on with the next run.
"""

from collections.abc import Sequence
from dataclasses import replace

from connectors.operation import Arguments, Outcome, Write
from flows.agreeing import LEFT
from flows.ledger import audit, deliveries
from flows.ledger.deliveries import Due
from flows.putback import Fields, fields_of, is_same, is_still
from flows.run import Run


def untouched(run: Run, operation: str, write: Write, batch: Sequence[Due]) -> list[Due]:
    """A batch without what somebody wrote since. What nothing is left of is settled.

    Raises what reading the target raises: nothing was settled then.
    """
    undoing = [one for one in batch if one.over]
    if not undoing or write.present is None:
        return list(batch)
    # asked with the values that were written: a target may tell them as it was given them
    asked = [replace(one.item, arguments={**one.item.arguments, **one.over}) for one in undoing]
    audit.ahead(run.ledger, f"records read for an undo: {operation}", *(item.key for item in asked))
    present = write.present(asked)
    known = fields_of(write)
    left = {one.item.key: _edited(known, one, present.get(one.item.key)) for one in undoing}
    told = [one.item.key for one in undoing if left[one.item.key] or one.left_out]
    deliveries.leave_out(run.ledger, {key: left[key] for key in told})
    over = [one for one in undoing if len(left[one.item.key]) == len(one.over)]
    deliveries.settle(run.ledger, [Outcome(one.item.key, "done", LEFT) for one in over])
    run.count("undo_kept", sum(map(len, left.values())))
    run.count("outcome_done", len(over), code=LEFT)
    gone = {one.item.key for one in over}
    return [_without(one, left.get(one.item.key, [])) for one in batch if one.item.key not in gone]


def _edited(known: Fields, one: Due, present: Arguments | None) -> list[str]:
    """The names of what is neither as the run left it nor as it is to be again."""
    if present is None:
        return sorted(one.over)
    return sorted(
        name
        for name, ours in one.over.items()
        if not is_still(known, name, ours, present.get(name))
        and not is_same(known, name, one.item.arguments[name], present.get(name))
    )


def _without(one: Due, names: Sequence[str]) -> Due:
    rest = {name: value for name, value in one.item.arguments.items() if name not in names}
    return replace(one, item=replace(one.item, arguments=rest))
