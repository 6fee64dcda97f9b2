"""Reading Python text as a tree: one at a time.

Python 3.11 counts the depth of all threads' trees together, and fails when two are made at once. Both raise
what `ast.parse` raises: SyntaxError, ValueError, RecursionError, MemoryError. An odd escape is no warning
here: the type checker finds it.
"""

import ast
import threading
import warnings

_TURN = threading.Lock()


def program(source: str) -> ast.Module:
    """The tree of a whole program."""
    with _TURN, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def expression(text: str) -> ast.Expression:
    """The tree of one expression."""
    with _TURN, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text, mode="eval")
