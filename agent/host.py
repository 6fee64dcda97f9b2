"""What a program may ask of its host while it runs: the declared transforms, and `judge`.

Both have one implementation, on this side of the sandbox. A transform never raises: what it cannot read gives
None, and what is missing stays missing. A judgement that was not made yet pauses the program.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import cast

import pydantic_monty
from pydantic import BaseModel, ConfigDict, JsonValue

from agent.compiled import Program
from agent.questions import JUDGE, PARAMETERS, Question
from agent.references import DEPTH_AT_MOST, well_formed
from agent.transforms import TRANSFORMS, Failure, When, apply

SECONDS = 1.0  # for one run of a program that asks its host; without the host it has LIMITS
JUDGED_AT_MOST = 8  # questions about one entry
NODES_AT_MOST = 500  # values in one `about`, and lists and objects around them
TEXT_AT_MOST = 50_000  # characters in one `about`
MISSING_CLASS = "_Missing"  # of the sandbox; see agent/prelude.py


Stopped = pydantic_monty.FunctionSnapshot | pydantic_monty.NameLookupSnapshot | pydantic_monty.FutureSnapshot


class Asked(BaseModel):
    """A question that a program waits for: as it is approved, and about which values.

    label: the sentence, "S5"; a second question of it about the same entry is "S5.2". about: every value by
    its place in what the program gave, null and empty ones too. missing: the places of what is not there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    label: str
    question: Question
    about: tuple[tuple[str, JsonValue], ...]
    missing: tuple[str, ...] = ()


class Paused(Exception):
    """The program waits for a judgement."""

    def __init__(self, asked: Asked) -> None:
        super().__init__("program: waits for a judgement")
        self.asked = asked


class Misused(Exception):
    """`judge` was called as it may not be: not as it is written, of too much, too often."""

    def __init__(self, line: int = 0) -> None:
        super().__init__(f"program: judge is misused at line {line}")
        self.line = line


class TooLong(Exception):
    """What the program asks of its host takes too long."""

    def __init__(self, line: int = 0) -> None:
        super().__init__(f"program: takes too long at line {line}")
        self.line = line


class Host:
    """The host's side of one run of a program. `used`: the judgements that it was given, by label."""

    def __init__(self, program: Program, when: When, judged: Mapping[str, str]) -> None:
        self.used: dict[str, str] = {}
        self._program, self._when, self._judged = program, when, judged
        self._labels: dict[str, str] = {}
        self._asked: list[str] = []  # the sentence of each question
        self._begun = time.monotonic()

    def answer(self, snapshot: Stopped) -> pydantic_monty.SyncSnapshot:
        """Let a program that stopped for its host go on. Raises Paused, Misused and TooLong."""
        if (
            not isinstance(snapshot, pydantic_monty.FunctionSnapshot)
            or snapshot.function_name not in FUNCTIONS
        ):
            return snapshot.resume_auto()  # a name, an import, what no sandbox allows
        try:
            value = self._called(str(snapshot.function_name), snapshot.args, snapshot.kwargs)
        except Misused:
            raise Misused(self._program.line_at(snapshot.position)) from None
        if time.monotonic() - self._begun > SECONDS:  # the sandbox's own clock stands while it waits for us
            raise TooLong(self._program.line_at(snapshot.position))
        return snapshot.resume({"return_value": value})

    def _called(self, name: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        if name == JUDGE:
            return self._judge(dict(zip(PARAMETERS, args, strict=False)) | dict(kwargs))
        if kwargs:
            return None
        return transformed(name, args, self._when)

    def _judge(self, given: Mapping[str, object]) -> str:
        if set(given) != set(PARAMETERS):
            raise Misused
        question = self._approved(given)
        about, missing = _leaves(given["about"])
        key = json.dumps([question.model_dump(), about, missing], sort_keys=True)
        label = self._labels.get(key)
        if label is None:
            self._asked.append(question.sentence)
            if len(self._asked) > JUDGED_AT_MOST:
                raise Misused
            number = self._asked.count(question.sentence)
            label = self._labels[key] = question.sentence if number == 1 else f"{question.sentence}.{number}"
        if label not in self._judged:
            raise Paused(Asked(label=label, question=question, about=about, missing=missing))
        if self._judged[label] not in question.options:
            raise Misused
        self.used[label] = self._judged[label]
        return self.used[label]

    def _approved(self, given: Mapping[str, object]) -> Question:
        """The question as it is written in the program, and no other."""
        asked = (given["sentence"], given["question"], _json(given["options"]))
        for one in self._program.questions:
            if (one.sentence, one.question, list(one.options)) == asked:
                return one
        raise Misused


def transformed(name: str, args: tuple[object, ...], when: When) -> object:
    """What a transform gives a program. None: null, or nothing that it can read. Missing stays missing."""
    there = [_json(value) for value in args if not _is_missing(value)]
    if args and not there:
        return args[0]  # the sandbox's own MISSING
    if TRANSFORMS[name].joins:
        made = apply((name,), there, when)
    else:
        made = apply((name,), there[0], when) if len(args) == 1 else Failure.WRONG_TYPE
    return None if isinstance(made, Failure) else made


def _is_missing(value: object) -> bool:
    return isinstance(value, pydantic_monty.MontyClassProxy) and value.name == MISSING_CLASS


def _json(value: object, depth: int = 0) -> JsonValue:
    """A program's value as JSON; what is none of it becomes an empty object, which no transform reads."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    inside = _inside(value)
    if inside is None or depth > DEPTH_AT_MOST:
        return {}
    made = {name: _json(inner, depth + 1) for name, inner in inside}
    return made if isinstance(value, dict) else list(made.values())


def _inside(value: object) -> list[tuple[str, object]] | None:
    """What a list or an object holds, by position or name; None for anything else."""
    if isinstance(value, dict):
        held = cast(dict[object, object], value)  # a program may have put anything into it
        return [(str(name), inner) for name, inner in held.items()]
    if isinstance(value, list | tuple):
        listed = cast(Sequence[object], value)  # the same
        return [(str(at), inner) for at, inner in enumerate(listed)]
    return None


def _leaves(about: object) -> tuple[tuple[tuple[str, JsonValue], ...], tuple[str, ...]]:
    """What a question is about, and the places of what is missing there. Raises Misused if it is too much."""
    found: list[tuple[str, JsonValue]] = []
    missing: list[str] = []
    for path, value in _walked(about):
        if _is_missing(value):
            missing.append(path)
            continue
        found.append((path, _json(value)))
        if not well_formed([path, found[-1][1]]):
            raise Misused
    if sum(len(value) for _, value in found if isinstance(value, str)) > TEXT_AT_MOST:
        raise Misused
    return tuple(found), tuple(missing)


def _walked(about: object) -> Iterator[tuple[str, object]]:
    stack: list[tuple[str, object]] = [("", about)]
    for _ in range(NODES_AT_MOST):
        if not stack:
            return
        path, value = stack.pop()
        begun = f"{path}." if path else ""
        if inside := _inside(value):
            stack.extend((f"{begun}{name}", inner) for name, inner in reversed(inside))
        else:
            yield path or "value", value
    raise Misused


def _never(*_: object) -> None:
    raise AssertionError("unreachable: the host answers by name")


FUNCTIONS: Mapping[str, object] = dict.fromkeys((*TRANSFORMS, JUDGE), _never)
"""The names that a program finds although nothing in its source defines them."""
