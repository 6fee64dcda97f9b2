"""The compiled program, the sandbox it runs in, and the pydantic-ai Model that makes it an agent's.

A program is plain Python: `def decide(entry, today)`, with `known` as a third parameter if it wants
one. It runs in a Monty worker process: no files, no network, no clock but `today`, and nothing of one
entry is left when the next is decided. Whatever goes wrong in it is a code and a line of the program:
what an exception says may hold what the entry says.
"""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Self

import pydantic_monty
from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, UserPromptPart
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.settings import ModelSettings

from agent.case import Deciding
from agent.compiled import LIMITS, Program
from agent.host import FUNCTIONS, Asked, Host, Misused, Paused, TooLong
from agent.transforms import When

REQUEST_TIMEOUT = 5.0  # seconds, then the worker is killed: for what the sandbox's own limits miss
PRINTED_AT_MOST = 64 * 1024  # bytes; what a program prints is thrown away
ANSWER_AT_MOST = 256 * 1024  # characters


class ProgramCode(StrEnum):
    """What can go wrong in a program."""

    ERROR = "program_error"
    TIMEOUT = "program_timeout"
    MEMORY = "program_memory"
    RECURSION = "program_recursion"
    CRASHED = "program_crashed"
    OUTPUT_INVALID = "program_output_invalid"
    JUDGE_MISUSED = "program_judge_misused"  # not as it is written, about too much, or too often


KINDS: Mapping[type[BaseException], ProgramCode] = {
    TimeoutError: ProgramCode.TIMEOUT,
    MemoryError: ProgramCode.MEMORY,
    RecursionError: ProgramCode.RECURSION,
}


class ProgramFailed(Exception):
    """The program gave no answer for this entry. `line` is the program's, 0 if there is none."""

    def __init__(self, code: ProgramCode, line: int = 0) -> None:
        super().__init__(f"program: {code} at line {line}")
        self.code = code
        self.line = line


class Sandbox:
    """A worker process that runs programs, until `close`.

    Monty keeps threads of its own which do not survive a fork, and a child that used it would wait for
    them for ever (1.4.0, seen 2026-11): a forked child of a process that ran programs cannot run any.
    """

    _used_in: ClassVar[int | None] = None  # the process that Monty's threads belong to

    def __init__(self) -> None:
        self._pool = pydantic_monty.Monty(
            min_processes=1,
            max_processes=1,
            request_timeout=REQUEST_TIMEOUT,
            checkout_timeout=REQUEST_TIMEOUT,
        )

    def open(self) -> None:
        """Start the worker. Raises RuntimeError in a fork of a process that ran programs before."""
        if Sandbox._used_in not in (None, os.getpid()):
            raise RuntimeError("program: a forked process cannot run programs; start it as a new one (spawn)")
        Sandbox._used_in = os.getpid()
        self._pool.__enter__()

    def close(self) -> None:
        self._pool.__exit__(None, None, None)

    def run(
        self,
        program: Program,
        inputs: Mapping[str, JsonValue | date],
        today: date,
        host: Host | None = None,
    ) -> str:
        """The program's answer as JSON text, from a session that saw nothing but these inputs.

        `host`: who answers its calls; without one, nothing was judged. Raises ProgramFailed, and Paused if it
        waits for a judgement: it is then run again, from the start, with that.
        """
        host = host or Host(program, When(today, program.timezone), {})
        failed: ProgramFailed | None = None
        answer: object = None
        try:
            with self._pool.checkout(limits=LIMITS, os_policy=_still(today)) as session:
                answer = _driven(session, program, inputs, host)
        except pydantic_monty.MontyError as error:
            failed = ProgramFailed(_code(error), program.line(error))
        except Misused as error:
            failed = ProgramFailed(ProgramCode.JUDGE_MISUSED, error.line)
        except TooLong as error:
            failed = ProgramFailed(ProgramCode.TIMEOUT, error.line)
        if failed is not None:
            raise failed
        if not isinstance(answer, str) or len(answer) > ANSWER_AT_MOST:
            raise ProgramFailed(ProgramCode.OUTPUT_INVALID)
        return answer


