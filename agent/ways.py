"""The two ways to decide, as what differs between them. The rest of deciding knows no difference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic_ai import Agent, NativeOutput
from pydantic_ai.usage import UsageLimits

from agent.case import Case, Deciding
from agent.policy import Policy
from agent.program import Program, ProgramCode, ProgramModel, case_text
from agent.tools import SUBMIT, By, SubmittedPlan, plan_type
from connectors.operation import Write

Decides = Agent[Deciding, SubmittedPlan]


@dataclass(frozen=True, slots=True)
class Way:
    """How to decide.

    build: a new agent. Called once in each process, since its clients belong to one event loop.
    told: a case as the agent's prompt.
    invalid: the code of an answer that is no plan.
    """

    by: By
    build: Callable[[], Decides]
    told: Callable[[Case], str]
    invalid: str
    at_once: int
    usage: UsageLimits
    seconds: float | None


def by_program(source: str, policy: Policy, writes: Mapping[str, Write]) -> Way:
    """The approved program decides: one answer, no second try, since it would be the same.

    Raises ValueError if the source is no program, or the policy grants what no operation has.
    """
    program = Program(source, policy, writes)
    plan = plan_type("value", policy, writes)

    def build() -> Decides:
        return Agent(
            ProgramModel(program),
            output_type=NativeOutput(plan, name=SUBMIT),
            deps_type=Deciding,
            name=SUBMIT,
            retries=0,
        )

    return Way(
        by="value",
        build=build,
        told=lambda case: case_text(case.entry, case.known, case.today),
        invalid=ProgramCode.OUTPUT_INVALID.value,
        at_once=1,
        usage=UsageLimits(request_limit=1),
        seconds=None,
    )
