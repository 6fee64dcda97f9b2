"""Deciding: one stateless agent run for each changed entry, whoever thinks in it.

A run gives a plan as data, or a code. Nothing is written to a target here, nothing is remembered from one
entry to the next, and no exception of an entry's gets out.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic_ai import ModelRetry, RunContext
from pydantic_ai.messages import ModelResponse, ToolCallPart
from pydantic_ai.models import Model

from agent.access import Access, Limits
from agent.case import Case, Deciding
from agent.failures import Code, is_transient, refusal
from agent.gate import Gate
from agent.instructions import Instructions
from agent.loop import EventLoop, event_loop
from agent.plan import Decision, Refused
from agent.policy import Policy
from agent.prompt import View
from agent.tools import SUBMIT, SubmittedPlan, draft_of
from agent.ways import Decides, by_program
from connectors.operation import Lookup, Write

__all__ = ["Access", "Case", "Code", "Decider", "Limits", "View", "is_transient"]

PROGRAM = "program"


@dataclass(frozen=True, slots=True)
class _Open:
    """An agent that was entered in a loop, and its turns."""

    loop: EventLoop
    agent: Decides
    turns: asyncio.Semaphore


class Decider:
    """Decides the entries of one integration. Any thread may call it, several at once."""

    def __init__(
        self,
        *,
        gate: Gate,
        policy: Policy,
        instructions: Instructions,
        writes: Mapping[str, Write],
        model: str | Model = PROGRAM,
        lookups: Mapping[str, Lookup] | None = None,
        view: View | None = None,
        access: Access | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            writes, lookups: by full name, `<target>_<operation>`.
            model: "program", or a model: a pydantic-ai id, `openai-compatible:<name>`, or a Model.
            view: what a model may see of an entry; nothing, if it is not said.
            access: how a model is reached, and what it may cost.

        Raises:
            ValueError: the program is none, the model cannot be reached so, or the policy does not fit.
        """
        self._gate = gate
        self._opened: list[_Open] = []  # the last is in use; those before belong to closed or parents' loops
        if model == PROGRAM:
            if instructions.program is None:
                raise ValueError(
                    "program: these instructions were not compiled; refine them, or name a model"
                )
            self._way = by_program(instructions.program, policy, writes)
            return
        # Only here: importing the vendors' SDKs takes over a second, and a program needs none of them.
        from agent.by_model import by_model  # noqa: PLC0415

        view = view or View(lambda path: None, ())
        self._way = by_model(
            model, instructions.text, policy, writes, lookups or {}, view, access or Access()
        )

    def decide(self, cases: Sequence[Case]) -> list[Decision]:
        """A decision for each case, in their order. Blocks until all are there.

        Raises RuntimeError, and decides nothing, if called from within the agents' own event loop or, with
        a program, in a fork of a process that ran programs.
        """
        opened = self._in_this_process()
        return opened.loop.run(self._decide(opened, cases))

    def close(self) -> None:
        """Give back connections and worker processes. A later `decide` opens them again."""
        opened = self._opened[-1] if self._opened else None
        if opened is not None and opened.loop.pid == os.getpid():
            self._opened.remove(opened)
            opened.loop.leave(opened.agent)

    def _in_this_process(self) -> _Open:
        loop = event_loop()
        with loop.lock:
            if not self._opened or self._opened[-1].loop is not loop:
                self._opened.append(self._open(loop))
            return self._opened[-1]

    def _open(self, loop: EventLoop) -> _Open:
        os.environ.setdefault("PYDANTIC_AI_NO_BANNER", "1")  # standard output is not ours to write on
        agent = self._way.build()
        agent.output_validator(self._check)
        loop.enter(agent)
        return _Open(loop, agent, asyncio.Semaphore(self._way.at_once))

    async def _decide(self, opened: _Open, cases: Sequence[Case]) -> list[Decision]:
        decidings = [Deciding(case) for case in cases]
        runs = (self._run(opened, deciding) for deciding in decidings)
        errors = await asyncio.gather(*runs, return_exceptions=True)
        invalid = self._way.invalid
        return [
            _decision(deciding, error, invalid) for deciding, error in zip(decidings, errors, strict=True)
        ]

    async def _run(self, opened: _Open, deciding: Deciding) -> None:
        way = self._way
        async with opened.turns:
            with deciding.current():
                await opened.agent.run(
                    way.told(deciding.case), deps=deciding, usage_limits=way.usage, timeout=way.seconds
                )

    async def _check(self, run: RunContext[Deciding], plan: SubmittedPlan) -> SubmittedPlan:
        """Put a plan to the gate. A model may put right what was refused; it is told codes and names."""
        deciding = run.deps
        deciding.outcome = None
        if _submissions(run) > 1:
            raise ModelRetry(f"submit one plan: call {SUBMIT} once")
        outcome = self._gate.check(draft_of(self._way.by, plan), deciding.case.entry)
        deciding.outcome = outcome
        if isinstance(outcome, Refused) and self._way.by == "reference":
            raise ModelRetry(f"refused: {outcome.code} {outcome.where}".rstrip())
        return plan


def _submissions(run: RunContext[Deciding]) -> int:
    """How many plans the model submitted in its last answer; all but the first would be dropped unseen."""
    last = run.messages[-1]
    if not isinstance(last, ModelResponse):
        return 0
    return sum(isinstance(part, ToolCallPart) and part.tool_name == SUBMIT for part in last.parts)


def _decision(deciding: Deciding, error: BaseException | None, invalid: str) -> Decision:
    outcome = deciding.outcome
    if error is not None:
        failed = refusal(error)
        if failed.code != Code.MODEL_OUTPUT_INVALID:
            outcome = failed
        elif not isinstance(outcome, Refused):  # else what the gate said last tells more
            outcome = Refused(code=invalid)
    return Decision(outcome=outcome or Refused(code=invalid), model_requests=deciding.model_requests)
