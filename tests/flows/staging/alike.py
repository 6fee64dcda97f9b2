"""The same items to a stage and then to the system itself: whatever is sent ends alike."""

from collections.abc import Callable, Sequence
from contextlib import closing

from connectors.base import Connector
from connectors.operation import Arguments, Item
from flows.ledger.store import Ledger
from flows.staging import Stage

Step = tuple[str, Item]
"""A write's own name, and what it is given."""

Held = dict[Step, Arguments | None]


def ends_alike(
    image: Callable[[], Connector],
    live: Callable[[], Connector],
    ledger: Ledger,
    steps: Sequence[Step],
    shown: Callable[[], object],
) -> set[str]:
    """What became of the steps, at both.

    image: a new connector that only reads. shown: what the system holds, read past any connector: the stage
    leaves it as it is.
    """
    before, told = shown(), list[str]()
    for part in (steps[: len(steps) // 2], steps[len(steps) // 2 :]):  # two runs of one stage
        with closing(Stage("t", image(), ledger, image=True)) as stage:
            told += _ended(stage, part)
            then = _holding(stage, steps)
    assert shown() == before
    with closing(live()) as connector:
        ended = _ended(connector, steps)
        now = _holding(connector, steps)
    assert list(zip(steps, told, strict=True)) == list(zip(steps, ended, strict=True))
    for (_, item), record, there in zip(steps, then, now, strict=True):
        # of a new record the stage knows what it set, and no default of the system's
        assert record == (there and {name: there[name] for name in record or ()}), item
    return set(ended)


def _ended(connector: Connector, steps: Sequence[Step]) -> list[str]:
    writes = connector.writes()
    outcomes = (writes[name].send([item])[0] for name, item in steps)
    return [f"{one.state} {one.code}".strip() for one in outcomes]


def _holding(connector: Connector, steps: Sequence[Step]) -> list[Arguments | None]:
    """What each item's record holds in the end, in all arguments that any item sets."""
    writes, found = connector.writes(), list[Arguments | None]()
    for name, item in steps:
        present = writes[name].present
        assert present is not None
        every = {each: None for other, one in steps if other == name for each in one.arguments}
        asked = Item(item.key, item.patient, {**every, **item.arguments})
        found.append(present([asked])[item.key])
    return found
