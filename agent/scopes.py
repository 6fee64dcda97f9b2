"""The functions of a program, and which of them a name belongs to."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Scope:
    """A function's body, or the module's, whose name is empty."""

    name: str
    node: Function | None
    body: Sequence[ast.stmt]
    around: "Scope | None" = None
    names: set[str] = field(default_factory=set[str])  # bound here

    def of(self, name: str) -> str:
        """The name of the innermost scope that binds a name."""
        here: Scope | None = self
        while here is not None and name not in here.names:
            here = here.around
        return here.name if here else ""

    @property
    def parameters(self) -> list[str]:
        if self.node is None:
            return []
        given = self.node.args
        return [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]

    def bind(self, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """Each argument of a call of this function with its parameter, empty where that is not clear."""
        for at, value in enumerate(call.args):
            clear = at < len(self.parameters) and not isinstance(value, ast.Starred)
            yield (self.parameters[at] if clear else ""), value
        for keyword in call.keywords:
            yield (keyword.arg if keyword.arg in self.parameters else "") or "", keyword.value


def scopes(tree: ast.Module) -> list[Scope]:
    """The module and all its functions, the outer before the inner."""
    found = [Scope("", None, tree.body)]
    waiting: list[tuple[ast.AST, Scope]] = [(tree, found[0])]
    while waiting:
        node, scope = waiting.pop(0)
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, Function):
                own = Scope(inner.name, inner, inner.body, scope)
                own.names.update(own.parameters)
                scope.names.add(inner.name)
                found.append(own)
                waiting.append((inner, own))
            else:
                scope.names.update(_binds(inner))
                waiting.append((inner, scope))
    return found


def bound_in(target: ast.AST) -> Iterator[str]:
    """The names that an assignment to this binds, or changes what is behind them."""
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _binds(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
