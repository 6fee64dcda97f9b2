"""A person in the loop: a run that held deliveries suspends, and asks in the dashboard what to do with them.

The ledger is the truth: the deliveries stay held until a word was given, here or with `ferry release`,
whatever becomes of the suspended flow run. A flow run that was resumed with a word does that and no more.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

from prefect.context import FlowRunContext
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import ConfigDict, Field, ValidationError

from flows import report
from flows.breaker import MEANING
from flows.ledger import audit, holds, restored, runs
from flows.naming import told
from flows.run import Run

IN_THE_DASHBOARD = "person in the dashboard"  # Prefect does not tell who
PREFIX = "held-"  # a suspension's key: this and the run that held


class Decision(RunInput):
    """What is to become of the deliveries that wait."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    decision: Literal["release", "discard"] = Field(
        description="release: deliver them as they were planned. discard: drop them; those entries go out "
        "again when they change"
    )


STAGED = "This is staging: what is released is staged, and no live target is written to. "


@dataclass(frozen=True, slots=True)
class Word:
    """A person's decision about what is held."""

    release: bool
    person: str  # who gave it, as the audit names them
    run: str = ""  # decided about what was held up to the end of this run; "": about all of it


@dataclass(frozen=True, slots=True)
class Hold:
    """What one run held, for the form."""

    run: str
    text: str
    seconds: int  # that the form waits


WORD: ContextVar[Word | None] = ContextVar("word", default=None)
"""The word that the command line gives with the run it starts."""


def word() -> Word | None:
    """The word this flow run was started or resumed with; None for an ordinary run."""
    key = max((one for one in _pauses() if one.startswith(PREFIX)), default=None)
    if key is None:
        return WORD.get()
    try:
        given = suspend_flow_run(wait_for_input=Decision, key=key)
    except ValidationError:  # started again by somebody, with no word given: an ordinary run
        return None
    return Word(given.decision == "release", IN_THE_DASHBOARD, run=key.removeprefix(PREFIX))


def asker() -> str:
    """Who asks for what this flow run does, as the audit names them."""
    context = FlowRunContext.get()
    deployed = context and context.flow_run and context.flow_run.deployment_id
    return IN_THE_DASHBOARD if deployed else audit.person()


def settle(run: Run, given: Word) -> None:
    """Do as the person said, with an audit row. What was settled meanwhile is not held any more.

    Not on a restored ledger that this run noticed first: the word was given without knowing of that.
    """
    if run.restored is not None and run.restored.noticed_now:
        return
    until = runs.ended(run.ledger, given.run) if given.run else None
    with run.ledger.told_by(given.person):
        settled = (holds.release if given.release else holds.discard)(run.ledger, until)
    run.count("released" if given.release else "discarded", settled)
    run.count("calls", settled if given.release else 0)
    run.restored = restored.find(run.ledger)  # released by this word, it is reconciled no more


def of(run: Run) -> Hold | None:
    """What this run is to ask a person; None if it held nothing, or if its numbers are wrong."""
    if not run.counts["held"] or run.state == "failed":
        return None
    within = run.deployment.integration.limits.decide_within
    return Hold(run.id, _text(run), int(within.total_seconds()))


def suspend(held: Hold) -> None:
    """Leave the flow run suspended, with the form. Without a deployment nothing could resume it: it goes on.

    Raises:
        Pause: Prefect's own signal; this flow run goes on when a person has decided.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.deployment_id is None:
        return
    form = Decision.with_initial_data(description=held.text)
    suspend_flow_run(wait_for_input=form, key=f"{PREFIX}{held.run}", timeout=held.seconds)


def _pauses() -> set[str]:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return set()
    return context.flow_run.empirical_policy.pause_keys or set()


def _text(run: Run) -> str:
    why = "\n".join(
        f"- {number} {code}: {MEANING.get(code, code)}" for code, number in holds.by_code(run.ledger).items()
    )
    limits, whose = (
        f"deployments/{run.deployment.label}/integration.yaml",
        told(run.asked.label, run.asked.mode),
    )
    return (
        f"**{whose}: {run.counts['held_in_all']} deliveries wait for a person.**\n\n{why}\n\n"
        f"{STAGED if run.asked.staged else ''}Nothing is lost. The limits are in `{limits}`. "
        f"The same from a terminal: `{report.command(run)}`, or with `--discard`."
    )
