"""Counting the entries a question is about: the model's expression, run in the sandbox, gives a number."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent import syntax
from agent.case import Case
from agent.check import check_program
from agent.compiled import Program
from agent.policy import Policy
from agent.program import ProgramFailed, Sandbox
from agent.refine.draft import Counting
from connectors.entry import EntryField

HOLDS_AT_MOST = 500  # characters of an expression
NOTHING = Policy(operations={}, sentences=(), categories={}, by="program")


@dataclass(frozen=True, slots=True)
class Count:
    """For how many entries it holds, and for how many that could not be told."""

    holds: int
    failed: int


def problems(counting: Counting, fields: Mapping[str, EntryField]) -> list[str]:
    """Why an expression cannot be used: not one expression, or not of the types that its fields have."""
    if unknown := [path for path in counting.fields if path not in fields]:
        return [f"counting: {unknown[0]} is no field that may be read"]
    if not counting.fields or len(counting.holds) > HOLDS_AT_MOST or "--" in counting.holds:
        return [f"counting: name its fields, and write at most {HOLDS_AT_MOST} characters without --"]
    if not _is_expression(counting.holds):
        return ["counting: is not one Python expression on one line"]
    read = [fields[path] for path in counting.fields]
    found = check_program(_source(counting), NOTHING, {}, read, gives="bool")
    return [f"counting: {problem.partition(': ')[2] or problem}" for problem in found]


def count(countings: Sequence[Counting], cases: Sequence[Case]) -> list[Count]:
    """A count for each of them, in their order."""
    programs = [Program(_source(one), NOTHING, {}) for one in countings]
    if not programs or not cases:
        return [Count(0, 0) for _ in programs]
    sandbox = Sandbox()
    sandbox.open()
    try:
        return [_count(sandbox, program, cases) for program in programs]
    finally:
        sandbox.close()


def _count(sandbox: Sandbox, program: Program, cases: Sequence[Case]) -> Count:
    holds = failed = 0
    for case in cases:
        try:
            answer = sandbox.run(program, {"entry": dict(case.entry), "today": case.today}, case.today)
        except ProgramFailed:
            failed += 1
        else:
            holds += answer == "true"
    return Count(holds, failed)


def _is_expression(text: str) -> bool:
    if "\n" in text or "\r" in text:
        return False
    try:
        syntax.expression(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _source(counting: Counting) -> str:
    return f"def decide(entry, today):\n    return bool({counting.holds})\n"
