"""Sync: one run of one integration. The flow reads like the way of one entry.

Prefect sees the integration's name, the names of groups, counts and codes; never an entry.
"""

import gc
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import cast
from uuid import UUID

from prefect import flow, task, unmapped
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import SettingsContext, get_settings_context
from prefect.futures import PrefectFuture
from prefect.states import Cancelled, Completed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from flows import (
    certify,
    decide,
    deliver,
    detect,
    emit,
    flow_runs,
    hold,
    reconcile,
    report,
    rollout,
    steps,
    sweeper,
    undo,
)
from flows.boundary import CodedFailure, guarded, raise_fence
from flows.errors import ServerUnavailable
from flows.ledger import restored
from flows.naming import joined
from flows.parameters import Parameters
from flows.punctual import punctual
from flows.run import OBSERVER, Run, opened
from flows.settings import Settings

RUNS: dict[str, Run] = {}
"""The runs of this process, by name: a task's parameters hold the name and nothing else."""

ALREADY_RUNNING = "AlreadyRunning"
"""The state's name of a flow run that found another one at work: nothing was done, nothing is wrong."""

TELL_EVERY = 2.0  # seconds between two words to Prefect on how far a run is
PATIENCE = 600.0  # seconds that a person's word waits for the run that is going
TASKS_A_SECOND = 30  # the server drops records of more, silently


@task(name="decide", persist_result=False, cache_policy=NO_CACHE, log_prints=False, retries=0)
def decide_group(group: str, run: str) -> None:
    """Decide one group of changed entries and journal the plans. `group` and `run` are names."""
    guarded(lambda: decide.decide(RUNS[run], group))


@flow(
    name="sync",
    flow_run_name="{integration.label} {integration.kind}",  # until the ledger's run id is known
    persist_result=False,
    log_prints=False,
    task_runner=cast("TaskRunner[PrefectFuture[None]]", ThreadPoolTaskRunner(max_workers=Settings().workers)),
)
def sync(integration: Parameters) -> State[None]:
    """Carry every entry that changed since the last run to its targets."""
    raise_fence()
    try:
        state, held = guarded(lambda: _sync(integration, hold.word()))
    except CodedFailure as failure:
        if failure.code != "lease_held":
            raise
        return Cancelled(name=ALREADY_RUNNING, message=str(failure))
    if held:
        hold.suspend(held)
    return state


def carried(asked: Parameters) -> State[None]:
    """One run in this process, as the flow's final state; it raises nothing.

    Without Prefect's heartbeat: the lease tells who is alive, and its thread costs half a second at the end.
    """
    present = get_settings_context()
    beating = present.settings.flows.model_copy(update={"heartbeat_frequency": None})
    settings = present.settings.model_copy(update={"flows": beating})  # temporary_settings reads all anew
    with SettingsContext(profile=present.profile, settings=settings):
        return cast("State[None]", sync(asked, return_state=True))  # Prefect's types count the state twice


def _sync(asked: Parameters, word: hold.Word | None) -> tuple[State[None], hold.Hold | None]:
    """The run's state, and what it is to ask a person. One with a person's word asks no more."""
    flow_runs.claim_this(Settings().env)
    if word:
        asked = asked.model_copy(update={"kind": "retry"})
    schedule = punctual(asked)
    if schedule.caught_up and not word:
        return Completed(message=schedule.caught_up, name="CaughtUp"), None
    patience = PATIENCE if word or asked.kind == "undo" else 0.0
    with _collector_at_ease(), opened(asked, flow_runs.this(), patience) as run:
        _introduce(run)
        schedule.cancel_late(run.id)
        run.calendar = schedule.calendar
        RUNS[run.id] = run
        try:
            _work(run, word)
        finally:
            del RUNS[run.id]
            OBSERVER.get().ended(run)
        return report.state(run), None if word else hold.of(run)


def _introduce(run: Run) -> None:
    """Prefect learns which run of the ledger this is, and which flow runs of the integration are gone."""
    report.name(run)
    if run.dry:
        return
    with suppress(ServerUnavailable):  # the sweeper beside the worker does it, too
        list(sweeper.sweep(run.ledger.engine, Settings(), only=run.asked))


