"""Which branches of a program its golden examples take, and which sentences none of them shows."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from pydantic import JsonValue

from agent.branches import TAKEN, Branch, watched
from agent.compiled import Program, signature
from agent.golden import Golden
from agent.plan import Sentences
from agent.policy import Policy
from agent.program import ProgramFailed, Sandbox
from agent.walk import reading
from connectors.operation import Write

NOTES = f"""\
_notes = []
def {TAKEN}(at, value):
    way = bool(value)
    if (at, way) not in _notes:
        _notes.append((at, way))
    return value
def judge(sentence, question, options, about=None):
    return _judgements[sentence]
"""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the examples show of a program.

    missed: the branches that no example takes. unshown: the sentences that no example's plan cites.
    branches: by sentence, how many of its branches are taken, of how many.
    """

    taken: int
    of: int
    missed: tuple[Branch, ...]
    unshown: Sentences
    branches: Mapping[str, tuple[int, int]]


class _Noting(Program):
    """A program that answers with the branches it took, whatever it decides."""

    def __init__(self, source: str, policy: Policy, writes: Mapping[str, Write]) -> None:
        super().__init__(source, policy, writes)
        self.code = f"{self.defined}{NOTES}decide({', '.join(signature(source))})\n_dumps(_notes)"


def cover(source: str, policy: Policy, writes: Mapping[str, Write], examples: Iterable[Golden]) -> Coverage:
    """What these examples show of a program that `check_program` found right.

    Raises RuntimeError in a fork of a process that ran programs before.
    """
    found, examples = reading(source, policy), list(examples)
    told = watched(found.tree, found.speaks)
    taken = _taken(_Noting(told.source, policy, writes), examples)
    missed = tuple(one for one in told.branches if (one.at, one.way) not in taken)
    shown = {sentence for example in examples for sentence in example.plan.cited}
    by_sentence: dict[str, tuple[int, int]] = {}
    for sentence in policy.sentences:
        own = [one for one in told.branches if sentence in one.sentences]
        by_sentence[sentence] = (len(own) - len([one for one in own if one in missed]), len(own))
    return Coverage(
        taken=len(told.branches) - len(missed),
        of=len(told.branches),
        missed=missed,
        unshown=tuple(sentence for sentence in policy.sentences if sentence not in shown),
        branches=by_sentence,
    )


def _taken(program: Program, examples: Iterable[Golden]) -> set[tuple[int, bool]]:
    """The branches that at least one example takes. One in which the program fails takes none."""
    taken: set[tuple[int, bool]] = set()
    sandbox = Sandbox()
    sandbox.open()
    try:
        for example in examples:
            inputs: dict[str, JsonValue | date] = {
                "entry": example.entry,
                "known": example.known,
                "today": example.today,
                "_judgements": dict(example.judgements),
            }
            try:
                answer = sandbox.run(program, inputs, example.today)
            except ProgramFailed:
                continue  # the example fails when it is tested, which says why
            taken |= {(at, way) for at, way in json.loads(answer)}
    finally:
        sandbox.close()
    return taken
