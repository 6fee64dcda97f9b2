"""What a program finds around it: one function per granted write, and the few words of a plan.

Both texts are generated from the granted writes: `prelude` is what runs, `stubs` is what the type
checker reads. Neither is written by hand, so what is not granted has no name in a program.
"""

import keyword
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from agent.plan import Sentences
from agent.policy import Policy
from agent.questions import Question
from agent.transforms import TRANSFORMS
from connectors.operation import Write

WORDS = """\
from json import dumps as _dumps
from datetime import date, datetime
from decimal import Decimal
class _Missing:
    pass
MISSING = _Missing()
def _plain(value):
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return value
def _call(op, because, arguments):
    given = {name: _plain(value) for name, value in arguments.items() if value is not MISSING}
    return {"op": op, "because": because, "arguments": given}
def _word(kind, because, reason, again_on):
    sentences = because if isinstance(because, list) else [because]
    return {"kind": kind, "because": sentences, "reason": reason, "again_on": _plain(again_on)}
def plan(calls, again_on=None):
    return {"kind": "write", "calls": calls, "again_on": _plain(again_on)}
def skip(because, reason, again_on=None):
    return _word("skip", because, reason, again_on)
def review(because, reason, again_on=None):
    return _word("review", because, reason, again_on)
def _answer(decided):
    return _dumps(plan(decided) if isinstance(decided, list) else decided, allow_nan=False)
"""

WORD_STUBS = """\
from typing import Any, Literal, Sequence, TypedDict, overload
from datetime import date as date, datetime as datetime
from decimal import Decimal as Decimal
class Call: ...
class Decided: ...
MISSING: Any
def plan(calls: list[Call], again_on: date | None = ...) -> Decided: ...
def skip(because: str | list[str], reason: str, again_on: date | None = ...) -> Decided: ...
def review(because: str | list[str], reason: str, again_on: date | None = ...) -> Decided: ...
"""

TAKES = {
    "text": "str | None",
    "date or datetime": "date | str | None",
    "datetime with offset": "datetime | str | None",
    "boolean": "bool | None",
    "integer, in cents": "int | None",
    "integer or text": "int | str | None",
    "any": "Any",
}
GIVES = {
    "text": "str | None",
    "date": "str | None",
    "datetime": "str | None",
    "integer": "int | None",
}

WRITTEN = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    NoneType: "None",
    Decimal: "Decimal | int | str",
    # JSON has no dates: an entry's date is text, and either may be passed on.
    date: "date | str",
    datetime: "datetime | str",
}


def prelude(policy: Policy, writes: Mapping[str, Write], used: Collection[str]) -> str:
    """The functions that a program may call, those that it names. Not given is missing; None is null.

    Raises ValueError if the policy grants what no operation has.
    """
    arguments = {name: granted(policy, writes, name) for name in policy.operations}
    return WORDS + "".join(_function(name, arguments[name]) for name in arguments if name in used)


def host_stubs(asked: Sequence[Question], judgement: Sentences, own: Collection[str]) -> str:
    """What a program finds beside its writes: each transform that it gives no name of its own, and `judge`.

    `judge` gives exactly the options of the question that it is asked: so what is written can be checked.
    """
    found = [
        f"def {name}({'*texts: str | None' if transform.joins else f'value: {TAKES[transform.takes]}'})"
        f" -> {GIVES[transform.gives]}: ...\n"
        for name, transform in TRANSFORMS.items()
        if name not in own
    ]
    sentences = ", ".join(map(repr, judgement))
    calls = [
        f"def judge(sentence: Literal[{sentences}], question: Literal[{one.question!r}], "
        f"options: Sequence[str], about: Any) -> Literal[{', '.join(map(repr, one.options))}]: ...\n"
        for one in asked
    ]
    overload = "@overload\n" if len(calls) > 1 else ""
    return "".join((*found, *(overload + call for call in calls)))


def stubs(policy: Policy, writes: Mapping[str, Write]) -> str:
    """The same functions with the types of their arguments."""
    return WORD_STUBS + "".join(_stub(name, granted(policy, writes, name)) for name in policy.operations)


def granted(policy: Policy, writes: Mapping[str, Write], operation: str) -> dict[str, object]:
    """The arguments of an operation that may be set, with their types, in the operation's own order.

    Raises ValueError if the policy grants what the operation does not have.
    """
    fields = writes[operation].arguments.model_fields if operation in writes else None
    grants = policy.operations[operation].arguments
    if fields is None or not operation.isidentifier():
        raise ValueError(f"{operation}: granted, but no operation of a connected target")
    names = {field.alias or name: field for name, field in fields.items()}
    if unknown := sorted(grants.keys() - names.keys()):
        raise ValueError(f"{operation}: granted, but not an argument of it: {', '.join(unknown)}")
    return {
        name: Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        for name, field in names.items()
        if name in grants
    }


def parameters(arguments: Iterable[str]) -> dict[str, str]:
    """For each argument the name that it has in a program: "Full Name" is `Full_Name`."""
    named: dict[str, str] = {}
    taken = {"because", "MISSING"}
    for argument in arguments:
        name = re.sub(r"\W", "_", argument, flags=re.ASCII)
        if not name or name[0].isdigit() or name.startswith("__"):
            name = f"f_{name}"
        while name in taken or keyword.iskeyword(name):
            name += "_"
        taken.add(name)
        named[argument] = name
    return named


def _function(operation: str, arguments: Mapping[str, object]) -> str:
    named = parameters(arguments)
    signature = "".join(f", {name}=MISSING" for name in named.values())
    given = ", ".join(f"{argument!r}: {name}" for argument, name in named.items())
    return f"def {operation}(*, because{signature}):\n    return _call({operation!r}, because, {{{given}}})\n"


def _stub(operation: str, arguments: Mapping[str, object]) -> str:
    named = parameters(arguments)
    signature = "".join(f", {name}: {written(arguments[argument])} = ..." for argument, name in named.items())
    return f"def {operation}(*, because: list[str]{signature}) -> Call: ...\n"


def written(type_: object) -> str:
    """A type as a program's checker should read it; what it cannot express is Any."""
    origin = get_origin(type_)
    if origin is Annotated:
        return written(get_args(type_)[0])
    if origin is Literal:
        return f"Literal[{', '.join(repr(value) for value in get_args(type_))}]"
    if origin in (Union, UnionType):
        return " | ".join(dict.fromkeys(written(member) for member in get_args(type_)))
    if origin in (list, tuple, set, frozenset):
        return f"list[{written(get_args(type_)[0])}]"
    if isinstance(type_, type):
        return next((text for known, text in WRITTEN.items() if type_ is known), "Any")
    return "Any"
