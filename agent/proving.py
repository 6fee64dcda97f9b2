"""Proving: the golden examples through the real agent loop and gate, once or several times.

What comes out names examples, fields and codes. No value is in it, though golden examples are invented.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import Field, JsonValue
from pydantic_evals import Case, Dataset
from pydantic_evals.evaluators import EvaluationReason, Evaluator, EvaluatorContext
from pydantic_evals.reporting import EvaluationReport, ReportCase

from agent.agent import PROGRAM, Decider
from agent.bounds import at_most
from agent.golden import ExpectedPlan, Golden
from agent.plan import Decision, Frozen
from agent.unmet import unmet
from connectors.operation import Arguments, Lookup

AT_ONCE = 16  # decisions that wait for their turn

Report = EvaluationReport[str, Decision, ExpectedPlan]


class Tried(Frozen):
    """One example: how often the plan was right, and what differed how often."""

    name: str
    right: int
    of: int
    differs: dict[str, int] = Field(default_factory=dict[str, int])

    @property
    def passed(self) -> bool:
        """Whether it was right each time."""
        return self.right == self.of


class Proven(Frozen):
    """What came of the golden examples. `by`: "program", or the model that decided."""

    by: str
    repeats: int
    examples: tuple[Tried, ...]

    @property
    def passed(self) -> int:
        """The examples that were right each time."""
        return sum(example.passed for example in self.examples)

    @property
    def share(self) -> float:
        """pass^k: the share of the examples that were right k times of k."""
        return self.passed / len(self.examples) if self.examples else 0.0

    @property
    def decisions(self) -> int:
        return sum(example.of for example in self.examples)

    @property
    def wrong(self) -> int:
        return self.decisions - sum(example.right for example in self.examples)

    @property
    def wrong_at_most(self) -> float:
        """The share of wrong decisions that is to be reckoned with, with 95 % confidence.

        It holds for entries like the examples, and for repeats that do not depend on each other.
        """
        return at_most(self.wrong, self.decisions)

    def good(self, share: float) -> bool:
        """Whether it is enough: all examples of a program, of a model at least this share of them."""
        needed = 1.0 if self.by == PROGRAM else share
        return bool(self.examples) and self.share >= needed


@dataclass(repr=False)
class PlanMatches(Evaluator[str, Decision, ExpectedPlan]):
    """Says whether the plan is the expected one, and names what differs."""

    def evaluate(self, ctx: EvaluatorContext[str, Decision, ExpectedPlan]) -> EvaluationReason:
        assert ctx.metadata is not None  # each example has its plan
        found = unmet(ctx.metadata, ctx.output.outcome)
        return EvaluationReason(value=not found, reason="\n".join(found))


def prove(decider: Decider, by: str, examples: Mapping[str, Golden], repeats: int = 1) -> Proven:
    """Have each example decided `repeats` times, and compare the plans.

    A case's patient is the example's name. Nothing is written, and nothing of an entry is kept.
    """

    async def decide(name: str) -> Decision:
        (decision,) = await asyncio.to_thread(decider.decide, [examples[name].case(name)])
        return decision

    dataset = Dataset[str, Decision, ExpectedPlan](
        name="golden",
        cases=[Case(name=name, inputs=name, metadata=golden.plan) for name, golden in examples.items()],
        evaluators=[PlanMatches()],
    )
    # Its `evaluate_sync` leaves an event loop open behind it.
    report = asyncio.run(dataset.evaluate(decide, progress=False, max_concurrency=AT_ONCE, repeat=repeats))
    return Proven(by=by, repeats=repeats, examples=_tried(report, examples))


def by_examples(lookups: Mapping[str, Lookup], examples: Mapping[str, Golden]) -> dict[str, Lookup]:
    """Lookups, by full name, that answer with what the example knows; no system is asked."""

    def answered(name: str, lookup: Lookup) -> Lookup:
        def answer(patient: str, arguments: Arguments) -> JsonValue:
            return examples[patient].known.get(name)  # a case's patient is the example's name

        return replace(lookup, answer=answer)

    return {name: answered(name, lookup) for name, lookup in lookups.items()}


def _tried(report: Report, examples: Mapping[str, Golden]) -> tuple[Tried, ...]:
    right, of = Counter[str](), Counter[str]()
    differs: dict[str, Counter[str]] = {name: Counter() for name in examples}
    for case in report.cases:
        of[case.inputs] += 1
        if (reason := _reason(case)) is None:
            right[case.inputs] += 1
        else:
            differs[case.inputs].update(reason)
    for failure in report.failures:  # nothing was decided
        of[failure.inputs] += 1
        differs[failure.inputs].update(["not decided"])
    return tuple(
        Tried(name=name, right=right[name], of=of[name], differs=dict(differs[name])) for name in examples
    )


def _reason(case: ReportCase[str, Decision, ExpectedPlan]) -> list[str] | None:
    """What differs, None if nothing does. What could not be compared is no match."""
    result = case.assertions.get(PlanMatches.__name__)
    if result is None:
        return ["not compared"]
    return None if result.value else str(result.reason or "").split("\n")
