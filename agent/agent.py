"""Deciding: stateless agent runs, whoever thinks in them.

A run gives a plan as data, or a code. Nothing is written to a target here, nothing is remembered from one
entry to the next, and no exception of an entry's gets out.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from pydantic_ai.models import Model

from agent.access import PROGRAM, Access, Limits
from agent.case import Case
from agent.compiled import Program
from agent.failures import Code, is_transient, is_without_answer
from agent.gate import Gate
from agent.instructions import Instructions
from agent.judge import Judge, Judging
from agent.loop import EventLoop, event_loop
from agent.metered import Terms
from agent.plan import Decision
from agent.policy import Policy
from agent.prompt import View
from agent.tools import plan_type
from agent.ways import ByProgram, Way
from connectors.operation import Lookup, Write

__all__ = [
    "PROGRAM",
    "Access",
    "Case",
    "Code",
    "Decider",
    "Judging",
    "Limits",
    "Terms",
    "View",
    "is_transient",
    "is_without_answer",
]


@dataclass(frozen=True, slots=True)
class _Open:
    """An agent that was entered in a loop, and its turns."""

    loop: EventLoop
    agent: AbstractAsyncContextManager[Any]
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
        model: str | Model | Judging = PROGRAM,
        lookups: Mapping[str, Lookup] | None = None,
        view: View | None = None,
        terms: Terms | None = None,
    ) -> None:
        """Opens nothing yet.

        Args:
            writes, lookups: by full name, `<target>_<operation>`.
            model: "program", a `Judging` (the program, and who judges for it; else a person does), or a
                model: an id such as `openai-compatible:<name>`, or a Model.
            view: what a model may see (default: nothing). terms: how it is asked; an id has to be allowed.

        Raises ValueError: the program is none, the model may not be asked so, or the policy does not fit.
        """
        self._opened: list[_Open] = []  # the last is in use; those before belong to closed or parents' loops
        seen, asked = view or View(lambda path: None, (), ()), terms or Terms()
        if model == PROGRAM or isinstance(model, Judging):
            program = _program(instructions, policy, writes)
            judge = _judge(model, instructions, program, seen, asked)
            self._way: Way[Any] = ByProgram(program, plan_type("value", policy, writes), gate, judge)
            return
        # Only here: importing the vendors' SDKs takes over a second, and a program needs none of them.
        from agent.by_model import ByModel  # noqa: PLC0415

        text, looks = instructions.text, lookups or {}
        self._way = ByModel(
            model, text, policy=policy, writes=writes, lookups=looks, view=seen, terms=asked, gate=gate
        )

    def decide(self, cases: Sequence[Case]) -> list[Decision]:
        """A decision for each case, in their order. Blocks until all are there.

        Raises RuntimeError, and decides nothing, if called from within the agents' own event loop or, with
        a program, in a fork of a process that ran programs.
        """
        opened = self._in_this_process()
        return opened.loop.run(self._way.decide(opened.agent, opened.turns, cases))

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
        loop.enter(agent)
        return _Open(loop, agent, asyncio.Semaphore(self._way.at_once))


def _program(instructions: Instructions, policy: Policy, writes: Mapping[str, Write]) -> Program:
    if instructions.program is None:
        raise ValueError("program: the instructions were not compiled; refine them, or name a model")
    return Program(instructions.program, policy, writes)


def _judge(
    judging: str | Model | Judging, instructions: Instructions, program: Program, view: View, terms: Terms
) -> Judge | None:
    """Who judges for a program: nobody, where nobody is named or nothing is asked."""
    if not isinstance(judging, Judging) or not program.questions:
        return None
    from agent.judging import ModelJudge  # noqa: PLC0415 - as above: a program alone needs no SDK

    return ModelJudge(judging, instructions, program, view=view, terms=terms)
