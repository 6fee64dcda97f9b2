"""The branches of a program: each way that a condition, a loop or a case can go, and a program that tells."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from agent.plan import Sentences
from agent.reading import ANY, NOTHING, Speaks

TAKEN = "_taken"  # the function that notes a branch; a program's own names do not begin so
NEVER = {True: "never holds", False: "always holds"}


@dataclass(frozen=True, slots=True, order=True)
class Branch:
    """One way that the program can go: `what` says in words what was never seen if it is not taken."""

    line: int
    what: str
    at: int  # the condition's number
    way: bool
    sentences: Sentences


@dataclass(frozen=True, slots=True)
class Watched:
    """A program that notes each branch that it takes, by a call of `TAKEN(at, way)`."""

    source: str
    branches: tuple[Branch, ...]


def watched(tree: ast.Module, speaks: Mapping[int, Speaks]) -> Watched:
    """The program with its branches watched. It decides as before.

    Args:
        tree: is changed. speaks: by the id of a node of it, the sentences it is there for.
    """
    watch = _Watch(speaks)
    changed = ast.fix_missing_locations(watch.visit(tree))
    return Watched(ast.unparse(changed), tuple(sorted(watch.branches)))


class _Watch(ast.NodeTransformer):
    def __init__(self, speaks: Mapping[int, Speaks]) -> None:
        self._speaks = speaks
        self._conditions = 0
        self.branches: list[Branch] = []

    def visit_If(self, node: ast.If) -> ast.AST:
        node.test = self._condition("the condition", node, node.test)
        return self.generic_visit(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        node.test = self._condition("the condition of `while`", node, node.test)
        return self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        node.test = self._condition("the condition before `else`", node, node.test)
        return self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        node.ifs = [self._condition("the condition after `for`", node, one) for one in node.ifs]
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        word = "or" if isinstance(node.op, ast.Or) else "and"
        first = [self._condition(f"what is left of `{word}`", node, one) for one in node.values[:-1]]
        node.values = [*first, node.values[-1]]
        return self.generic_visit(node)

    def visit_For(self, node: ast.For) -> ast.AST:
        node.body = [self._reached("`for` never has an element", node, node.lineno), *node.body]
        return self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.body = [self._reached("the case is never met", node, node.pattern.lineno), *node.body]
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        node.body = [self._reached("`except` is never met", node, node.lineno), *node.body]
        return self.generic_visit(node)

    def _condition(self, what: str, node: ast.AST, test: ast.expr) -> ast.expr:
        """The condition, which tells how it went and gives what it gave before."""
        if isinstance(test, ast.Constant):
            return test  # while True: there is no other way
        for way, never in NEVER.items():
            self._add(test.lineno, f"{what} {never}", node, way=way)
        return self._told(test)

    def _reached(self, what: str, node: ast.AST, line: int) -> ast.stmt:
        self._add(line, what, node, way=True)
        return ast.Expr(self._told(ast.Constant(True)))

    def _add(self, line: int, what: str, node: ast.AST, *, way: bool) -> None:
        speaks = self._speaks.get(id(node), NOTHING) - {ANY}
        sentences = tuple(sorted(speaks, key=lambda number: int(number[1:])))
        self.branches.append(Branch(line, what, self._conditions, way, sentences))

    def _told(self, test: ast.expr) -> ast.expr:
        arguments: list[ast.expr] = [ast.Constant(self._conditions), test]
        self._conditions += 1
        return ast.Call(ast.Name(TAKEN, ast.Load()), arguments, [])
