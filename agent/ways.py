"""The two ways to decide, and the program's. The rest of deciding knows no difference."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from pydantic import ValidationError
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.usage import UsageLimits

from agent.case import Case, Deciding
from agent.compiled import Program
from agent.failures import refusal
from agent.gate import Gate
from agent.host import Asked
from agent.instructions import REASON
from agent.judge import Judge
from agent.plan import Decision, Draft, Plan, Refused
from agent.program import Answer, Answers, ProgramCode, ProgramModel, cases_text
from agent.tools import SUBMIT, SubmittedPlan, draft_of

UNANSWERED = Refused(code=ProgramCode.OUTPUT_INVALID.value)

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


@dataclass(slots=True)
class Thinking:
    """Who decides in one process: the agent that runs the program, and who judges if somebody does."""

    program: Agent[None, Answers]
    judge: Any = None

    async def __aenter__(self) -> Self:
        await self.program.__aenter__()
        if self.judge is not None:
            await self.judge.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        if self.judge is not None:
            await self.judge.__aexit__(exc_type, exc_val, exc_tb)
        await self.program.__aexit__(exc_type, exc_val, exc_tb)


class ByProgram(Way[Thinking]):
    """The approved program decides: one agent run for a group of cases, each in a session of its own.

    What an agent run costs by itself (two to three milliseconds) is more than what a program takes;
    so the group shares one. There is no second try, since its answer would be the same. A program that waits
    for a judgement is run again with it, from the start: it is pure, so it comes to the same place.
    """

    at_once = 1

    def __init__(self, program: Program, plan: type[SubmittedPlan], gate: Gate, judge: Judge | None) -> None:
        """`plan`: what `plan_type("value", …)` gave. `judge`: without one, a person judges."""
        self._program, self._plan, self._gate, self._judge = program, plan, gate, judge

    def build(self) -> Thinking:
        model, output = ProgramModel(self._program), NativeOutput(Answers, name=SUBMIT)
        agent = Agent(model, output_type=output, name=SUBMIT, retries=0)
        agent.instrument = False  # whatever is instrumented elsewhere: an entry is in no trace
        return Thinking(agent, self._judge.build() if self._judge else None)

    async def decide(
        self, agent: Thinking, turns: asyncio.Semaphore, cases: Sequence[Case]
    ) -> list[Decision]:
        decidings = [Deciding(case, judged=dict(case.judged)) for case in cases]
        waiting = decidings
        while waiting:
            async with turns:
                asked = await self._run(agent.program, waiting)
            waiting = await self._judged(agent.judge, asked)
        return [
            Decision(outcome=one.outcome or UNANSWERED, model_requests=one.model_requests)
            for one in decidings
        ]

    async def _run(
        self, agent: Agent[None, Answers], waiting: Sequence[Deciding]
    ) -> list[tuple[Deciding, Asked]]:
        """Run the program for these; gives those that wait for a judgement."""
        run = agent.run(cases_text(waiting), usage_limits=UsageLimits(request_limit=1))
        (ended,) = await asyncio.gather(run, return_exceptions=True)
        if isinstance(ended, BaseException):
            for one in waiting:
                one.outcome = refusal(ended)
            return []
        asked: list[tuple[Deciding, Asked]] = []
        for one, answer in zip(waiting, ended.output.answers, strict=True):
            if answer.asked is None:
                one.outcome = self._outcome(one.case, answer)
            else:
                asked.append((one, answer.asked))
        return asked

    async def _judged(self, agent: Any, asked: Sequence[tuple[Deciding, Asked]]) -> list[Deciding]:
        """Have these judged; gives those that can go on. Without a judge, a person decides."""
        if self._judge is None:
            for one, question in asked:
                one.outcome = self._reviewed(one, question)
            return []
        options = await self._judge.answer(agent, asked) if asked else []
        going_on: list[Deciding] = []
        for (one, question), option in zip(asked, options, strict=True):
            if isinstance(option, Refused):
                one.outcome = option
            else:
                one.judged[question.label] = option
                going_on.append(one)
        return going_on

    def _reviewed(self, deciding: Deciding, asked: Asked) -> Plan | Refused:
        draft = Draft(by="value", kind="review", because=(asked.question.sentence,), reason=REASON)
        return self._gate.check(draft, deciding.case.entry, deciding.case.today)

    def _outcome(self, case: Case, answer: Answer) -> Plan | Refused:
        if answer.code:
            where = f"line {answer.line}" if answer.line else ""
            return Refused(code=answer.code, where=where)
        try:
            plan = self._plan.model_validate_json(answer.plan)
        except ValidationError:
            return UNANSWERED
        draft = draft_of("value", plan).model_copy(update={"judged": answer.judged})
        return self._gate.check(draft, case.entry, case.today)
