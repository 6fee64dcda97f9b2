"""A program as source: its one function, and what is put before it. Runs nothing."""

import ast
import re
from collections.abc import Mapping

import pydantic_monty

from agent import syntax
from agent.policy import Policy
from agent.prelude import prelude
from agent.questions import questions
from connectors.operation import Write

LIMITS = pydantic_monty.ResourceLimits(
    max_feed_duration_secs=0.5,  # a program takes about 0.0005; a busy machine is no endless loop
    max_memory=64 * 1024 * 1024,  # bytes
    max_recursion_depth=200,
    max_suspensions=2_000,  # calls of what the host does: transforms, `judge`
)
TAKES = "def decide(entry, today):"
DECIDE = r"def decide\(entry, today(, known)?\):"


class Program:
    """An approved program with the functions it may call, ready to run. Holds no process."""

    def __init__(self, source: str, policy: Policy, writes: Mapping[str, Write]) -> None:
        """Raises ValueError if the source is no program: see `signature`."""
        parameters = signature(source)
        tree = _parsed(source)
        self.questions = questions(tree, policy.judgement)
        self.texts = texts(tree)
        self.timezone = policy.timezone
        named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        ahead = prelude(policy, writes, named)  # read anew for each entry, so no longer than needed
        self.lines = source.count("\n") + 1
        self.ahead = ahead.count("\n")
        self.defined = f"{ahead}{source}\n"
        self.code = f"{self.defined}_answer(decide({', '.join(parameters)}))"

    def line_at(self, place: pydantic_monty.SourceRange) -> int:
        """The program's own line at a place in `code`, 0 outside of it."""
        if place.filename == "<string>":  # within an `eval` of the program's
            return 0
        line = self.code.encode()[: place.start].count(b"\n") + 1 - self.ahead
        return line if 0 < line <= self.lines else 0

    def line(self, error: pydantic_monty.MontyError) -> int:
        """The innermost line of the program itself in an error's traceback."""
        if not isinstance(error, pydantic_monty.MontyRuntimeError | pydantic_monty.MontySyntaxError):
            return 0
        lines = [frame.line - self.ahead for frame in error.traceback()]
        return next((line for line in reversed(lines) if 0 < line <= self.lines), 0)


def signature(source: str) -> tuple[str, ...]:
    """The parameters of the program's `decide`: entry, today, and known if it takes it.

    Raises ValueError, with the line, if there is not exactly one such function.
    """
    found = [
        node for node in _parsed(source).body if isinstance(node, ast.FunctionDef) and node.name == "decide"
    ]
    if len(found) != 1:
        raise ValueError(f"line {found[1].lineno if found else 1}: write one function decide(entry, today)")
    line = found[0].lineno
    written = re.match(DECIDE, source.split("\n")[line - 1])
    if written is None:
        raise ValueError(f"line {line}: write it as {TAKES}")
    return ("entry", "today", "known") if written[1] else ("entry", "today")


def texts(tree: ast.Module) -> frozenset[str]:
    """Every text that the program writes out."""
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def own_names(source: str) -> frozenset[str]:
    """What the program itself gives a name to outside of its functions: it is no transform there."""
    found: set[str] = set()
    for node in _parsed(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        else:
            names = (inner for inner in ast.walk(node) if isinstance(inner, ast.Name))
            found.update(name.id for name in names if isinstance(name.ctx, ast.Store))
    return frozenset(found)


def _parsed(source: str) -> ast.Module:
    try:
        return syntax.program(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else 1
        raise ValueError(f"line {line}: is not Python") from None
