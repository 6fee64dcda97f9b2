"""Which question of a program waits for a person, of entries that no model judges."""

from collections.abc import Sequence
from datetime import date

from pydantic import JsonValue

from agent.case import Case
from agent.compiled import Program
from agent.host import Asked, Host, Paused
from agent.program import ProgramFailed, Sandbox
from agent.transforms import When


def asked(program: Program, cases: Sequence[Case]) -> list[Asked | None]:
    """For each case the question that the program stops at, with what it is about; None if it stops at none.

    What a case has as judged is answered.

    Raises RuntimeError in a fork of a process that ran programs before.
    """
    sandbox = Sandbox()
    sandbox.open()
    try:
        return [_asked(sandbox, program, case) for case in cases]
    finally:
        sandbox.close()


def _asked(sandbox: Sandbox, program: Program, case: Case) -> Asked | None:
    inputs: dict[str, JsonValue | date] = {
        "entry": dict(case.entry),
        "known": dict(case.known),
        "today": case.today,
    }
    try:
        sandbox.run(
            program, inputs, case.today, Host(program, When(case.today, program.timezone), case.judged)
        )
    except Paused as paused:
        return paused.asked
    except ProgramFailed:
        return None
    return None
