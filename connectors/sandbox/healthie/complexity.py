"""Complexity and depth of a request, by the rule that Healthie's two worked examples imply.

Each field costs 1. What lies below a connection's `nodes` or `edges` is multiplied by its `first` or
`last` (100 when there is none); the connection's own children are not, nor are plain nested lists.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    value_from_ast_untyped,
)

from connectors.sandbox.healthie.shapes import object_type, shape_of

DEFAULT_SIZE = 100  # what a page counts for when no size is given


@dataclass(frozen=True)
class Measure:
    """Measures operations of one document under one set of variable values."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, object]

    def operation(self, operation: OperationDefinitionNode) -> tuple[int, int]:
        """Complexity and depth."""
        root = self.schema.get_root_type(operation.operation)
        return self._selections(operation.selection_set, root, size=1) if root else (0, 0)

    def _selections(
        self, selections: SelectionSetNode | None, parent: GraphQLObjectType | None, size: int
    ) -> tuple[int, int]:
        total, deepest = 0, 0
        for node in selections.selections if selections else ():
            if self._left_out(node):
                continue
            if isinstance(node, FieldNode):
                cost, depth = self._field(node, parent, size)
            elif isinstance(node, FragmentSpreadNode):
                cost, depth = self._selections(self.fragments[node.name.value].selection_set, parent, size)
            else:
                inline = node.selection_set if isinstance(node, InlineFragmentNode) else None
                cost, depth = self._selections(inline, parent, size)
            total, deepest = total + cost, max(deepest, depth)
        return total, deepest

    def _field(self, node: FieldNode, parent: GraphQLObjectType | None, size: int) -> tuple[int, int]:
        name = node.name.value
        if name.startswith("__") or parent is None:
            return 0, 0
        below = object_type(self.schema.type_map[shape_of(parent.fields[name]).named])
        inner = self._size(node) if is_connection(below) else 1
        cost, depth = self._selections(node.selection_set, below, inner)
        times = size if is_connection(parent) and name in ("nodes", "edges") else 1
        return 1 + cost * times, 1 + depth

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                given = self._value(argument.value)
                return int(str(given)) if given is not None else DEFAULT_SIZE
        return DEFAULT_SIZE

    def _left_out(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            unless = {"skip": True, "include": False}.get(directive.name.value)
            if any(self._value(argument.value) is unless for argument in directive.arguments or ()):
                return True
        return False

    def _value(self, node: ValueNode) -> object:
        return value_from_ast_untyped(node, dict(self.variables))


def with_defaults(operation: OperationDefinitionNode, given: Mapping[str, object]) -> dict[str, object]:
    """The variables as given, with the operation's own defaults where none is."""
    defaults = {
        definition.variable.name.value: value_from_ast_untyped(definition.default_value)
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    return {**defaults, **given}


def is_connection(type_: GraphQLObjectType | None) -> bool:
    return type_ is not None and type_.name.endswith("Connection")
