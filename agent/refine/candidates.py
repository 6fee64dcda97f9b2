"""Candidates for the program: checked before anybody sees them, run behind the gate, compared."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.agent import Case, Decider
from agent.check import check_program
from agent.coverage import cover
from agent.gate import Gate
from agent.golden import Golden
from agent.instructions import Instructions, InstructionsError
from agent.manifest import Manifest
from agent.plan import Refused, Sentences
from agent.policy import Policy
from agent.refine.disagreements import Disagreements, Outcome, alike
from agent.refusals import PolicyError
from connectors.entry import Category, EntryField
from connectors.operation import Write


@dataclass(frozen=True, slots=True)
class Desk:
    """What a program is held to: the sentences, the grants, the fields that it may read."""

    instructions: Instructions
    manifest: Manifest
    policy: Policy
    writes: Mapping[str, Write]
    fields: tuple[EntryField, ...]  # those of the manifest
    category: Callable[[str], Category | None]

    def speak(self, argument: str) -> Sentences:
        """The sentences that speak of `<operation>.<argument>`: as the grant says, or by what they read."""
        operation, _, name = argument.partition(".")
        grant = self.policy.operations.get(operation)
        granted = grant.arguments.get(name) if grant else None
        if granted is None or granted.because:
            return granted.because if granted else ()
        read = set(granted.sources)
        return tuple(number for number, paths in self.manifest.root.items() if read.intersection(paths))

    def problems(self, source: str) -> list[str]:
        """What is wrong with a program, one line each; it is run on nothing."""
        try:
            Instructions.parse(self.instructions.text, source)
        except InstructionsError as error:
            return [str(error)]
        return check_program(source, self.policy, self.writes, self.fields)

    def missed(self, source: str, golden: Sequence[Golden]) -> tuple[str, ...]:
        """A line for each branch of a program that none of these examples takes."""
        lines = source.splitlines()
        found = cover(source, self._policy(source), self.writes, golden)
        return tuple(f"{one.what}: {lines[one.line - 1].strip()}" for one in found.missed)

    def _policy(self, source: str) -> Policy:
        reasons = Instructions.parse(self.instructions.text, source).reasons
        return self.policy.model_copy(update={"reasons": reasons})

    def outcomes(self, source: str, cases: Sequence[Case]) -> list[Outcome]:
        """What a program makes of these entries, behind the gate.

        Raises:
            PolicyError: the policy cannot be used.
        """
        instructions = Instructions.parse(self.instructions.text, source)
        policy = self._policy(source)
        gate = Gate(policy, self.writes, self.category)
        decider = Decider(gate=gate, policy=policy, instructions=instructions, writes=self.writes)
        try:
            return [decision.outcome for decision in decider.decide(cases)]
        finally:
            decider.close()


def chosen(outcomes: Sequence[Sequence[Outcome]], met: Sequence[int]) -> int:
    """The position of the candidate to keep.

    Args:
        outcomes: of each candidate, for each case. met: how many examples each of them meets.

    It meets most examples, is refused least, and does most often what the others do; of equals the first.
    """
    return max(range(len(outcomes)), key=lambda at: (met[at], *_agreement(outcomes, at)))


def _agreement(outcomes: Sequence[Sequence[Outcome]], which: int) -> tuple[int, int]:
    mine = outcomes[which]
    refused = sum(isinstance(one, Refused) for one in mine)
    others = [one for at, one in enumerate(outcomes) if at != which]
    return -refused, sum(alike(one, other[at]) for at, one in enumerate(mine) for other in others)


def differing(outcomes: Sequence[Sequence[Outcome]], cases: range) -> Disagreements:
    """Where the candidates disagree about these cases, given by their positions."""
    disagreements = Disagreements()
    for at in cases:
        disagreements.add([one[at] for one in outcomes])
    return disagreements


def codes(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """The codes with which entries were refused, and how many of them."""
    counts: dict[str, int] = {}
    for one in outcomes:
        if isinstance(one, Refused):
            told = ":".join(filter(None, (one.code, one.where)))
            counts[told] = counts.get(told, 0) + 1
    return counts


def gate_problem(desk: Desk) -> str:
    """Why the grants cannot be used with these sentences, "" if they can."""
    try:
        Gate(desk.policy, desk.writes, desk.category)
    except PolicyError as error:
        return str(error)
    return ""
