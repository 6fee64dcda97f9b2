"""The two ways to decide, and the program's. The rest of deciding knows no difference."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.usage import UsageLimits

from agent.case import Case
from agent.compiled import Program
from agent.failures import refusal
from agent.gate import Gate
from agent.plan import Decision, Refused
from agent.policy import Policy
from agent.program import Answer, Answers, ProgramCode, ProgramModel, cases_text
from agent.tools import SUBMIT, draft_of, plan_type
from connectors.operation import Write

Agents = TypeVar("Agents", bound=AbstractAsyncContextManager[Any])


class Way(ABC, Generic[Agents]):
    """How to decide. `at_once`: agent runs at the same time."""

    at_once: int

    @abstractmethod
    def build(self) -> Agents:
        """A new agent. Called once in each process, since its clients belong to one event loop."""

    @abstractmethod
    async def decide(self, agent: Agents, turns: asyncio.Semaphore, cases: Sequence[Case]) -> list[Decision]:
        """A decision for each case, in their order. No exception of a case's gets out."""


class ByProgram(Way[Agent[None, Answers]]):
    """The approved program decides: one agent run for a group of cases, each in a session of its own.

    What an agent run costs by itself (two to three milliseconds) is more than what a program takes;
    so the group shares one. There is no second try, since its answer would be the same.
    """

    at_once = 1

    def __init__(self, source: str, policy: Policy, writes: Mapping[str, Write], gate: Gate) -> None:
        """Raises ValueError if the source is no program, or the policy grants what no operation has."""
        self._program = Program(source, policy, writes)
        self._plan = plan_type("value", policy, writes)
        self._gate = gate

    def build(self) -> Agent[None, Answers]:
        model, output = ProgramModel(self._program), NativeOutput(Answers, name=SUBMIT)
        return Agent(model, output_type=output, name=SUBMIT, retries=0)

    async def decide(
        self, agent: Agent[None, Answers], turns: asyncio.Semaphore, cases: Sequence[Case]
    ) -> list[Decision]:
        if not cases:
            return []
        async with turns:
            run = agent.run(cases_text(cases), usage_limits=UsageLimits(request_limit=1))
            (ended,) = await asyncio.gather(run, return_exceptions=True)
        if isinstance(ended, BaseException):
            return [Decision(outcome=refusal(ended)) for _ in cases]
        answers = ended.output.answers
        return [self._decision(case, answer) for case, answer in zip(cases, answers, strict=True)]

    def _decision(self, case: Case, answer: Answer) -> Decision:
        if answer.code:
            where = f"line {answer.line}" if answer.line else ""
            return Decision(outcome=Refused(code=answer.code, where=where))
        try:
            plan = self._plan.model_validate_json(answer.plan)
        except ValidationError:
            return Decision(outcome=Refused(code=ProgramCode.OUTPUT_INVALID.value))
        return Decision(outcome=self._gate.check(draft_of("value", plan), case.entry, case.today))
