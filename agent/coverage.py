"""Which branches of a program its golden examples take, and which sentences none of them shows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue

from agent.branches import TAKEN, Branch, watched
from agent.compiled import Program, signature
from agent.golden import Golden
from agent.host import Host, Paused
from agent.plan import Sentences
from agent.policy import Policy
from agent.program import ProgramFailed, Sandbox
from agent.transforms import When
from agent.walk import reading
from connectors.operation import Write

NOTES = f"""\
_notes = []
def {TAKEN}(at, value):
    way = bool(value)
    if (at, way) not in _notes:
        _notes.append((at, way))
    return value
"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """The branches of a program, and those of them that no example takes."""

    branches: tuple[Branch, ...]
    missed: tuple[Branch, ...]


class _Noting(Program):
    """A program that answers with the branches it took, whatever it decides."""

    def __init__(self, source: str, policy: Policy, writes: Mapping[str, Write]) -> None:
        super().__init__(source, policy, writes)
        self.code = f"{self.defined}{NOTES}decide({', '.join(signature(source))})\n_dumps(_notes)"


def cover(source: str, policy: Policy, writes: Mapping[str, Write], examples: Iterable[Golden]) -> Coverage:
    """Which branches these examples take of a program that `check_program` found right.

    Raises RuntimeError in a fork of a process that ran programs before.
    """
    found = reading(source, policy)
    told = watched(found.tree, found.speaks)
    taken = _taken(_Noting(told.source, policy, writes), examples)
    missed = tuple(one for one in told.branches if (one.at, one.way) not in taken)
    return Coverage(told.branches, missed)


def unshown(sentences: Sentences, examples: Iterable[Golden]) -> Sentences:
    """The sentences that no example's plan cites."""
    shown = {sentence for example in examples for sentence in example.plan.cited}
    return tuple(sentence for sentence in sentences if sentence not in shown)


def _taken(program: Program, examples: Iterable[Golden]) -> set[tuple[int, bool]]:
    """The branches that at least one example takes. One in which the program fails takes none."""
    taken: set[tuple[int, bool]] = set()
    sandbox = Sandbox()
    sandbox.open()
    try:
        for example in examples:
            inputs: dict[str, JsonValue | date] = {
                "entry": example.entry,
                "known": {},
                "today": example.today,
            }
            host = Host(program, When(example.today, program.timezone), example.judgements)
            try:
                answer = sandbox.run(program, inputs, example.today, host)
            except (ProgramFailed, Paused):
                continue  # the example fails when it is tested, which says why
            taken |= {(at, way) for at, way in json.loads(answer)}
    finally:
        sandbox.close()
    return taken
