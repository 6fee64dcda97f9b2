"""golden/: invented entries with the plan that is expected of them, and what the program makes of each."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue, TypeAdapter, ValidationError

from agent.case import Case
from agent.golden import ExpectedCall, ExpectedPlan, Golden
from agent.manifest import Manifest
from agent.plan import Plan
from agent.policy import Policy
from agent.refine.disagreements import Outcome
from agent.refine.draft import DraftedExample, DraftedExamples
from connectors.entry import leaves, without_positions

OBJECT = TypeAdapter(dict[str, JsonValue])
NAME_AT_MOST = 60  # characters of a file's name


@dataclass(frozen=True, slots=True)
class Judged:
    """Examples held against a program. `others`: those it does not meet, with the names of what differs."""

    kept: tuple[Golden, ...]
    others: tuple[tuple[Golden, tuple[str, ...]], ...]


def read(draft: DraftedExamples, manifest: Manifest, policy: Policy) -> tuple[list[Golden], list[str]]:
    """The examples, and a line for each thing that is wrong with them."""
    found: list[Golden] = []
    problems: list[str] = []
    names: set[str] = set()
    for at, one in enumerate(draft.examples, start=1):
        try:
            golden = _golden(one)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"]) or "the JSON"
            problems.append(f"example {at}: {place}: {first['msg']}")
            continue
        wrong = [*_undeclared(golden, manifest), *_ungranted(golden.plan, policy)]
        if name(golden) in names:
            wrong.append("an earlier example shows the same")
        names.add(name(golden))
        problems += [f"example {at}: {line}" for line in wrong]
        found.append(golden)
    return found, problems


def name(golden: Golden) -> str:
    """The example's file, named by what it shows."""
    words = re.sub(r"[^a-z0-9]+", "-", golden.shows.casefold()).strip("-")
    return f"{words[:NAME_AT_MOST].strip('-') or 'example'}.yaml"


def case(golden: Golden) -> Case:
    return Case(patient="example", entry=golden.entry, known={}, today=golden.today)


def met(examples: Sequence[Golden], outcomes: Sequence[Outcome]) -> int:
    """How many examples a program meets."""
    return sum(not against(golden, one) for golden, one in zip(examples, outcomes, strict=True))


def judged(examples: Sequence[Golden], outcomes: Sequence[Outcome]) -> Judged:
    """The examples that the program meets, each citing as the program does, and what the others expect."""
    kept: list[Golden] = []
    others: list[tuple[Golden, tuple[str, ...]]] = []
    for golden, outcome in zip(examples, outcomes, strict=True):
        differ = against(golden, outcome)
        if isinstance(outcome, Plan) and not differ:
            kept.append(golden.model_copy(update={"plan": ExpectedPlan.of(outcome)}))
        else:
            others.append((golden, tuple(differ)))
    return Judged(tuple(kept), tuple(others))


def against(golden: Golden, outcome: Outcome) -> list[str]:
    """What an example expects otherwise than it came, by name; what is cited does not count."""
    if not isinstance(outcome, Plan):
        return [f"refused with {outcome.code}"]
    wanted, came = golden.plan, ExpectedPlan.of(outcome)
    if (wanted.kind, wanted.reason) != (came.kind, came.reason):
        return ["what becomes of such a patient"]
    names = [] if wanted.again_on == came.again_on else ["when it is decided again"]
    if [call.op for call in wanted.calls] != [call.op for call in came.calls]:
        return [*names, "which operations are called"]
    for expected, call in zip(wanted.calls, came.calls, strict=True):
        names += [f"{call.op}.{argument}" for argument in _differing(expected, call)]
    return names


def _differing(one: ExpectedCall, other: ExpectedCall) -> list[str]:
    given, came = one.arguments, other.arguments
    return [
        argument
        for argument in dict.fromkeys((*given, *came))
        if (argument in given) != (argument in came)
        or json.dumps(given.get(argument), sort_keys=True) != json.dumps(came.get(argument), sort_keys=True)
    ]


def _golden(one: DraftedExample) -> Golden:
    return Golden.model_validate(
        {
            "shows": " ".join(one.shows.split()),
            "today": one.today,
            "entry": OBJECT.validate_json(one.entry),
            "judgements": {judged.sentence: judged.answer for judged in one.judgements},
            "plan": OBJECT.validate_json(one.plan),
        }
    )


def _undeclared(golden: Golden, manifest: Manifest) -> list[str]:
    """What the entry holds that is not read, so that no real entry can look like it."""
    problems: list[str] = []
    for at, value in leaves(golden.entry):
        path = without_positions(at)
        inner = value in (None, [], {}) and any(one.startswith(f"{path}.") for one in manifest.paths)
        if path not in manifest.paths and not inner:
            problems.append(f"entry: {path} is not among the declared fields")
    return problems


def _ungranted(plan: ExpectedPlan, policy: Policy) -> list[str]:
    problems = [
        f"plan: {sentence} is no sentence" for sentence in plan.cited if sentence not in policy.sentences
    ]
    for call in plan.calls:
        grant = policy.operations.get(call.op)
        if grant is None:
            problems.append(f"plan: {call.op} is no granted operation")
            continue
        others = [argument for argument in call.arguments if argument not in grant.arguments]
        problems += [f"plan: {call.op}.{argument} is not granted" for argument in others]
    return problems
