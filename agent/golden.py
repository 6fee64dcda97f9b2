"""Golden examples: an entry, invented, and the plan that the instructions make of it.

A file of `golden/` is one example, named by what it shows:

    shows: two policies are both primary, so a person has to look
    today: 2026-03-02
    entry: {active: true, policies: [{priority_type: primary}, {priority_type: primary}]}
    plan: {kind: review, because: [S8], reason: two_primaries}
"""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from agent.case import Case
from agent.plan import Frozen, Plan, Sentences

FOLDER = "golden"


def _day(given: object) -> object:
    """Only a day, or a day's text: pydantic by itself takes numbers for days as well."""
    if isinstance(given, date) or (isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", given)):
        return given
    raise ValueError("is no day; write it as 2026-03-02")


Day = Annotated[date, BeforeValidator(_day)]


class ExpectedCall(Frozen):
    """A write that is expected: the operation's full name, and exactly the arguments that are set."""

    op: str
    because: Sentences
    arguments: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="unset ones are left out; null is null"
    )


class ExpectedPlan(Frozen):
    """The plan as a person writes it down: what it says, not where each value comes from."""

    kind: str = Field(default="write", pattern="^(write|skip|review)$")
    calls: tuple[ExpectedCall, ...] = ()
    because: Sentences = Field(default=(), description="skip, review: the sentences that say so")
    reason: str = ""
    again_on: Day | None = None

    @classmethod
    def of(cls, plan: Plan) -> "ExpectedPlan":
        """What a plan says, to be compared or written down."""
        calls = tuple(
            ExpectedCall(op=call.operation, because=call.because, arguments=call.values())
            for call in plan.calls
        )
        return cls(
            kind=plan.kind, calls=calls, because=plan.because, reason=plan.reason, again_on=plan.again_on
        )

    @property
    def cited(self) -> Sentences:
        """Every sentence that it follows, each once."""
        named = (*self.because, *(sentence for call in self.calls for sentence in call.because))
        return tuple(dict.fromkeys(named))


class Golden(Frozen):
    """One example.

    `known`: what lookups that a model may use answer, by full name. `judgements`: what `judge` answers, by
    sentence.
    """

    shows: str
    today: Day
    entry: dict[str, JsonValue]
    known: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    judgements: dict[str, str] = Field(default_factory=dict[str, str])
    plan: ExpectedPlan

    def case(self, name: str) -> Case:
        """The example as a case to decide; its patient is the example's name.

        As in a run nothing is known beforehand: see `agent.proving.by_examples`.
        """
        return Case(name, self.entry, {}, self.today, judged=self.judgements)
