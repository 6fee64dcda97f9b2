"""Checking a program before it is ever run: types, names, fields. For approval and loading, not per entry."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field

import pydantic_monty

from agent.compiled import DECIDE, LIMITS, TAKES, Program, own_names, signature
from agent.policy import Policy
from agent.prelude import host_stubs, stubs
from connectors.entry import EntryField
from connectors.operation import Write

WRITTEN = {"str": "str", "int": "int", "float": "float", "bool": "bool", "date": "str", "datetime": "str"}
ANNOTATED = {"entry": "entry: Entry", "today": "today: date", "known": "known: dict[str, Any]"}
DECISION = "list[Call] | Decided"
CHECK_TIMEOUT = 30.0  # seconds


@dataclass(slots=True)
class _Node:
    """A name in an entry: a value of a type, or what is below it."""

    type: str = ""
    many: bool = True  # every value below it is below a list
    below: dict[str, "_Node"] = field(default_factory=dict[str, "_Node"])


def workers(at_once: int) -> pydantic_monty.Monty:
    """Processes that check programs, to be entered; for many programs, since starting one takes time."""
    return pydantic_monty.Monty(max_processes=at_once, request_timeout=CHECK_TIMEOUT)


def check_program(
    source: str,
    policy: Policy,
    writes: Mapping[str, Write],
    fields: Iterable[EntryField],
    pool: pydantic_monty.Monty | None = None,
    gives: str = DECISION,
) -> list[str]:
    """What is wrong with a program, one line each, "line 4: …"; empty if nothing is.

    Args:
        gives: the type of what its function gives.
        pool: what `workers` gave; one process for this program alone without it.
        fields: the entry's fields that the program may read. A field that is declared may still be
            missing: `entry.get("email")` may be None, `entry["email"]` ends the decision if it is not there.
    """
    try:
        typed, given, program = _texts(source, policy, writes, fields, gives)
    except ValueError as error:
        return [str(error)]
    with nullcontext(pool) if pool else workers(1) as own:
        return _mistyped(own, typed, given) or _unusable(own, program)


def key_of(
    source: str, policy: Policy, writes: Mapping[str, Write], fields: Iterable[EntryField]
) -> str | None:
    """Names a check by all that its result depends on: equal keys, equal results. None without a program."""
    try:
        typed, given, program = _texts(source, policy, writes, fields)
    except ValueError:
        return None
    text = "\0".join((pydantic_monty.__version__, typed, given, program.defined))
    return hashlib.sha256(text.encode()).hexdigest()


def _texts(
    source: str,
    policy: Policy,
    writes: Mapping[str, Write],
    fields: Iterable[EntryField],
    gives: str = DECISION,
) -> tuple[str, str, Program]:
    """What the type checker reads, what it is told beforehand, and what runs. Raises ValueError."""
    given = signature(source)
    if "known" in given:
        line = re.split(DECIDE, source, maxsplit=1, flags=re.M)[0].count("\n") + 1
        raise ValueError(
            f"line {line}: takes known, and nothing is looked up beforehand; write it as {TAKES}"
        )
    parameters = ", ".join(ANNOTATED[name] for name in given)
    typed = re.sub(DECIDE, f"def decide({parameters}) -> {gives}:", source, count=1, flags=re.M)
    program = Program(source, policy, writes)
    host = host_stubs(program.questions, policy.judgement, own_names(source))
    return typed, stubs(policy, writes) + host + entry_stubs(fields), program


def _mistyped(pool: pydantic_monty.Monty, source: str, given: str) -> list[str]:
    with pool.checkout(type_check=True, type_check_stubs=given, type_check_format="json") as session:
        try:
            session.feed_run(source)
        except pydantic_monty.MontyTypingError as error:
            return [
                f"line {found['location']['row']}: {found['message']}"
                for found in json.loads(error.display())
            ]
        except pydantic_monty.MontyError:
            return []  # the stubs cannot run; whether the program can is looked at by itself
    return []


def _unusable(pool: pydantic_monty.Monty, program: Program) -> list[str]:
    """What the sandbox does not know of Python, and what fails outside all functions."""
    with pool.checkout(limits=LIMITS) as session:
        try:
            session.feed_run(program.defined, print_callback=pydantic_monty.CollectString())
        except pydantic_monty.MontyError as error:
            # No entry is there yet, so the message can only speak of the program.
            return [f"line {program.line(error) or 1}: {str(error).splitlines()[0]}"]
    return []


def entry_stubs(fields: Iterable[EntryField]) -> str:
    """An entry's type, as `Entry`. A list is the topmost name below which every value is many."""
    root = _Node(many=False)
    for declared in fields:
        node = root
        for name in declared.path.split("."):
            node = node.below.setdefault(name, _Node())
            node.many &= declared.many
        node.type = WRITTEN.get(declared.type, "Any")
    lines: list[str] = []
    _write(root, "Entry", lines, in_list=False)
    return "".join(lines)


def _write(node: _Node, name: str, lines: list[str], *, in_list: bool) -> None:
    members: list[str] = []
    for key, inner in node.below.items():
        many = inner.many and not in_list
        type_ = inner.type
        if inner.below and not type_:
            type_ = f"{name}_{re.sub(r'[^0-9A-Za-z]', '_', key)}"
            _write(inner, type_, lines, in_list=in_list or many)
        members.append(f"{key!r}: {f'list[{type_}]' if many else type_}")
    lines.append(f"{name} = TypedDict({name!r}, {{{', '.join(members)}}}, total=False)\n")
