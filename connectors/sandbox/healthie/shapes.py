"""Shapes: what type a field of the schema gives, read from its definition."""

from dataclasses import dataclass

from graphql import GraphQLField, GraphQLObjectType, print_ast


@dataclass(frozen=True, slots=True)
class Shape:
    """`[Policy!]!` is a required list whose items are never null, of the named type Policy."""

    named: str
    is_list: bool
    required: bool
    items_required: bool

    @property
    def plain(self) -> str:
        """Without what is required: `[Policy]`."""
        return f"[{self.named}]" if self.is_list else self.named

    @property
    def is_connection(self) -> bool:
        return self.named.endswith("Connection")


def shape_of(field: GraphQLField) -> Shape:
    assert field.ast_node is not None  # the schema is built from text
    written = print_ast(field.ast_node.type)
    inner = written.removesuffix("!")
    return Shape(
        named=written.strip("[]!"),
        is_list=inner.startswith("["),
        required=written.endswith("!"),
        items_required=inner.endswith("!]"),
    )


def object_type(type_: object) -> GraphQLObjectType | None:
    return type_ if isinstance(type_, GraphQLObjectType) else None
