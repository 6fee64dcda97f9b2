"""A case: what one decision is about. Nothing of it outlives the decision."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date

from pydantic import JsonValue

from agent.plan import Plan, Refused
from connectors.entry import Entry


@dataclass(frozen=True, slots=True)
class Case:
    """One changed entry to decide.

    `known`: the answers of the lookups that the instructions declare, by full name, fetched beforehand.
    `today`: the run's day, the same for all of its entries. `judged`: what `judge` is to answer, by sentence,
    where that is settled beforehand: in an example, or when an old decision is made again.
    """

    patient: str
    entry: Entry
    known: Mapping[str, JsonValue]
    today: date
    judged: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class Deciding:
    """A case in one agent run: what the gate said of the last draft, what it cost so far."""

    case: Case
    outcome: Plan | Refused | None = None
    model_requests: int = 0  # that went out to the network
    judged: dict[str, str] = field(default_factory=dict[str, str])  # so far, by label: S5, S5.2

    @contextmanager
    def current(self) -> Generator[None]:
        """Inside, in this task and its children, model requests count for this case."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)


_current: ContextVar[Deciding | None] = ContextVar("_current", default=None)


def count_request() -> None:
    """A model request goes out for the current case."""
    deciding = _current.get()
    if deciding is not None:
        deciding.model_requests += 1
