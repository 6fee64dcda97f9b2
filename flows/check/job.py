"""An integration as its files describe it, with what the checks of the whole need of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.instructions import Instructions
from agent.policy import Policy
from connectors.entry import Category, EntryField
from connectors.operation import Write


@dataclass(frozen=True, slots=True)
class Job:
    """An integration whose parts are sound one by one. If a program decides, that is to be checked."""

    path: Path  # of the program
    instructions: Instructions
    policy: Policy
    writes: Mapping[str, Write]
    fields: tuple[EntryField, ...]
    category: Callable[[str], Category | None]  # of a field of the source
    granted: tuple[tuple[int, str, str], ...]  # line in integration.yaml, operation, argument
    lookups: tuple[str, ...]  # that a model may use, by full name
    listed: tuple[tuple[int, str, str], ...]  # line in fields.yaml, sentence, path

    @property
    def source(self) -> str | None:
        """The program, if one decides."""
        return self.instructions.program if self.policy.by == "program" else None
