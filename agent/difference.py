"""What two decisions about one entry differ in, and by which sentences: nothing, if they are equal."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import JsonValue

from agent.gate import plan_hash
from agent.plan import Argument, Call, Frozen, Plan, Refused, Sentences
from agent.references import exact

Outcome = Plan | Refused


class Side(Frozen):
    """What one of the two decisions says. unset: it says nothing here; null is a value."""

    value: JsonValue = None
    unset: bool = False


UNSET = Side(unset=True)


class Difference(Frozen):
    """One thing that is not the same.

    what: `warehouse_upsert_patients.email`, an operation, "decision" or "again_on". because: the sentences
    that speak of it, of both decisions; none for what was refused. kind: "value" is patient data, to be
    masked; "word" is the decision's own: a reason, a code, a source, sentences.
    """

    what: str
    because: Sentences
    before: Side
    after: Side
    kind: Literal["value", "word"] = "value"


def same(before: Outcome, after: Outcome) -> bool:
    """Whether they are equal, byte for byte."""
    if isinstance(before, Plan) and isinstance(after, Plan):
        return plan_hash(before) == plan_hash(after)
    return before == after


def differences(before: Outcome, after: Outcome) -> tuple[Difference, ...]:
    """All that differs, in the order of the plans; at least one unless they are equal."""
    if same(before, after):
        return ()
    if not (isinstance(before, Plan) and isinstance(after, Plan)) or before.kind != after.kind:
        return (_decision(before, after),)
    found = [*_said(before, after), *_calls(before, after)]
    if before.again_on != after.again_on:
        days = (Side(value=str(plan.again_on)) if plan.again_on else UNSET for plan in (before, after))
        found.append(_of("again_on", _merged(_cited(before), _cited(after)), *days))
    return tuple(found) or (_decision(before, after),)


def _decision(before: Outcome, after: Outcome) -> Difference:
    """Another kind of decision. A skip's or review's own sentences tell more than all that a write cites."""
    sides = [one for one in (before, after) if isinstance(one, Plan)]
    telling = [one for one in sides if one.kind != "write"] or (sides if len(sides) == 2 else [])
    because = _merged(*(_cited(one) for one in telling))
    return _of("decision", because, Side(value=_word(before)), Side(value=_word(after)), word=True)


def _word(outcome: Outcome) -> str:
    if isinstance(outcome, Refused):
        return f"refused ({':'.join(part for part in (outcome.code, outcome.where) if part)})"
    if outcome.kind == "write":
        return "write"
    reason = f" ({outcome.reason})" if outcome.reason else ""
    return f"{outcome.kind} by {' '.join(outcome.because)}{reason}"


def _said(before: Plan, after: Plan) -> Iterator[Difference]:
    """Sentences and reason of the plan itself."""
    if (before.because, before.reason) != (after.because, after.reason):
        yield _decision(before, after)


def _calls(before: Plan, after: Plan) -> Iterator[Difference]:
    mine, theirs = _by_place(before), _by_place(after)
    for place in [*mine, *(place for place in theirs if place not in mine)]:
        one, other = mine.get(place), theirs.get(place)
        if one is not None and other is not None:
            yield from _call(one, other)
        elif present := one or other:
            there, gone = Side(value="called"), Side(value="not called")
            sides = (there, gone) if one else (gone, there)
            yield _of(place[0], present.because, *sides, word=True)
    if list(mine) != list(theirs) and mine.keys() == theirs.keys():
        orders = (Side(value=" ".join(name for name, _ in places)) for places in (mine, theirs))
        yield _of("order of calls", _merged(_cited(before), _cited(after)), *orders, word=True)


def _by_place(plan: Plan) -> dict[tuple[str, int], Call]:
    """The calls by operation, and which of its calls they are."""
    met: Counter[str] = Counter()
    found: dict[tuple[str, int], Call] = {}
    for call in plan.calls:
        found[call.operation, met[call.operation]] = call
        met[call.operation] += 1
    return found


def _call(before: Call, after: Call) -> Iterator[Difference]:
    names = [*before.arguments, *(name for name in after.arguments if name not in before.arguments)]
    for name in names:
        one, other = before.arguments.get(name), after.arguments.get(name)
        if one != other or _exact(one) != _exact(other):
            yield _argument(f"{before.operation}.{name}", one, other)
    if before.because != after.because:
        apart = set(before.because) ^ set(after.because)
        because = tuple(one for one in _merged(before.because, after.because) if one in apart)
        sides = (Side(value=" ".join(call.because)) for call in (before, after))
        yield _of(f"{before.operation}, cited", because or before.because, *sides, word=True)


def _argument(what: str, before: Argument | None, after: Argument | None) -> Difference:
    because = _merged(*(one.because for one in (before, after) if one))
    if before is None or after is None or _exact(before) != _exact(after):
        return _of(what, because, _side(before), _side(after))
    sides = (Side(value=_origin(one)) for one in (before, after))
    return _of(f"{what}, its source", because, *sides, word=True)


def _side(argument: Argument | None) -> Side:
    return UNSET if argument is None else Side(value=argument.value)


def _exact(argument: Argument | None) -> object:
    return None if argument is None else exact(argument.value)


def _origin(argument: Argument) -> str:
    source = argument.source
    parts = (source.kind, *source.paths, *source.transforms, "by", *argument.because)
    return " ".join(parts)


def _cited(plan: Plan) -> Sentences:
    return _merged(plan.because, *(call.because for call in plan.calls))


def _merged(*cited: Sentences) -> Sentences:
    return tuple(dict.fromkeys(one for sentences in cited for one in sentences))


def _of(what: str, because: Sentences, before: Side, after: Side, *, word: bool = False) -> Difference:
    return Difference(
        what=what, because=because, before=before, after=after, kind="word" if word else "value"
    )


def by_sentence(found: Mapping[str, tuple[Difference, ...]]) -> dict[str, list[tuple[str, Difference]]]:
    """Differences of many entries, by each sentence that speaks of them; "" is what no sentence speaks of."""
    grouped: dict[str, list[tuple[str, Difference]]] = {}
    for entry, differing in found.items():
        for one in differing:
            for sentence in one.because or ("",):
                grouped.setdefault(sentence, []).append((entry, one))
    return dict(sorted(grouped.items(), key=lambda item: (len(item[0]), item[0])))
