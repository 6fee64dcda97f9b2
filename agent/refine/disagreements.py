"""Where candidates disagree about an entry, told without any value: by fields, constants and codes."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agent.plan import Argument, Call, Plan, Refused, Sentences
from agent.refine.numbers import in_order
from agent.refine.questions import DIFFERENCE, Question

Outcome = Plan | Refused
UNSET = "left as it is"
OPTIONS_AT_MOST = 20  # of one question


@dataclass(slots=True)
class Disagreements:
    """All places in which candidates disagree, by name: the entries, what each does, the sentences cited."""

    entries: Counter[str] = field(default_factory=Counter[str])
    options: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    because: dict[str, set[str]] = field(default_factory=dict[str, set[str]])

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Compare what the candidates made of one entry. Those that were refused have no say."""
        plans = [one for one in outcomes if isinstance(one, Plan)]
        for place, (told, cited) in _compared(plans).items():
            self.entries[place] += 1
            self.options.setdefault(place, set()).update(told)
            self.because.setdefault(place, set()).update(cited)

    def questions(self, speak: Callable[[str], Sentences]) -> list[tuple[Question, int]]:
        """A question for each place, with the number of entries; the most frequent first.

        Args:
            speak: the sentences that speak of an argument, `<operation>.<argument>`; none if that is open.
        """
        places = sorted(self.entries, key=lambda place: (-self.entries[place], place))
        return [(self._question(place, speak), self.entries[place]) for place in places]

    def _question(self, place: str, speak: Callable[[str], Sentences]) -> Question:
        cited = self.because[place]
        about = cited.intersection(speak(place.strip("`"))) or cited
        return Question(
            asks=f"Programs that follow the sentences differ in {place}: which is meant?",
            about=tuple(in_order(list(about))),
            kind=DIFFERENCE,
            options=tuple(sorted(self.options[place]))[:OPTIONS_AT_MOST],
        )


def alike(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes do the same, whatever they cite."""
    if isinstance(one, Plan) and isinstance(other, Plan):
        return not _compared([one, other])
    return isinstance(one, Refused) and isinstance(other, Refused)


_Told = tuple[list[str], set[str]]
"""What each plan does at one place, and the sentences it cites for that."""


def _compared(plans: Sequence[Plan]) -> dict[str, _Told]:
    """The places at which these plans differ."""
    if len(plans) < 2:
        return {}
    if len({plan.kind for plan in plans}) > 1 or len({(plan.kind, plan.reason) for plan in plans}) > 1:
        told = [_fate(plan) for plan in plans]
        return {"what becomes of such a patient": (told, {one for plan in plans for one in _cited(plan)})}
    found: dict[str, _Told] = {}
    if len({plan.again_on for plan in plans}) > 1:
        cited = {one for plan in plans for one in _cited(plan)}
        found["when it is decided again"] = (_ways([(_again(p), str(p.again_on)) for p in plans]), cited)
    keyed = [_by_operation(plan) for plan in plans]
    for key in sorted({key for calls in keyed for key in calls}):
        found |= _calls(_named(key), [calls.get(key) for calls in keyed])
    return found


def _fate(plan: Plan) -> str:
    if plan.kind == "write":
        return "written"
    word = "left alone" if plan.kind == "skip" else "for a person to review"
    return f"{word} (`{plan.reason}`)" if plan.reason else word


def _cited(plan: Plan) -> Sentences:
    return (*plan.because, *(one for call in plan.calls for one in call.because))


def _again(plan: Plan) -> str:
    return "on another day" if plan.again_on else "not before it changes"


def _by_operation(plan: Plan) -> dict[tuple[str, int], Call]:
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], Call] = {}
    for call in plan.calls:
        found[call.operation, seen[call.operation]] = call
        seen[call.operation] += 1
    return found


def _named(key: tuple[str, int]) -> str:
    operation, at = key
    return operation if at == 0 else f"{operation} ({at + 1})"


def _calls(name: str, calls: Sequence[Call | None]) -> dict[str, _Told]:
    there = [call for call in calls if call]
    if len(there) < len(calls):
        cited = {one for call in there for one in call.because}
        return {f"`{name}`": (["called" if call else "not called" for call in calls], cited)}
    found: dict[str, _Told] = {}
    for argument in dict.fromkeys(name for call in there for name in call.arguments):
        given = [call.arguments.get(argument) for call in there]
        if len({_exact(one) for one in given}) > 1:
            cited = {one for value in given if value for one in value.because}
            cited = cited or {one for call in there for one in call.because}
            found[f"`{name}.{argument}`"] = (_ways([(_source(one), _exact(one)) for one in given]), cited)
    return found


def _exact(argument: Argument | None) -> str:
    return "" if argument is None else json.dumps(argument.value, sort_keys=True)


def _source(argument: Argument | None) -> str:
    """Where a value comes from; of a value only what the grants name as a constant."""
    if argument is None:
        return UNSET
    if argument.value is None:
        return "emptied"
    source = argument.source
    if source.kind == "constant":
        return f"{_constant(argument.value)}, as granted"
    paths = ", ".join(f"`{path}`" for path in source.paths)
    if source.kind == "transform":
        return f"{paths} as {' and '.join(source.transforms)}"
    return paths if source.kind == "leaf" else f"made of {paths}"


def _constant(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _ways(told: Sequence[tuple[str, str]]) -> list[str]:
    """Each told text; where one text stands for several values, which of them: "…, one way"."""
    values: Mapping[str, list[str]] = {
        text: list(dict.fromkeys(value for other, value in told if other == text)) for text, _ in told
    }
    return [
        text if len(values[text]) == 1 else f"{text}, way {values[text].index(value) + 1}"
        for text, value in told
    ]
