"""Prefect's side of runs: which flow run this is, what it is called, and which of ours never ended."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.states import Crashed
from pydantic import ValidationError

from flows.errors import ServerUnavailable
from flows.parameters import Parameters
from flows.reach import PAGE, server

Value = TypeVar("Value")
FLOW = "sync"
UNFINISHED = [StateType.RUNNING, StateType.PENDING]
ENVIRONMENT = "environment:"  # how the tag begins that says whose a flow run is


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A flow run of ours that Prefect shows as going."""

    id: UUID
    asked: Parameters
    running: bool  # else it is pending: somebody took it up and its process has not begun
    since: datetime
    environment: str  # whose it is; "" until its process has said so


def this() -> str:
    """Prefect's id of the flow run that is going on here, or "" outside of one."""
    here = _here()
    return str(here.id) if here else ""


def claim_this(environment: str) -> None:
    """Say on the flow run whose it is, before all else: another environment's sweeper leaves it alone."""
    here = _here()
    if here is not None:
        here.tags = sorted({*here.tags, f"{ENVIRONMENT}{environment}"})
        with suppress(ServerUnavailable):
            _asked(lambda client: client.update_flow_run(here.id, tags=here.tags))


def name_this(name: str, tags: Iterable[str]) -> None:
    """Give the flow run a name and more tags. A server that does not take them keeps its own: no harm."""
    here = _here()
    if here is None:
        return
    every = sorted({*here.tags, *tags})
    with suppress(ServerUnavailable):
        _asked(lambda client: client.update_flow_run(here.id, name=name, tags=every))


def _here() -> FlowRun | None:
    context = FlowRunContext.get()
    return context.flow_run if context else None


def unfinished() -> Iterator[Unfinished]:
    """Every flow run of ours that is running or pending, this one excepted.

    Raises:
        ServerUnavailable: Prefect's server does not answer.
    """
    offset, here = 0, this()
    while found := _page(offset):
        offset += len(found)
        for one in found:
            asked = _parameters(one)
            if asked and one.state and str(one.id) != here:
                running = one.state.type is StateType.RUNNING
                since = one.state.timestamp.astimezone(UTC)
                yield Unfinished(one.id, asked, running, since, _environment(one))
        if len(found) < PAGE:
            return


def crash(one: Unfinished, message: str) -> None:
    """End a flow run whose process is gone, and the task runs that it left behind."""
    _asked(lambda client: client.set_flow_run_state(one.id, Crashed(message=message)))

    def end_tasks(client: SyncPrefectClient) -> None:
        for task in client.read_task_runs(flow_run_filter=_is(one.id), task_run_filter=LEFT):
            client.set_task_run_state(task.id, Crashed(message=message), force=True)

    _asked(end_tasks)


def end_left_over() -> None:
    """End task runs that Prefect learnt of only after their flow run had crashed: its events come late.

    Raises:
        ServerUnavailable: Prefect's server does not answer.
    """
    crashed = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.CRASHED]))

    def end_tasks(client: SyncPrefectClient) -> None:
        for task in client.read_task_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
            flow_run_filter=FlowRunFilter(state=crashed),
            task_run_filter=LEFT,
        ):
            client.set_task_run_state(task.id, Crashed(message="cut_off: its flow run crashed"), force=True)

    _asked(end_tasks)


def _page(offset: int) -> list[FlowRun]:
    states = FlowRunFilterState(type=FlowRunFilterStateType(any_=UNFINISHED))
    return _asked(
        lambda client: client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[FLOW])),
            flow_run_filter=FlowRunFilter(state=states),
            limit=PAGE,
            offset=offset,
        )
    )


def _is(flow_run: UUID) -> FlowRunFilter:
    return FlowRunFilter(id=FlowRunFilterId(any_=[flow_run]))


LEFT = TaskRunFilter(state=TaskRunFilterState(type=TaskRunFilterStateType(any_=UNFINISHED)))
"""Task runs that have not ended."""


def _parameters(one: FlowRun) -> Parameters | None:
    """What it was asked; None of another flow that has our flow's name."""
    try:
        return Parameters.model_validate(one.parameters.get("integration"))
    except ValidationError:
        return None


def _environment(one: FlowRun) -> str:
    claims = [tag.removeprefix(ENVIRONMENT) for tag in one.tags if tag.startswith(ENVIRONMENT)]
    return claims[-1] if claims else ""


def _asked(question: Callable[[SyncPrefectClient], Value]) -> Value:
    with server() as client:
        return question(client)
