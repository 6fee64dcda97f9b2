"""Which fields of the entry a program uses: followed through names, loops and calls, without running it.

When it cannot be followed (a key that is computed, a whole record handed on), all below counts as used.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping

from agent import syntax

Nodes = frozenset[str]
"""Places of the entry that a value may be: "policies.num", "" for the entry itself."""

NOWHERE: Nodes = frozenset()
ROUNDS = 20  # names may be bound before and after each other


class Uses:
    """`used`: the declared paths it gets to. `keyed`: whole JSON fields of which it takes only keys."""

    def __init__(self, source: str, paths: Collection[str], whole: Collection[str]) -> None:
        """`whole`: the paths of those that are JSON, with keys of their own."""
        tree = syntax.program(source)
        self._paths, self._json = frozenset(paths), frozenset(whole)
        self._functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        self._names: dict[tuple[str, str], Nodes] = {("decide", "entry"): frozenset({""})}
        self._given_back: dict[str, Nodes] = {}
        self._by_key: dict[str, set[str]] = {}
        self._as_a_whole: set[str] = set()
        self.used: set[str] = set()
        before = -1
        for _ in range(ROUNDS):
            for scope, body in (
                ("", tree.body),
                *((name, one.body) for name, one in self._functions.items()),
            ):
                for statement in body:
                    self._statement(statement, scope)
            state = (
                sum(map(len, self._names.values()))
                + sum(map(len, self._given_back.values()))
                + len(self.used)
            )
            if state == before:
                break
            before = state

    @property
    def keyed(self) -> Mapping[str, Collection[str]]:
        return {path: keys for path, keys in self._by_key.items() if path not in self._as_a_whole}

    def _statement(self, node: ast.AST, scope: str) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None:
                self._bind(targets, self._value(node.value, scope), scope)
        elif isinstance(node, ast.For):
            self._bind([node.target], self._value(node.iter, scope), scope)
        elif isinstance(node, ast.Return) and node.value is not None:
            returned = self._value(node.value, scope)
            self._given_back[scope] = self._given_back.get(scope, NOWHERE) | returned
        elif isinstance(node, ast.Match):
            self._all_below(self._value(node.subject, scope))
        for below in ast.iter_child_nodes(node):
            if isinstance(below, ast.expr):
                self._value(below, scope)
            else:
                self._statement(below, scope)

    def _bind(self, targets: Iterable[ast.expr], nodes: Nodes, scope: str) -> None:
        for target in targets:
            for inner in ast.walk(target):
                if isinstance(inner, ast.Name):
                    self._name(scope, inner.id, nodes)

    def _name(self, scope: str, name: str, nodes: Nodes) -> None:
        self._names[scope, name] = self._names.get((scope, name), NOWHERE) | nodes

    def _value(self, node: ast.expr, scope: str) -> Nodes:
        if isinstance(node, ast.Name):
            return self._names.get((scope, node.id), NOWHERE) | self._names.get(("", node.id), NOWHERE)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, scope)
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, ast.Compare):
            for part in (node.left, *node.comparators):
                self._value(part, scope)
            return NOWHERE
        if isinstance(node, ast.NamedExpr):
            self._bind([node.target], self._value(node.value, scope), scope)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            for one in node.generators:
                self._bind([one.target], self._value(one.iter, scope), scope)
        return NOWHERE.union(*(self._value(below, scope) for below in _expressions(node)))

    def _subscript(self, node: ast.Subscript, scope: str) -> Nodes:
        base, key = self._value(node.value, scope), node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return self._at(base, key.value)
        if isinstance(key, ast.Slice) or (isinstance(key, ast.Constant) and isinstance(key.value, int)):
            return base
        self._value(key, scope)
        if isinstance(key, ast.UnaryOp):  # [-1]
            return base
        self._all_below(base)
        return base

    def _call(self, node: ast.Call, scope: str) -> Nodes:
        given = [self._value(one, scope) for one in node.args if not isinstance(one, ast.Lambda)]
        named = {
            one.arg: self._value(one.value, scope)
            for one in node.keywords
            if not isinstance(one.value, ast.Lambda)
        }
        together = NOWHERE.union(*given, *named.values())
        for one in (*node.args, *(keyword.value for keyword in node.keywords)):
            if isinstance(one, ast.Lambda):
                for parameter in one.args.args:
                    self._name(scope, parameter.arg, together)
                self._value(one.body, scope)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node.args, together, scope)
        if isinstance(node.func, ast.Name) and node.func.id in self._functions:
            return self._own(self._functions[node.func.id], given, named)
        self._as_a_whole |= together & self._json
        return together

    def _method(self, func: ast.Attribute, args: list[ast.expr], given: Nodes, scope: str) -> Nodes:
        base = self._value(func.value, scope)
        first = args[0] if args else None
        if func.attr == "get":
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                return self._at(base, first.value) | given
            self._all_below(base)
        elif func.attr in ("items", "values", "keys"):
            self._all_below(base)
        elif isinstance(func.value, ast.Name):  # append, extend, update, …
            self._name(scope, func.value.id, given)
        return base | given

    def _own(self, function: ast.FunctionDef, given: list[Nodes], named: Mapping[str | None, Nodes]) -> Nodes:
        parameters = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        for name, nodes in zip(parameters, given, strict=False):
            self._name(function.name, name, nodes)
        for keyword, nodes in named.items():
            if keyword is not None:
                self._name(function.name, keyword, nodes)
        return self._given_back.get(function.name, NOWHERE)

    def _at(self, base: Nodes, key: str) -> Nodes:
        """The places below these that a key leads to."""
        found: set[str] = set()
        for node in base:
            path = f"{node}.{key}" if node else key
            if node in self._json:
                self._by_key.setdefault(node, set()).add(key)
            if path in self._paths:
                self.used.add(path)
            if path in self._paths or any(one.startswith(f"{path}.") for one in self._paths):
                found.add(path)
        return frozenset(found)

    def _all_below(self, base: Nodes) -> None:
        for node in base:
            self._as_a_whole.add(node)
            self.used |= {
                path for path in self._paths if not node or path == node or path.startswith(f"{node}.")
            }


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    for below in ast.iter_child_nodes(node):
        if isinstance(below, ast.expr):
            yield below
        elif isinstance(below, ast.comprehension):
            yield from (below.iter, *below.ifs)
