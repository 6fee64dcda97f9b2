"""What a program may ask of its host while it runs: the declared transforms, and `judge`.

Both have one implementation, on this side of the sandbox. A transform never raises: what it cannot read gives
None, and what is missing stays missing. A judgement that was not made yet pauses the program.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import pydantic_monty
from pydantic import BaseModel, ConfigDict, JsonValue

from agent.compiled import Program
from agent.questions import JUDGE, PARAMETERS, Question
from agent.transforms import TRANSFORMS, Failure, When, apply

SECONDS = 1.0  # for one run of a program that asks its host; without the host it has LIMITS
JUDGED_AT_MOST = 8  # questions about one entry
LEAVES_AT_MOST = 200  # values in one `about`
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
        self._asked: Counter[str] = Counter()
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
            self._asked[question.sentence] += 1
            if self._asked.total() > JUDGED_AT_MOST:
                raise Misused
            number = self._asked[question.sentence]
            label = self._labels[key] = question.sentence if number == 1 else f"{question.sentence}.{number}"
        if label not in self._judged:
            raise Paused(Asked(label=label, question=question, about=about, missing=missing))
        if self._judged[label] not in question.options:
            raise Misused
        self.used[label] = self._judged[label]
        return self.used[label]

    def _approved(self, given: Mapping[str, object]) -> Question:
        """The question as it is written in the program, and no other."""
        for one in self._program.questions:
            options = given["options"]
            listed = tuple(options) if isinstance(options, list | tuple) else ()
            if (one.sentence, one.question, one.options) == (given["sentence"], given["question"], listed):
                return one
        raise Misused


def transformed(name: str, args: tuple[object, ...], when: When) -> object:
    """What a transform gives a program. None: null, or nothing that it can read. Missing stays missing."""
    given = [_json(value) for value in args]
    there = [value for value, arg in zip(given, args, strict=True) if not _is_missing(arg)]
    if args and not there:
        return args[0]  # the sandbox's own MISSING
    if TRANSFORMS[name].joins:
        made = apply((name,), there, when)
    else:
        made = apply((name,), there[0], when) if len(args) == 1 else Failure.WRONG_TYPE
    return None if isinstance(made, Failure) else made


def _is_missing(value: object) -> bool:
    return isinstance(value, pydantic_monty.MontyClassProxy) and value.name == MISSING_CLASS


def _json(value: object) -> JsonValue:
    """A program's value as JSON; what is none of it becomes an empty object, which no transform reads."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    if isinstance(value, dict):
        return {str(key): _json(inner) for key, inner in value.items()}
    return {}


def _leaves(about: object) -> tuple[tuple[tuple[str, JsonValue], ...], tuple[str, ...]]:
    found, missing = [], []
    for path, value in _walked(about):
        if _is_missing(value):
            missing.append(path)
        else:
            found.append((path, _json(value)))
        text = sum(len(value) for _, value in found if isinstance(value, str))
        if len(found) + len(missing) > LEAVES_AT_MOST or text > TEXT_AT_MOST:
            raise Misused
    return tuple(found), tuple(missing)


def _walked(about: object) -> Iterator[tuple[str, object]]:
    stack: list[tuple[str, object]] = [("", about)]
    while stack:
        path, value = stack.pop()
        begun = f"{path}." if path else ""
        if isinstance(value, dict) and value:
            stack.extend((f"{begun}{name}", inner) for name, inner in reversed(list(value.items())))
        elif isinstance(value, list | tuple) and value:
            stack.extend((f"{begun}{at}", inner) for at, inner in reversed(list(enumerate(value))))
        else:
            yield path or "value", value


def _never(*_: object) -> None:
    raise AssertionError("unreachable: the host answers by name")


FUNCTIONS: Mapping[str, object] = dict.fromkeys((*TRANSFORMS, JUDGE), _never)
"""The names that a program finds although nothing in its source defines them."""
