"""Delivers as the engine does: by a write's declarations alone, until every item is settled."""

import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.errors import ConnectorError, Transient, Unauthorized, Unknown
from connectors.operation import Delivery, Item, Outcome, Write

ROUNDS = 6  # in which each unsettled item is sent, or looked for, once
PATIENT = 2.0  # seconds that are waited for if the system asks for it


@dataclass
class Settled:
    """What became of the items, and what was raised on the way."""

    outcomes: dict[str, Outcome] = field(default_factory=dict[str, Outcome])
    errors: list[ConnectorError] = field(default_factory=list[ConnectorError])

    def states(self) -> dict[str, str]:
        return {key: outcome.state for key, outcome in self.outcomes.items()}

    def of(self, state: str) -> set[str]:
        return {key for key, outcome in self.outcomes.items() if outcome.state == state}


def settled(write: Write, items: Sequence[Item], *, calls: int = 3, rounds: int = ROUNDS) -> Settled:
    """Send the items in so many calls. Sent again: what surely did not arrive, or may arrive twice."""
    found, size = Settled(), max(1, min(write.batch, -(-len(items) // calls)))
    waiting = list(items)
    for _ in range(rounds):
        again: list[Item] = []
        for at in range(0, len(waiting), size):
            batch = waiting[at : at + size]
            again += _sent(write, batch, found)
        waiting = [item for item in again if not _looked(write, item, found)]
        if not waiting or any(isinstance(error, Unauthorized) for error in found.errors):
            break
    return found


def _sent(write: Write, batch: Sequence[Item], found: Settled) -> list[Item]:
    """Send one batch; gives the items that are not settled."""
    try:
        outcomes: Mapping[str, Outcome] = {outcome.key: outcome for outcome in write.send(batch)}
    except ConnectorError as error:
        outcomes = _all_alike(batch, error, found)
    for item in batch:
        assert item.key in outcomes, f"{write.name}: no outcome for an item"
        found.outcomes[item.key] = outcomes[item.key]
    assert len(outcomes) == len({item.key for item in batch}), (
        f"{write.name}: an outcome that nobody asked for"
    )
    return [item for item in batch if outcomes[item.key].state in ("unknown", "transient")]


def _all_alike(batch: Sequence[Item], error: ConnectorError, found: Settled) -> dict[str, Outcome]:
    found.errors.append(error)
    if isinstance(error, Transient) and error.wait is not None:
        time.sleep(min(error.wait.total_seconds(), PATIENT))
    allowed = (Transient, Unknown, Unauthorized)
    assert isinstance(error, allowed), f"a batch as a whole may not end with {type(error).__name__}"
    state = "unknown" if isinstance(error, Unknown) else "transient"
    return {item.key: Outcome(item.key, state, error.code) for item in batch}


def _looked(write: Write, item: Item, found: Settled) -> bool:
    """Is it settled without being sent again?"""
    if found.outcomes[item.key].state == "transient":
        return False
    if write.delivery is Delivery.BLIND:
        return True  # it is listed as doubtful, and stays so
    if write.delivery is not Delivery.SEARCHABLE or write.look is None:
        return False
    time.sleep(min(write.horizon, PATIENT))
    try:
        references = write.look([item])
    except ConnectorError as error:
        found.errors.append(error)
        return False
    if item.key in references and references[item.key] is not None:
        found.outcomes[item.key] = Outcome(item.key, "done", reference=references[item.key])
        return True
    return item.key not in references


def chain(error: BaseException) -> list[BaseException]:
    """The error, and all that it hangs together with."""
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    return seen


def told(error: BaseException) -> str:
    """Everything that a log could show of an error: its words, its chain, its traceback's lines."""
    words = [repr(one) + " ".join(map(str, one.args)) for one in chain(error)]
    return "\n".join([*words, *traceback.format_exception(error)])
