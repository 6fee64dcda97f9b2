"""Deciding: one stateless agent run per changed entry, whoever thinks in it."""

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import JsonValue
from pydantic_ai import Agent, RunContext, ToolOutput
from pydantic_ai.usage import UsageLimits

from agent.gate import Gate
from agent.loop import event_loop
from agent.plan import Decision, Plan, Refused
from agent.policy import Policy
from agent.program import SUBMIT, Program, ProgramFailed, ProgramModel, case_text
from agent.tools import SubmittedPlan, draft_of, plan_type
from connectors.entry import Entry
from connectors.operation import Write


@dataclass(frozen=True, slots=True)
class Case:
    """One entry to decide. `known`: answers of declared lookups, by full name, fetched beforehand."""

    patient: str
    entry: Entry
    known: Mapping[str, JsonValue]
    today: date


@dataclass(slots=True)
class Run:
    """What one agent run is about, and what the gate said last."""

    case: Case
    outcome: Plan | Refused | None = None


class Decider:
    def __init__(self, *, gate: Gate, policy: Policy, writes: Mapping[str, Write], program: str) -> None:
        self._gate = gate
        self._program = Program(program, policy, writes)
        self._agent = Agent(
            ProgramModel(self._program),
            output_type=ToolOutput(plan_type("value", policy, writes), name=SUBMIT),
            deps_type=Run,
            retries=0,
        )
        self._agent.output_validator(self._check)
        self._entered = False

    def decide(self, cases: Sequence[Case]) -> list[Decision]:
        return event_loop().run(self._decide(cases))

    async def _decide(self, cases: Sequence[Case]) -> list[Decision]:
        if not self._entered:
            self._entered = True
            await self._agent.__aenter__()
        return [await self._one(case) for case in cases]

    async def _one(self, case: Case) -> Decision:
        run = Run(case)
        try:
            await self._agent.run(case_text(case.entry, case.known, case.today), deps=run)
        except ProgramFailed as failed:
            return Decision(outcome=Refused(code=failed.code, where=f"line {failed.line}"))
        assert run.outcome
        return Decision(outcome=run.outcome)

    async def _check(self, ctx: RunContext[Run], plan: SubmittedPlan) -> SubmittedPlan:
        ctx.deps.outcome = self._gate.check(draft_of("value", plan), ctx.deps.case.entry)
        return plan
