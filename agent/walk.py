"""The walk through a program's source that finds what it reads, and for which sentences."""

import ast
from collections.abc import Sequence

from agent import syntax
from agent.expressions import DECIDE, Expressions
from agent.policy import Policy
from agent.reading import ANY, NOTHING, Reading, Speaks
from agent.scopes import Scope


def reading(source: str, policy: Policy) -> Reading:
    """What a program reads, and for which sentences. The source is one that `signature` accepts."""
    return _Walk(syntax.program(source), policy).to_the_end()


class _Walk(Expressions):
    """Walks all functions again and again, until nothing new is found."""

    def to_the_end(self) -> Reading:
        before = None
        while before != (now := self._size()):
            before = now
            for scope in self.scopes:
                self._block(scope.body, scope)
        return self.found

    def _size(self) -> tuple[int, ...]:
        tables = (self.vars, self.values, self.returns, self.returned, self.cites, self.found.reads)
        return tuple(sum(1 + len(found) for found in table.values()) for table in tables)

    def _block(self, body: Sequence[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return  # a scope of its own
        speaks = self._purpose([node], scope)
        self.found.mark(node, speaks)
        if isinstance(node, ast.Return) and node.value is not None:
            self.returns[scope.name] |= self._value(node.value, self.returned[scope.name], scope)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self._assign(node.target, self._value(node.iter, speaks, scope), scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            self._assignment(node, speaks, scope)
        else:
            self._parts(node, speaks, scope)
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            for inner in getattr(node, name, ()):
                self._block([inner] if isinstance(inner, ast.stmt) else inner.body, scope)

    def _parts(self, node: ast.stmt, speaks: Speaks, scope: Scope) -> None:
        """The expressions of any other statement, and what its cases and handlers are there for."""
        if isinstance(node, ast.If) and scope.name == DECIDE and isinstance(node.body[-1], ast.Return):
            speaks |= {ANY}
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.expr):
                self._value(inner, speaks, scope)
            elif isinstance(inner, ast.match_case | ast.ExceptHandler):
                self.found.mark(inner, self._purpose(inner.body, scope) or speaks)
                if isinstance(inner, ast.match_case) and inner.guard:
                    self._value(inner.guard, speaks, scope)

    def _assignment(
        self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, speaks: Speaks, scope: Scope
    ) -> None:
        if node.value is None:
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                for name, value in zip(target.elts, node.value.elts, strict=False):
                    self._assign(name, self._value(value, self._used_for(name, scope), scope), scope)
            else:
                self._assign(target, self._value(node.value, speaks, scope), scope)

    def _purpose(self, body: Sequence[ast.stmt], scope: Scope) -> Speaks:
        """The sentences that statements are there for: cited in them, or by what becomes of their names."""
        found = NOTHING
        for statement in body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Call):
                    found |= self._cited(node) | self._cited_by_helper(node)
                    found |= self._used_for(self._changed(node), scope)
                elif isinstance(node, ast.Return) and scope.name != DECIDE:
                    found |= self.returned[scope.name]
                elif isinstance(node, ast.Assign):
                    found = found.union(*(self._used_for(target, scope) for target in node.targets))
                elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For):
                    found |= self._used_for(node.target, scope)
        return found
