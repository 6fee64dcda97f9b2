"""How a decision differs from the plan that was expected: names of fields and closed words, never values."""

import json
from collections.abc import Iterator, Sequence

from agent.golden import ExpectedCall, ExpectedPlan
from agent.plan import Plan, Refused


def unmet(expected: ExpectedPlan, outcome: Plan | Refused) -> tuple[str, ...]:
    """Each thing that differs, by its name; none if the plan says what was expected.

    Neither the order of calls nor that of cited sentences counts.
    """
    if isinstance(outcome, Refused):
        return (f"refused: {outcome.code} {outcome.where}".rstrip(),)
    made = ExpectedPlan.of(outcome)
    if made.kind != expected.kind:
        return (f"{made.kind} instead of {expected.kind}",)
    return tuple(dict.fromkeys(_of_plans(expected, made)))


def _of_plans(expected: ExpectedPlan, made: ExpectedPlan) -> Iterator[str]:
    for name in ("reason", "again_on"):
        if getattr(expected, name) != getattr(made, name):
            yield name
    if set(expected.because) != set(made.because):
        yield "because"
    for op in sorted({call.op for call in (*expected.calls, *made.calls)}):
        yield from _of_calls(op, _calls(op, expected), _calls(op, made))


def _calls(op: str, plan: ExpectedPlan) -> list[ExpectedCall]:
    """The plan's calls of an operation, in an order of their own."""
    return sorted((call for call in plan.calls if call.op == op), key=_canonical)


def _canonical(call: ExpectedCall) -> str:
    return json.dumps([call.arguments, sorted(call.because)], sort_keys=True)


def _of_calls(op: str, expected: Sequence[ExpectedCall], made: Sequence[ExpectedCall]) -> Iterator[str]:
    if len(expected) != len(made):
        yield f"{op}: {len(made)} calls instead of {len(expected)}"
        return
    for one, other in zip(expected, made, strict=True):
        if set(one.because) != set(other.because):
            yield f"{op}.because"
        for name in sorted(one.arguments.keys() | other.arguments.keys()):
            if name not in other.arguments:
                yield f"{op}.{name} is not set"
            elif name not in one.arguments:
                yield f"{op}.{name} is set"
            elif not _same(one.arguments[name], other.arguments[name]):
                yield f"{op}.{name}"


def _same(one: object, other: object) -> bool:
    """Equal as JSON: true is not 1, and 1 is not 1.0."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
