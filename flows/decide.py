"""Decide: one agent run for each changed entry; the plans are journalled before anything leaves."""

from collections.abc import Mapping, Sequence

from agent.agent import PROGRAM, Case, Code, is_transient, is_without_answer
from agent.plan import Decision, Plan, Refused
from flows import beside, paired, rollout
from flows.detect import PAGE
from flows.errors import Spoken
from flows.ledger import holds, plans, restored, words
from flows.ledger.plans import Decided
from flows.run import OBSERVER, Candidate, Run

GROUP = 50  # entries of one task where a program decides (milliseconds each)


class ModelDiffers(Spoken):
    """A model's answers are another model's than the one that is allowed. One line."""


def groups(run: Run, candidates: Sequence[Candidate]) -> list[str]:
    """Put the candidates into groups, one for each task, and give the groups' names.

    The names are all that a task's parameters hold; the entries stay in this process.
    """
    deciding = run.deployment.integration.decide
    size = GROUP if deciding.by == PROGRAM else PAGE if deciding.batch else 1
    names: list[str] = []
    for start in range(0, len(candidates), size):
        name = f"{run.id or 'dry'}.{run.counts['groups']}"
        run.count("groups")
        run.groups[name] = list(candidates[start : start + size])
        names.append(name)
    return names


def decide(run: Run, group: str) -> None:
    """Decide a group's entries and commit their plans. A dry run commits nothing."""
    candidates = run.groups[group]
    answers = _answered(run, candidates)
    cases = [
        Case(c.known.patient, c.found.entry, {}, run.today, answers.get(c.known.ref, {})) for c in candidates
    ]
    decisions, by = _stepped_in(run, cases, run.decider.decide(cases))
    keep = bool(run.deployment.integration.keep_entries)
    decided = [
        Decided(
            candidate.known,
            candidate.fingerprint,
            decision,
            transient=is_transient(decision.outcome),
            by=decided_by,
            kept=case if keep else None,
            own=candidate.own,
            rest=candidate.rest,
            record=candidate.record,
            paired=run.paired.pair.target if run.paired else "",
        )
        for candidate, case, decision, decided_by in zip(candidates, cases, decisions, by, strict=True)
    ]
    if not run.dry:
        _journal(run, decided)
        paired.undecided(run, list(zip(candidates, decided, strict=True)))
    OBSERVER.get().decided(run, list(zip(candidates, decided, strict=True)))
    for one in decided:
        _count(run, one)
    del run.groups[group]
    if run.shadow and not run.dry:
        beside.decide(run, run.shadow, cases, decided)


def _answered(run: Run, candidates: Sequence[Candidate]) -> Mapping[str, Mapping[str, str]]:
    """What people answered of these entries, where sentences ask for judgement; by pseudonym."""
    if not run.deployment.instructions.judgement:
        return {}
    fingerprints = {one.known.ref: one.fingerprint for one in candidates}
    return words.answers(run.ledger, run.versions.instructions, fingerprints)


def _stepped_in(
    run: Run, cases: Sequence[Case], decisions: Sequence[Decision]
) -> tuple[list[Decision], list[str]]:
    """The decisions, those that the model did not give by its fallback, and who decided each."""
    deciding = run.deployment.integration.decide
    made, by = list(decisions), [deciding.by] * len(cases)
    batched = deciding.batch is not None
    silent = [at for at, one in enumerate(made) if is_without_answer(one.outcome, batched=batched)]
    if run.fallback is None or not silent:
        return made, by
    again = run.fallback.decide([cases[at] for at in silent])
    for at, decision in zip(silent, again, strict=True):
        asked = made[at].model_requests + decision.model_requests
        made[at] = decision.model_copy(update={"model_requests": asked})
        by[at] = deciding.fallback
    run.count("stepped_in", len(silent))
    return made, by


def _journal(run: Run, decided: Sequence[Decided]) -> None:
    """Commit the plans; what is more than the breaker lets pass waits from the start."""
    outcomes = [one.decision.outcome for one in decided]
    calls = [len(one.calls) for one in outcomes if isinstance(one, Plan) and one.kind == "write"]
    code: str = restored.CODE
    if not run.reconciling:
        code = run.breaker.planned(len(calls), sum(calls), run.shares())
    first, others = (list(decided), []) if code else rollout.parted(run, decided)
    for part, held in ((first, code), (others, holds.ROLLOUT)):
        if part:
            plans.journal(run.ledger, part, run.versions, run.writes, held)
    if code:
        run.count("held", sum(calls), code=code)


def _count(run: Run, one: Decided) -> None:
    outcome = one.decision.outcome
    run.count("model_requests", one.decision.model_requests)
    if isinstance(outcome, Refused):
        run.count("quarantined", code=outcome.code)
        if outcome.code == Code.MODEL_DIFFERS:
            deciding = run.deployment.integration.decide
            run.differing.add(deciding.judge if one.by == PROGRAM else one.by)
    elif outcome.kind == "write":
        run.count("planned")
        run.count("calls", len(outcome.calls))
    else:
        because = " ".join(outcome.because)
        run.count(
            "skipped" if outcome.kind == "skip" else "review", code=f"{because} {outcome.reason}".strip()
        )


def stop_if_the_model_differs(run: Run) -> None:
    """Nothing, or the run's end.

    Raises:
        ModelDiffers: what was decided before stays; the rest is decided when it is the allowed one again.
    """
    if run.differing:
        raise ModelDiffers(
            f"{run.deployment.label}: {', '.join(sorted(run.differing))} answers as another version than "
            "models.yaml allows; have that one tested and allowed, or ask its provider"
        )


def left_over(run: Run, names: Sequence[str]) -> None:
    """Count the entries of groups whose task failed: they stay as they were, and the run incomplete."""
    for name in names:
        for _ in run.groups.pop(name, []):
            run.count("undecided")
