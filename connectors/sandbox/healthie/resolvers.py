"""Resolvers: how the value of each field of the schema is found."""

from collections.abc import Callable
from typing import cast

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
)

from connectors.sandbox.healthie.call import Call, Resolver, RootResolver, WriteResolver
from connectors.sandbox.healthie.connections import Connection
from connectors.sandbox.healthie.derived import DERIVED
from connectors.sandbox.healthie.kinds import KINDS
from connectors.sandbox.healthie.notes import canary, is_note
from connectors.sandbox.healthie.roots import MUTATIONS, QUERIES
from connectors.sandbox.healthie.rows import Row, text
from connectors.sandbox.healthie.shapes import Shape, shape_of

Plain = Callable[..., object]
Resolving = GraphQLResolveInfo[Call]
STORED = frozenset(kind.name for kind in KINDS)
ABSENT: dict[str, object] = {"Boolean": False, "Int": 0, "Float": 0.0, "String": "", "ID": "0"}


def resolver_of(schema: GraphQLSchema, type_: GraphQLObjectType, name: str, field: GraphQLField) -> Plain:
    if type_.name in ("Query", "Mutation"):
        return _root_of(type_.name, name, field)
    if type_.name.endswith("Connection"):
        return _of_page(name)
    if (type_.name, name) in DERIVED:
        return _plain(DERIVED[type_.name, name])
    shape = shape_of(field)
    if is_note(schema, type_.name, name, field) and name not in ("id", "node", "cursor"):
        return _plain(canary(type_.name, name, field))
    if shape.named in STORED and not shape.is_list:
        return _link(shape.named, name)
    return _stored(name, _zero(schema, shape))


def _root_of(type_: str, name: str, field: GraphQLField) -> Plain:
    if type_ == "Mutation":
        return _write(MUTATIONS[name], name)
    known = QUERIES.get(name)
    if known is None:
        return _plain(canary("Query", name, field))
    return _root(known.resolve, name, unserved=frozenset(field.args) - known.serves)


def _of_page(name: str) -> Plain:
    def resolve(source: Connection, _: Resolving) -> object:
        return getattr(source, name)

    return resolve


def _plain(resolver: Resolver) -> Plain:
    def resolve(source: Row | None, resolving: Resolving, **args: object) -> object:
        return resolver(resolving.context, source or {}, args)

    return resolve


def _write(resolver: WriteResolver, name: str) -> Plain:
    def resolve(_: object, resolving: Resolving, **args: object) -> object:
        if name in resolving.context.failing:
            raise GraphQLError("Internal server error")
        return resolving.context.write(name, resolver, args)

    return resolve


def _root(resolver: RootResolver, name: str, unserved: frozenset[str]) -> Plain:
    def resolve(_: object, resolving: Resolving, **args: object) -> object:
        call = resolving.context
        if name in call.failing:
            raise GraphQLError("Internal server error")
        for argument in unserved & args.keys():
            raise GraphQLError(f"The stand-in does not serve the argument {name}.{argument}.")
        return call.read(name, resolver, args)

    return resolve


def _link(kind: str, name: str) -> Plain:
    """A field of another type whose id is stored beside it under `<field>_id`."""

    def resolve(source: Row, resolving: Resolving, **_: object) -> object:
        return source.get(name) or resolving.context.state.find(kind, text(source, f"{name}_id"))

    return resolve


def _stored(name: str, zero: object) -> Plain:
    """A stored value. What is not stored is null, or `zero` where null is not allowed."""

    def resolve(source: Row, resolving: Resolving, **_: object) -> object:
        value = source.get(name)
        return zero if value is None else resolving.context.served(value)

    return resolve


def _zero(schema: GraphQLSchema, shape: Shape) -> object:
    if not shape.required:
        return None
    if shape.is_list:
        return cast(list[object], [])
    named = schema.type_map[shape.named]
    return next(iter(named.values)) if isinstance(named, GraphQLEnumType) else ABSENT.get(shape.named)
