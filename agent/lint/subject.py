"""What lint looks at, and what it says of it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from agent.grants import target_of
from agent.instructions import TEXT_FILE, Instructions
from agent.lint.topics import phrases, speaks_of
from agent.lint.words import Reading
from agent.manifest import Manifest
from agent.policy import Grant, Policy
from agent.prelude import granted
from connectors.entry import EntryField
from connectors.operation import Write

GRANTS_FILE = "integration.yaml"


class Kind(StrEnum):
    """What can be wrong with a sentence."""

    CONTRADICTORY = "contradictory"
    UNREACHABLE = "unreachable"
    VAGUE = "vague"
    UNMEASURABLE = "unmeasurable"
    IMPOSSIBLE = "impossible"
    EXCESSIVE = "excessive"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a sentence.

    line: of `file`; 0 where `place` says it instead: ("S4", 0) in fields.yaml, ("warehouse_upsert_patients",
        "email") for an argument that integration.yaml grants.
    """

    kind: Kind
    sentence: str
    what: str
    todo: str
    file: str = TEXT_FILE
    line: int = 0
    place: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class Argument:
    """One granted argument: a column, or a parameter of an operation."""

    operation: str
    target: str
    name: str
    grant: Grant
    annotation: Any  # a type that is known only here
    required: bool  # part of the row's key, or of the operation

    @property
    def where(self) -> str:
        return f"{self.operation}.{self.name}"

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        return phrases(self.name)

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter[Any](self.annotation)

    def takes(self, value: JsonValue) -> bool:
        """Whether the target can hold the value there."""
        try:
            self._adapter.validate_python(value)
        except ValidationError:
            return False
        return True


@dataclass(frozen=True)
class Subject:
    """An integration's texts and grants. `fields`: what the source offers, by path."""

    instructions: Instructions
    manifest: Manifest
    policy: Policy
    writes: Mapping[str, Write]
    fields: Mapping[str, EntryField]
    lines: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", dict(_lines(self.instructions)))

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """The sentences that are there, in order."""
        return tuple(Reading.of(one) for one in self.instructions.sentences if not one.retired)

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """All that may be set."""
        return tuple(self._arguments())

    def _arguments(self) -> Iterator[Argument]:
        for name, grant in self.policy.operations.items():
            target, model = target_of(name, self.policy), self.writes[name].arguments
            required = {known.alias or at for at, known in model.model_fields.items() if known.is_required()}
            for argument, type_ in granted(self.policy, self.writes, name).items():
                given = grant.arguments[argument]
                yield Argument(name, target, argument, given, type_, argument in required)

    def spoken_of(self, reading: Reading) -> tuple[Argument, ...]:
        """The arguments that a sentence speaks of: those that name it, and of the others those it names."""
        return tuple(
            one
            for one in self.arguments
            if reading.number in one.grant.because
            or (not one.grant.because and speaks_of(reading.lower, one.phrases))
        )

    def says(self, kind: Kind, reading: Reading, what: str, todo: str) -> Finding:
        """A finding at a sentence."""
        return Finding(kind, reading.number, what, todo, line=self.lines.get(reading.number, 1))


def _lines(instructions: Instructions) -> Iterator[tuple[str, int]]:
    """Where each sentence begins. What it says may begin on the line below its number."""
    lines = instructions.text.split("\n")
    for sentence in instructions.sentences:
        first = sentence.text.split(" ", 1)[0]
        begins = re.compile(
            rf" {{0,3}}(?:[-*] +)?(?:\*\*)?{sentence.number}[.:)*]+(?:\s+{re.escape(first)}|\s*$)"
        )
        yield sentence.number, next((at for at, line in enumerate(lines, 1) if begins.match(line)), 1)
