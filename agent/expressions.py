"""The expressions of a program: where in the entry their values come from, and what they are there for."""

import ast
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from agent.policy import Policy
from agent.prelude import parameters
from agent.reading import NOTHING, Given, Paths, Reading, Speaks
from agent.scopes import Scope, bound_in, scopes

DECIDE = "decide"
WORDS = ("skip", "review", "judge")  # their first argument cites
PASSING = frozenset(
    {"sorted", "list", "tuple", "reversed", "set", "next", "iter", "filter"}
    | {"max", "min", "enumerate", "zip", "map"}
)
"""Built-in functions that give elements of what they are given."""
CHANGING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})
COUNTING = frozenset({"len", "any", "all", "bool"})  # they do not look into it

Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


class Expressions:
    """What is known of a program so far, and what its expressions add to it."""

    def __init__(self, tree: ast.Module, policy: Policy) -> None:
        self.found = Reading(tree)
        self.policy = policy
        self.sentences = frozenset(policy.sentences)
        self.named = {
            operation: {name: argument for argument, name in parameters(grant.arguments).items()}
            for operation, grant in policy.operations.items()
        }
        self.scopes = scopes(tree)
        self.functions = {scope.name: scope for scope in self.scopes if scope.node is not None}
        self.vars: dict[tuple[str, str], Speaks] = defaultdict(frozenset)  # what a name is used for
        self.values: dict[tuple[str, str], Paths] = defaultdict(frozenset)  # where it comes from
        self.returns: dict[str, Paths] = defaultdict(frozenset)
        self.returned: dict[str, Speaks] = defaultdict(frozenset)  # what a function's result is used for
        self.cites: dict[str, Speaks] = defaultdict(frozenset)  # what is cited in a function
        self.constants = _constants(tree)
        self._looks: tuple[tuple[Any, Callable[[Any, Speaks, Scope], Paths]], ...] = (
            (ast.Name, self._name),
            (ast.Subscript, self._element),
            (ast.Call, self._call),
            (ast.BoolOp, self._either),
            (ast.List | ast.Tuple | ast.Set, self._display),
            (ast.Starred, self._starred),
            (ast.IfExp, self._choice),
            (ast.NamedExpr, self._named),
            (ast.BinOp, self._sum),
            (Comprehension, self._comprehension),
        )
        self.values[DECIDE, "entry"] = frozenset({""})

    def _assign(self, target: ast.expr, paths: Paths, scope: Scope) -> None:
        for name in bound_in(target):
            self.values[scope.of(name), name] |= paths

    def _used_for(self, target: ast.AST, scope: Scope) -> Speaks:
        names = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
        return NOTHING.union(*(self.vars[scope.of(name), name] for name in names))

    def _value(self, node: ast.expr, speaks: Speaks, scope: Scope) -> Paths:
        """Where in the entry an expression's value comes from, as it is; it is there for `speaks`."""
        self.found.mark(node, speaks)
        for kinds, look in self._looks:
            if isinstance(node, kinds):
                return look(node, speaks, scope)
        self._rest(node, speaks, scope)
        return NOTHING

    def _name(self, node: ast.Name, speaks: Speaks, scope: Scope) -> Paths:
        place = scope.of(node.id), node.id
        self.vars[place] |= speaks
        return self.values[place]

    def _all(self, nodes: Iterable[ast.expr], speaks: Speaks, scope: Scope) -> Paths:
        return NOTHING.union(*(self._value(node, speaks, scope) for node in nodes))

    def _either(self, node: ast.BoolOp, speaks: Speaks, scope: Scope) -> Paths:
        return self._all(node.values, speaks, scope)

    def _display(self, node: ast.List | ast.Tuple | ast.Set, speaks: Speaks, scope: Scope) -> Paths:
        return self._all(node.elts, speaks, scope)

    def _starred(self, node: ast.Starred, speaks: Speaks, scope: Scope) -> Paths:
        return self._value(node.value, speaks, scope)

    def _choice(self, node: ast.IfExp, speaks: Speaks, scope: Scope) -> Paths:
        self._value(node.test, speaks, scope)
        return self._all((node.body, node.orelse), speaks, scope)

    def _named(self, node: ast.NamedExpr, speaks: Speaks, scope: Scope) -> Paths:
        paths = self._value(node.value, speaks | self._used_for(node.target, scope), scope)
        self._assign(node.target, paths, scope)
        return paths

    def _sum(self, node: ast.BinOp, speaks: Speaks, scope: Scope) -> Paths:
        paths = self._all((node.left, node.right), speaks, scope)
        return paths if isinstance(node.op, ast.Add) else self.found.read(paths, speaks, node, whole=True)

    def _rest(self, node: ast.AST, speaks: Speaks, scope: Scope) -> None:
        """What is looked at as a whole: compared, formatted, handed to what is not known."""
        truth = isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.expr):
                paths = self._value(inner, speaks, scope)
                if not truth:
                    self.found.read(paths, speaks, inner, whole=True)
            elif not isinstance(inner, ast.expr_context):
                self._rest(inner, speaks, scope)

    def _element(self, node: ast.Subscript, speaks: Speaks, scope: Scope) -> Paths:
        paths = self._value(node.value, speaks, scope)
        self._value(node.slice, speaks, scope)
        return self._below(paths, node.slice, speaks)

    def _below(self, paths: Paths, key: ast.expr, speaks: Speaks) -> Paths:
        known = self._known(key)
        if isinstance(known, ast.Constant) and isinstance(known.value, str):
            name = known.value
            found = frozenset(f"{path}.{name}" if path else name for path in paths)
            return self.found.read(found, speaks, key)
        if isinstance(known, ast.Slice | ast.UnaryOp | ast.Constant):
            return paths  # a position in a list
        return self.found.read(paths, speaks, key, whole=True)

    def _known(self, node: ast.expr) -> ast.expr:
        """What a name stands for that the program gives outside of its functions; else the node itself."""
        return self.constants.get(node.id, node) if isinstance(node, ast.Name) else node

    def _comprehension(self, node: Comprehension, speaks: Speaks, scope: Scope) -> Paths:
        for one in node.generators:
            self.found.mark(one, speaks)
            self._assign(one.target, self._value(one.iter, speaks, scope), scope)
            for condition in one.ifs:
                self._value(condition, speaks, scope)
        if isinstance(node, ast.DictComp):
            return self._value(node.key, speaks, scope) | self._value(node.value, speaks, scope)
        return self._value(node.elt, speaks, scope)

    # Calls

    def _call(self, node: ast.Call, speaks: Speaks, scope: Scope) -> Paths:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in self.named:
            return self._write(node, name, scope)
        if cited := self._cited(node):
            self.cites[scope.name] |= cited
            speaks |= cited
        if name in self.functions:
            return self._helper(node, self.functions[name], speaks, scope)
        if isinstance(node.func, ast.Attribute):
            return self._method(node, node.func, speaks, scope)
        taken = self._arguments(node, speaks, scope)
        if name in PASSING:
            return taken
        if name == "plan":
            return NOTHING  # its calls and their sentences were looked at
        self.found.read(taken, speaks, node, whole=name not in COUNTING)
        return NOTHING

    def _method(self, node: ast.Call, called: ast.Attribute, speaks: Speaks, scope: Scope) -> Paths:
        paths = self._value(called.value, speaks, scope)
        if called.attr == "get" and node.args:
            given = [self._value(one, speaks, scope) for one in node.args]
            return self._below(paths, node.args[0], speaks).union(*given[1:])
        self.found.read(paths, speaks, node, whole=True)
        taken = self._arguments(node, speaks, scope)
        self._assign(self._changed(node), taken, scope)
        return paths | taken

    def _changed(self, node: ast.Call) -> ast.expr:
        """What a method's call changes: the name in rows.append(…), an empty tuple if it is none."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
            return node.func.value
        return ast.Tuple([], ast.Load())

    def _arguments(self, node: ast.Call, speaks: Speaks, scope: Scope) -> Paths:
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        lambdas = [one for one in given if isinstance(one, ast.Lambda)]
        taken = NOTHING.union(
            *(self._value(one, speaks, scope) for one in given if not isinstance(one, ast.Lambda))
        )
        for one in lambdas:
            for argument in one.args.args:
                self.values[scope.of(argument.arg), argument.arg] |= taken
            self.found.read(self._value(one.body, speaks, scope), speaks, one, whole=True)
        named = {one.id for one in given if isinstance(one, ast.Name)} & self.functions.keys()
        for called in (self.functions[name] for name in named):  # sorted(policies, key=rank)
            self.returned[called.name] |= speaks
            for parameter in called.parameters:
                self.values[called.name, parameter] |= taken
        return taken

    def _helper(self, node: ast.Call, called: Scope, speaks: Speaks, scope: Scope) -> Paths:
        self.returned[called.name] |= speaks
        self.cites[scope.name] |= self.cites[called.name]
        for name, value in called.bind(node):
            used = self.vars[called.name, name] if name else speaks
            self.values[called.name, name] |= self._value(value, used, scope)
        return self.returns[called.name]

    def _write(self, node: ast.Call, operation: str, scope: Scope) -> Paths:
        cited = self._cited(node)
        self.cites[scope.name] |= cited
        for keyword in node.keywords:
            if keyword.arg in (None, "because"):
                self._value(keyword.value, cited, scope)
                continue
            argument = self.named[operation].get(keyword.arg or "", "")
            grant = self.policy.operations[operation].arguments.get(argument)
            spoken = cited.intersection(grant.because) if grant and grant.because else cited
            self.found.read(self._value(keyword.value, spoken, scope), spoken, keyword.value, whole=True)
            if grant and self._all_written(node):
                self.found.given.setdefault(Given(keyword.value.lineno, operation, argument, cited))
        return NOTHING

    def _cited(self, node: ast.Call) -> Speaks:
        """The sentences that a call writes out as its reasons."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in self.named and name not in WORDS:
            return NOTHING
        texts = (inner for one in self._because(node) for inner in ast.walk(one))
        return self.sentences.intersection(
            text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)
        )

    def _because(self, node: ast.Call) -> list[ast.expr]:
        given = [keyword.value for keyword in node.keywords if keyword.arg in ("because", "sentence")]
        if isinstance(node.func, ast.Name) and node.func.id in WORDS:
            given += node.args[:1]
        return [self._known(one) for one in given]

    def _all_written(self, node: ast.Call) -> bool:
        """Whether all sentences of a call stand there as texts."""
        return all(
            isinstance(one, ast.List) and all(isinstance(text, ast.Constant) for text in one.elts)
            for one in self._because(node)
        )

    def _cited_by_helper(self, node: ast.Call) -> Speaks:
        return self.cites[node.func.id] if isinstance(node.func, ast.Name) else NOTHING


def _constants(tree: ast.Module) -> dict[str, ast.expr]:
    """What the program gives a name once, outside of its functions."""
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
