"""Language: the schema with its resolvers, and documents parsed and validated once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)

from connectors.sandbox.healthie.notes import notes_selected
from connectors.sandbox.healthie.resolvers import STORED, resolver_of
from connectors.sandbox.healthie.rows import read_date, read_moment
from connectors.sandbox.healthie.shapes import object_type, shape_of

DOCUMENTS_KEPT = 500


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document as it was sent: parsed and validated, with what it selects of notes."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    notes: tuple[str, ...] = ()
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict[str, FragmentDefinitionNode])

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation to run; None if the name is unknown, or needed and missing."""
        found = [
            node
            for node in (self.document.definitions if self.document else ())
            if isinstance(node, OperationDefinitionNode)
        ]
        if name is None:
            return found[0] if len(found) == 1 else None
        return next((node for node in found if node.name is not None and node.name.value == name), None)


class Language:
    """What the stand-in understands."""

    def __init__(self) -> None:
        self.schema = _schema()
        self._prepared: dict[str, Prepared] = {}

    def stored_types(self) -> Mapping[tuple[str, str], str]:
        """The type of every field that rows store: ("User", "dob") -> ISO8601Date, lists as [String]."""
        return {
            (type_.name, name): shape_of(field_).plain
            for type_ in map(object_type, self.schema.type_map.values())
            if type_ is not None and type_.name in STORED
            for name, field_ in type_.fields.items()
            if object_type(self.schema.type_map[shape_of(field_).named]) is None
        }

    def prepare(self, source: str) -> Prepared:
        if source not in self._prepared:
            if len(self._prepared) >= DOCUMENTS_KEPT:
                self._prepared.clear()
            self._prepared[source] = self._prepare(source)
        return self._prepared[source]

    def _prepare(self, source: str) -> Prepared:
        try:
            document = parse(source)
        except GraphQLError as error:
            return Prepared(None, (error,))
        errors = tuple(validate(self.schema, document))
        notes = () if errors else notes_selected(self.schema, document)
        fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        return Prepared(document, errors, notes, fragments)


def _schema() -> GraphQLSchema:
    schema = build_schema(
        files("connectors.sandbox.healthie").joinpath("schema.graphql").read_text(encoding="utf-8")
    )
    for name, read in (("ISO8601DateTime", read_moment), ("ISO8601Date", read_date)):
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_input_value = _coerced(read)
    for type_ in map(object_type, schema.type_map.values()):
        if type_ is not None and not type_.name.startswith("__"):
            for name, field_ in type_.fields.items():
                field_.resolve = resolver_of(schema, type_, name, field_)
    return schema


def _coerced(read: Callable[[object], object]) -> Callable[[object], object]:
    def coerce(value: object) -> object:
        try:
            return read(value)
        except ValueError as error:
            raise GraphQLError("It is no valid ISO 8601 value.") from error

    return coerce
