"""Punctual: what Prefect's schedule means for a run that it started, before anything is read.

A schedule may be changed in the dashboard to one that is not supported: the next run says so and ends.
Runs that nobody could start in time are caught up by one run. Runs that a person started are neither
skipped nor cancelled. A deployment runs its own tenant, whatever parameters it is given.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.client.schemas.objects import DeploymentSchedule, FlowRun, State
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled
from pydantic import ValidationError

from flows import emit
from flows.emit import Calendar
from flows.errors import Spoken
from flows.ledger import runs
from flows.ledger.store import now
from flows.opening import open_ledger
from flows.parameters import COVERED_BY, Parameters
from flows.schedules import Schedule, ScheduleUnsupported, parse
from flows.settings import Settings
from flows.tenants import load

PAGE = 200  # flow runs that the server gives at a time


class AnotherTenant(Spoken):
    """A deployment of one tenant was asked for a run of another. One line."""


@dataclass(frozen=True, slots=True)
class Punctual:
    """What a run needs to know of its schedule."""

    asked: Parameters
    calendar: Calendar | None = None  # in which week deliveries leave
    caught_up: str = ""  # why there is nothing to do
    deployment: UUID | None = None

    def cancel_late(self, run: str) -> int:
        """Cancel runs of this deployment that its schedule made, which are late: this run does their work.

        Returns how many.
        """
        if self.deployment is None:
            return 0
        with get_client(sync_client=True) as client:
            late = [one for one in _late(client, self.deployment) if _does_work_of(self.asked, one)]
            for one in late:
                state: State[None] = Cancelled(message=f"caught up by run {run}")
                with suppress(ObjectNotFound):  # a person deleted it meanwhile
                    client.set_flow_run_state(one.id, state, force=True)
        return len(late)


def punctual(asked: Parameters) -> Punctual:
    """Whether this run has something to do, and when its deliveries may leave.

    Raises:
        AnotherTenant: the deployment is not of the tenant that is asked for.
        ScheduleUnsupported: the deployment's schedule was changed to none of the four.
        EmitNeedsWeekly: deliveries are to leave in one week of the month, and no weekly schedule is there.
    """
    flow_run = _flow_run()
    if flow_run is None or flow_run.deployment_id is None:
        return Punctual(asked, emit.calendar(asked, _described(asked)))
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment(flow_run.deployment_id)
    _check_tenant(asked, deployment)
    made = deployment.schedules
    counting = [one for one in made if one.active] or made  # by hand, all may be switched off
    schedules = [parsed for one in counting if (parsed := _parsed(asked, one))]
    return Punctual(
        asked,
        calendar=emit.calendar(asked, schedules or _described(asked)),
        caught_up=_caught_up(asked, flow_run),
        deployment=deployment.id,
    )


def _check_tenant(asked: Parameters, deployment: DeploymentResponse) -> None:
    """Parameters may come from the dashboard or a schedule; the tag is the word of who deployed."""
    if f"tenant:{asked.tenant}" not in deployment.tags:
        raise AnotherTenant(
            f"{asked.label}: the deployment {deployment.name} has no tag tenant:{asked.tenant}; run one of "
            f"that tenant, which is brought to the server by: ferry deploy {asked.tenant}; nothing was read"
        )


def _flow_run() -> FlowRun | None:
    context = FlowRunContext.get()
    return context.flow_run if context else None


def _described(asked: Parameters) -> tuple[Schedule, ...]:
    """What the files say; asked for only where it matters, since a run by hand needs no schedule."""
    if asked.emit == "always":
        return ()
    return emit.described(Settings().deployments, asked.label, asked.mode).schedules


def _parsed(asked: Parameters, made: DeploymentSchedule) -> Schedule | None:
    """None: a schedule that is switched off, and none of ours, says nothing."""
    try:
        return parse(made.schedule.model_dump(exclude_none=True, mode="json"))
    except ScheduleUnsupported as error:
        if made.active:
            raise ScheduleUnsupported(
                f"{asked.label}: {error}. Correct it in the dashboard, or run: ferry deploy {asked.tenant}; "
                "nothing was read"
            ) from None
        return None


def _caught_up(asked: Parameters, flow_run: FlowRun) -> str:
    """ "" or why a scheduled run has nothing to do: another one, which started later, has done it."""
    expected = flow_run.expected_start_time
    if not flow_run.auto_scheduled or expected is None or asked.dry_run:
        return ""
    settings = Settings()
    ledger = open_ledger(settings, load(settings.deployments, asked.label), asked.mode)
    try:
        done = runs.last_certified(ledger, COVERED_BY[asked.kind])
    finally:
        ledger.close()
    if done is None or not expected < done.started:
        return ""
    return f"{asked.label}: due at {_utc(expected)}, caught up by run {done.id} at {_utc(done.started)}"


def _late(client: SyncPrefectClient, deployment: UUID) -> Iterator[FlowRun]:
    """Runs that the schedule made for a moment before now and that did not begin."""
    moment, at = now(), 0
    which = FlowRunFilter.model_validate(
        {
            "deployment_id": {"any_": [deployment]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "expected_start_time": {"before_": moment},
        }
    )
    while page := client.read_flow_runs(
        flow_run_filter=which, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=PAGE, offset=at
    ):
        # One that began is not late: it was suspended, and goes on with a person's word.
        yield from (one for one in page if one.auto_scheduled and one.run_count == 0)
        at += len(page)


def _does_work_of(asked: Parameters, late: FlowRun) -> bool:
    """Whether a run that was asked this does what the late one was to do."""
    try:
        theirs = Parameters.model_validate(late.parameters.get("integration"))
    except ValidationError:
        return False  # it will say so itself
    same = (theirs.label, theirs.mode, theirs.emit) == (asked.label, asked.mode, asked.emit)
    return same and asked.kind in COVERED_BY[theirs.kind] and not asked.dry_run


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
