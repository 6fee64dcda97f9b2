"""The same items to a stage and then to the system itself: whatever is sent ends alike."""

from collections.abc import Callable, Sequence
from contextlib import closing

from connectors.base import Connector
from connectors.operation import Arguments, Item
from flows.ledger.store import Ledger
from flows.staging import Stage

Step = tuple[str, Item]
"""A write's own name, and what it is given."""


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
        with closing(Stage("t", image(), ledger)) as stage:
            told += _ended(stage, part)
            done = [step for step, state in zip(steps, told, strict=False) if state == "done"]
            then = _holding(stage, done)
    assert shown() == before
    with closing(live()) as connector:
        ended = _ended(connector, steps)
        now = _holding(connector, done)
    assert list(zip(steps, told, strict=True)) == list(zip(steps, ended, strict=True))
    for (_, item), record, there in zip(done, then, now, strict=True):
        # of a new record the stage knows what it set, and no default of the system's
        assert record and there and record == {name: there[name] for name in record}, item
    return set(ended)


def _ended(connector: Connector, steps: Sequence[Step]) -> list[str]:
    writes = connector.writes()
    outcomes = (writes[name].send([item])[0] for name, item in steps)
    return [f"{one.state} {one.code}".strip() for one in outcomes]


def _holding(connector: Connector, steps: Sequence[Step]) -> list[Arguments | None]:
    """What each item's record holds in the end, in all arguments that any item sets."""
    writes, found = connector.writes(), dict[str, Arguments | None]()
    for name in dict.fromkeys(name for name, _ in steps):
        mine = [item for other, item in steps if other == name]
        every = {each: None for item in mine for each in item.arguments}
        present = writes[name].present
        assert present is not None
        found |= present([Item(one.key, one.patient, {**every, **one.arguments}) for one in mine])
    return [found[item.key] for _, item in steps]
