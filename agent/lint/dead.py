"""Lines of a program that nothing leads to, as far as its text shows."""

import ast
from collections.abc import Iterator, Sequence
from typing import cast

Lines = tuple[int, int]
"""First and last."""

_LEAVES = (ast.Return, ast.Raise, ast.Continue, ast.Break)


def dead(tree: ast.Module) -> list[Lines]:
    """What stands after a return, or below a test that is known not to hold."""
    found: list[Lines] = []
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block: object = getattr(node, name, None)
            if isinstance(block, list):
                found += _dead_in(cast(list[ast.stmt], block))
        if isinstance(node, ast.If | ast.IfExp) and isinstance(node.test, ast.Constant):
            gone = node.orelse if node.test.value else node.body
            found += [_lines(one) for one in (gone if isinstance(gone, list) else [gone])]
    return found


def _dead_in(block: Sequence[ast.stmt]) -> Iterator[Lines]:
    false: set[str] = set()  # tests that do not hold here, since where they do the block was left
    for at, one in enumerate(block):
        if isinstance(one, _LEAVES):
            yield from (_lines(rest) for rest in block[at + 1 :])
            return
        if not isinstance(one, ast.If):
            false = set()  # what was tested may be another thing now
            continue
        tests = set(false)
        for branch in _branches(one):
            if ast.dump(branch.test) in tests:
                yield from (_lines(inner) for inner in branch.body)
            tests.add(ast.dump(branch.test))
        false = tests if all(isinstance(branch.body[-1], _LEAVES) for branch in _branches(one)) else set()


def _branches(one: ast.If) -> Iterator[ast.If]:
    """An if with its elifs."""
    yield one
    while len(one.orelse) == 1 and isinstance(one.orelse[0], ast.If):
        one = one.orelse[0]
        yield one


def _lines(node: ast.stmt | ast.expr) -> Lines:
    return node.lineno, node.end_lineno or node.lineno
