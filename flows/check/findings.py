"""What is wrong with a tenant's files: one line each, with the file, the line, and what to do."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake. It names keys and never shows a value that may be secret."""

    path: Path
    line: int
    what: str
    todo: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}; {self.todo}"


@dataclass
class Findings:
    """All mistakes that were found, each once."""

    found: set[Finding] = field(default_factory=set[Finding])

    def add(self, path: Path, line: int, what: str, todo: str) -> None:
        self.found.add(Finding(path, line, what, todo))

    def __iter__(self) -> Iterator[Finding]:
        return iter(sorted(self.found))