def _driven(
    session: pydantic_monty.MontySession,
    program: Program,
    inputs: Mapping[str, JsonValue | date],
    host: Host,
) -> object:
    """What the program gives in the end. A session that is left before that is thrown away."""
    snapshot = session.feed_start(
        program.code,
        inputs=dict(inputs),
        external_lookup=dict(FUNCTIONS),
        print_callback=pydantic_monty.CollectString(PRINTED_AT_MOST),
    )
    while not isinstance(snapshot, pydantic_monty.MontyComplete):
        snapshot = host.answer(snapshot)
    return snapshot.output


def _still(today: date) -> pydantic_monty.OSPolicy:
    """A clock that stands at the run's day, no waiting, and dice that always fall alike."""
    return {
        "datetime": datetime.combine(today, time(), UTC),
        "sleep": "zero",
        "random_start": {"seed": 0},
    }


def _code(error: pydantic_monty.MontyError) -> ProgramCode:
    if isinstance(error, pydantic_monty.MontyCrashedError):
        return ProgramCode.TIMEOUT if error.timed_out else ProgramCode.CRASHED
    cause = error.exception()
    for kind, code in KINDS.items():
        if isinstance(cause, kind):
            return code
    return ProgramCode.ERROR


class Answer(BaseModel):
    """What the program answered for one case: the text of a plan, what it asks, or why there is neither.

    `judged`: the judgements that it was given and used.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    plan: str = ""
    code: str = ""
    line: int = 0
    asked: Asked | None = None
    judged: dict[str, str] = {}


class Answers(BaseModel):
    """One agent run's output: an answer for each case, in their order."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    answers: list[Answer]


def cases_text(cases: Sequence[Deciding]) -> str:
    """Cases as the text of a request to a ProgramModel."""
    return json.dumps(
        [
            {
                "entry": dict(one.case.entry),
                "known": dict(one.case.known),
                "today": one.case.today.isoformat(),
                "judged": one.judged,
            }
            for one in cases
        ]
    )


class ProgramModel(Model):
    """A model that thinks by running the program: no network, same case, same answer, byte for byte."""

    def __init__(self, program: Program) -> None:
        super().__init__(profile=ModelProfile(supports_json_schema_output=True))
        self._program = program
        self._sandbox = Sandbox()

    @property
    def model_name(self) -> str:
        return "program"

    @property
    def system(self) -> str:
        return "ferry"

    async def __aenter__(self) -> Self:
        self._sandbox.open()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        self._sandbox.close()

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        answers: list[Answer] = []
        for case in json.loads(_prompt(messages)):
            answers.append(self._answer(case))
            await asyncio.sleep(0)  # the loop is shared
        text = Answers(answers=answers).model_dump_json(exclude_defaults=True)
        return ModelResponse([TextPart(text)], model_name="program")

    def _answer(self, case: dict[str, Any]) -> Answer:
        """One case, in a session of its own: what happens to it happens to no other."""
        today, judged = date.fromisoformat(case["today"]), case["judged"]
        host = Host(self._program, When(today, self._program.timezone), judged)
        given = {"entry": case["entry"], "known": case["known"], "today": today}
        try:
            plan = self._sandbox.run(self._program, given, today, host)
        except ProgramFailed as failed:
            return Answer(code=failed.code.value, line=failed.line)
        except Paused as paused:
            return Answer(asked=paused.asked, judged=host.used)
        return Answer(plan=plan, judged=host.used)


def _prompt(messages: list[ModelMessage]) -> str:
    for part in messages[-1].parts:
        if isinstance(part, UserPromptPart) and isinstance(part.content, str):
            return part.content
    raise ProgramFailed(ProgramCode.OUTPUT_INVALID)
