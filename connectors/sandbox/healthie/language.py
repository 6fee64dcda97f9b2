"""Language: the schema with its resolvers, and documents parsed and validated once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    get_named_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    parse,
    validate,
)

from connectors.sandbox.healthie.call import Call, Resolver, RootResolver
from connectors.sandbox.healthie.complexity import is_connection
from connectors.sandbox.healthie.derived import DERIVED
from connectors.sandbox.healthie.kinds import KINDS
from connectors.sandbox.healthie.notes import NOTE_TYPES, canary, is_note, notes_selected
from connectors.sandbox.healthie.rows import Row, read_date, read_moment, text
from connectors.sandbox.healthie.roots import MUTATIONS, QUERIES

Plain = Callable[..., object]
ABSENT: dict[str, object] = {"Boolean": False, "Int": 0, "Float": 0.0, "String": "", "ID": "0"}
NAMES = frozenset(kind.name for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document as it was sent: parsed and validated, with what it selects of notes."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...]
    notes: tuple[str, ...] = ()
    fragments: Mapping[str, FragmentDefinitionNode] = field(default_factory=dict[str, FragmentDefinitionNode])

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation to run; None if the name is unknown or needed and missing."""
        found = [
            node
            for node in (self.document.definitions if self.document else ())
            if isinstance(node, OperationDefinitionNode)
        ]
        named = [node for node in found if node.name is not None and node.name.value == name]
        return named[0] if name and named else found[0] if len(found) == 1 and not name else None


class Language:
    """What the stand-in understands."""

    def __init__(self) -> None:
        self.schema = _schema()
        self._prepared: dict[str, Prepared] = {}

    def stored_types(self) -> Mapping[tuple[str, str], str]:
        """The schema's type of every field that rows store: ("User", "dob") -> "ISO8601Date"."""
        return {
            (type_.name, name): get_named_type(field_.type).name
            for type_ in self.schema.type_map.values()
            if isinstance(type_, GraphQLObjectType) and type_.name in NAMES
            for name, field_ in type_.fields.items()
            if not isinstance(get_named_type(field_.type), GraphQLObjectType)
        }

    def prepare(self, source: str) -> Prepared:
        if source not in self._prepared:
            if len(self._prepared) > 500:
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
    schema = build_schema(files(__package__).joinpath("schema.graphql").read_text(encoding="utf-8"))
    for name, read in (("ISO8601DateTime", read_moment), ("ISO8601Date", read_date)):
        scalar = schema.type_map[name]
        assert isinstance(scalar, GraphQLScalarType)
        scalar.coerce_input_value = _read_with(read)
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            for name, field_ in type_.fields.items():
                field_.resolve = _resolve(type_, name, field_)
    return schema


def _read_with(read: Callable[[object], object]) -> Callable[[object], object]:
    def parse_value(value: object) -> object:
        try:
            return read(value)
        except ValueError as error:
            raise GraphQLError("is not a valid ISO 8601 value") from error

    return parse_value


def _resolve(type_: GraphQLObjectType, name: str, field_: GraphQLField) -> Plain:
    if type_.name == "Query":
        known = QUERIES.get(name)
        if known is None:
            return _plain(canary("Query", name, field_))
        return _root(known.resolve, name, unserved=frozenset(field_.args) - known.serves)
    if type_.name == "Mutation":
        return _root(MUTATIONS[name], name)
    if is_connection(type_) and name in ("nodes", "edges", "page_info", "total_count"):
        return lambda source, _resolving: getattr(source, name)
    if (type_.name, name) in DERIVED:
        return _plain(DERIVED[type_.name, name])
    if type_.name in NOTE_TYPES or is_note(type_.name, name, field_):
        return (
            _stored(name, field_)
            if name in ("id", "node", "cursor")
            else _plain(canary(type_.name, name, field_))
        )
    return _link(name, field_) or _stored(name, field_)


def _plain(resolver: Resolver) -> Plain:
    def resolve(source: Row | None, resolving: GraphQLResolveInfo, **args: object) -> object:
        return resolver(resolving.context, source or {}, args)

    return resolve


def _root(resolver: RootResolver, name: str, unserved: frozenset[str] | None = None) -> Plain:
    """A root field. Without `unserved` it is a mutation."""

    def resolve(_: object, resolving: GraphQLResolveInfo, **args: object) -> object:
        call: Call = resolving.context
        if name in call.failing:
            raise GraphQLError("Internal server error")
        if unserved is None:
            return call.write(name, resolver, args)
        for argument in unserved & args.keys():
            raise GraphQLError(f"The stand-in does not serve the argument {name}.{argument}.")
        return call.read(name, resolver, args)

    return resolve


def _link(name: str, field_: GraphQLField) -> Plain | None:
    """A field of another type whose id is stored beside it under `<field>_id`."""
    kind = get_named_type(field_.type).name
    if kind not in NAMES or is_list_type(field_.type):
        return None

    def resolve(source: Row, resolving: GraphQLResolveInfo, **_: object) -> object:
        call: Call = resolving.context
        return source.get(name) or call.state.find(kind, text(source, f"{name}_id"))

    return resolve


def _stored(name: str, field_: GraphQLField) -> Plain:
    """A stored value. What is not stored is null, or the type's zero where null is not allowed."""
    named = get_named_type(field_.type)
    zero: object = None
    if is_non_null_type(field_.type):
        zero = [] if is_list_type(field_.type.of_type) else ABSENT.get(named.name)
        if is_enum_type(named):
            zero = next(iter(named.values))

    def resolve(source: Row, resolving: GraphQLResolveInfo, **_: object) -> object:
        value = source.get(name)
        if value is None:
            return zero
        call: Call = resolving.context
        return call.served(value)

    return resolve
