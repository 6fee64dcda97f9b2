"""What a program reads of an entry, and for which sentences: found in its source, without running it.

A value goes from the entry through names, helper functions and conditions into an argument of a write, and
the argument's grant says which sentences speak of it. The analysis looks at all ways at once, so it finds
too much rather than too little: a field that it does not find is not used.
"""

import ast
from dataclasses import dataclass, field

from agent.plan import Sentences

Paths = frozenset[str]
"""Places of an entry, without positions; the empty one is the entry itself."""
Speaks = frozenset[str]
"""The sentences that a place of the program is there for."""
NOTHING: frozenset[str] = frozenset()
ANY = "*"  # among what a place is there for: whatever follows depends on it


@dataclass(frozen=True, slots=True)
class Read:
    """A place of the entry that the program looks at. `whole`: and all that is below it."""

    path: str
    whole: bool

    def covers(self, declared: str) -> bool:
        """Whether a declared field is read here."""
        inside = self.path.startswith(f"{declared}.")
        below = not self.path or declared.startswith(f"{self.path}.")
        return self.path == declared or inside or (self.whole and below)


@dataclass(frozen=True, slots=True)
class Given:
    """A write's argument as the program sets it, with the sentences that its call cites."""

    line: int
    operation: str
    argument: str
    because: Speaks  # empty: not written out


@dataclass
class Reading:
    """What was found in a program.

    reads: by what is read and the id of the node that does it, the sentences it is read for; none: that was
    not found out. speaks: the same for conditions. cited: every sentence that the program writes out.
    """

    tree: ast.Module
    reads: dict[tuple[Read, int], Speaks] = field(default_factory=dict[tuple[Read, int], Speaks])
    speaks: dict[int, Speaks] = field(default_factory=dict[int, Speaks])
    given: dict[Given, None] = field(default_factory=dict[Given, None])

    def used(self, declared: str) -> tuple[bool, Speaks]:
        """Whether a declared field is read, and for which sentences; none if that was not found out."""
        found = [speaks for (read, _), speaks in self.reads.items() if read.covers(declared)]
        unclear = any(not speaks or ANY in speaks for speaks in found)
        return bool(found), NOTHING if unclear else NOTHING.union(*found)

    def cited(self, sentences: Sentences) -> Sentences:
        """Which of these sentences the program writes out."""
        texts = {node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant)}
        return tuple(number for number in sentences if number in texts)

    def read(self, paths: Paths, speaks: Speaks, node: ast.AST, *, whole: bool = False) -> Paths:
        """Note that these places are read here, and give them on."""
        for path in paths:
            key = (Read(path, whole), id(node))
            self.reads[key] = self.reads.get(key, NOTHING) | speaks
        return paths

    def mark(self, node: ast.AST, speaks: Speaks) -> None:
        """Note what a node is there for."""
        self.speaks[id(node)] = self.speaks.get(id(node), NOTHING) | speaks