@contextmanager
def _collector_at_ease() -> Generator[None]:
    """Meanwhile the garbage collector walks through what the run makes, not through everything imported.

    Prefect and pydantic-ai leave 240,000 objects behind; walking them took a tenth of the time of deciding.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _work(run: Run, word: hold.Word | None) -> None:
    if run.dry:
        _foresee(run)
        return
    try:
        guarded(lambda: _carry(run, word))
    except CodedFailure as failure:
        certify.abandon(run, failure.code)
        raise
    report.publish(run)


def _foresee(run: Run) -> None:
    """A dry run: nothing is sent, and nothing is noted but what is read."""
    if run.kind == "undo":
        undo.foresee(run, run.asked.run)
    else:
        deliver.foresee(run)
        _plan_pages(run)
    waits = run.reconciling or run.counts["undecided"]
    run.state, run.code = "incomplete" if waits else "complete", restored.CODE if run.reconciling else ""


def _carry(run: Run, word: hold.Word | None) -> None:
    run.emission = emit.begin(run.ledger, run.calendar, run.started)
    if word:
        hold.settle(run, word)
    if run.kind == "undo":  # before anything leaves: what that run left behind is not to
        with run.ledger.told_by(hold.asker()):
            undo.plan(run, run.asked.run)
        deliver.hold_other_versions(run)
    else:
        with steps.timed(run, "deliver"):
            deliver.settle(run)  # what an earlier run left behind comes first
            deliver.hold_other_versions(run)
            deliver.meanwhile(run, full=False)  # a source that cannot be read holds nothing up
        _plan_pages(run)
    with steps.timed(run, "deliver"):
        deliver.finish(run)
        if run.kind != "undo" and rollout.go_on(run):
            deliver.finish(run)
    reconcile.reconcile(run)
    certify.certify(run)


def _plan_pages(run: Run) -> None:
    """Page by page: read, decide, journal, deliver. Memory holds one page."""
    progress, told = None if run.dry else _progress(run), time.monotonic()
    for page in steps.each(run, "read", detect.pages(run)):
        with steps.timed(run, "read"):
            candidates = detect.changed(run, page)
        with steps.timed(run, "decide"):
            names = decide.groups(run, candidates)
            for future in _mapped(run, names):
                future.wait()
        decide.left_over(run, [name for name in names if name in run.groups])
        run.counts["model_tokens"] = run.asking.meter.run.tokens
        run.counts["model_micro_usd"] = run.asking.meter.run.micro_usd
        decide.stop_if_the_model_differs(run)
        if not run.dry:
            with steps.timed(run, "deliver"):
                deliver.meanwhile(run, full=True)
        OBSERVER.get().progress(run.counts["listed"], run.known or None)
        if progress and time.monotonic() - told > TELL_EVERY:
            update_progress_artifact(progress, progress=_part_done(run))
            told = time.monotonic()
    if progress:
        update_progress_artifact(progress, progress=100.0)


def _mapped(run: Run, names: Sequence[str]) -> list[PrefectFuture[None]]:
    """A task for each group; no faster than Prefect's server keeps complete records of."""
    futures: list[PrefectFuture[None]] = []
    for start in range(0, len(names), TASKS_A_SECOND):
        part = names[start : start + TASKS_A_SECOND]
        begun = time.monotonic()
        futures.extend(decide_group.map(part, run=unmapped(run.id)))
        if start + TASKS_A_SECOND < len(names):
            time.sleep(max(0.0, 1.0 - (time.monotonic() - begun)))
    return futures


def _progress(run: Run) -> UUID:
    key = f"{joined(run.ledger.tenant, run.ledger.name)}-progress"
    return cast(UUID, create_progress_artifact(progress=0.0, key=key, description=f"run {run.id}"))


def _part_done(run: Run) -> float:
    """How far, in percent; only a run over everyone knows before its end."""
    return min(99.0, 100.0 * run.counts["listed"] / run.known) if run.known else 0.0
