"""The guard: every GraphQL document is read before it leaves, and refused unless all of it may leave.

Two lists decide. `exclusions.json` names what must never be selected: session notes and everything
that carries them, messages, files, credentials. `selectable.json` is the small map of types and
fields that Ferry may select at all; what it does not know is refused, so a new field of Healthie's
is closed until somebody opens it. Aliases, fragments and nesting change nothing: types are walked.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
    parse,
)
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from connectors.errors import Denied

ROOTS: Final = {OperationType.QUERY: "Query", OperationType.MUTATION: "Mutation"}
LITERALS: Final = frozenset({"all", "active", "archived"})  # every other text must be a variable
COUNTS: Final = frozenset({"first", "last"})  # every other number must be a variable

# What Healthie would otherwise assume hides rows or marks things as seen (sandbox schema, 2026-08). None:
# a word of ours, whichever.
DEFAULTS: Final[Mapping[str, Mapping[str, bool | str | None]]] = {
    "user": {"clear_notifs": False},
    "users": {"include_suborg_patients": True, "order_by": None},
    "appointments": {
        "filter": "all",
        "is_org": True,
        "with_all_statuses": True,
        "include_blockers": False,
        "include_suborganizations": True,
        "order_by": None,
    },
    "tasks": {"show_hidden": True, "order_by": None},
    "appliedTags": {"order_by": None},
    "billingItems": {"order_by": None},
    "requestedPayments": {"order_by": None},
    "cms1500s": {"order_by": None},
    "recurringPayments": {"active_status": None},
}
READ_ONLY: Final = "read_only"
DEPTH: Final = 25  # Healthie's own limit


class Exclusions(BaseModel):
    """`exclusions.json`: a name in it is never selected, whatever else says so."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    deny_types: Mapping[str, frozenset[str]]
    deny_fields: Mapping[str, frozenset[str]]
    deny_root_fields: frozenset[str]
    deny_mutations_matching: tuple[re.Pattern[str], ...]
    deny_input_keys: frozenset[str] = Field(min_length=1)

    def name(self, parent: str, field: str) -> bool:
        """Is this field denied by its own name?"""
        if parent == "Query":
            return field in self.deny_root_fields
        if parent == "Mutation":
            return any(pattern.search(field) for pattern in self.deny_mutations_matching)
        return field in self.deny_fields.get(parent, ())

    def type(self, name: str) -> bool:
        """Is everything of this type denied?"""
        return any(name in group for group in self.deny_types.values())


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may leave."""

    text: str
    node: DocumentNode
    mutation: bool
    roots: frozenset[str]  # what its answer is called: aliases, or names


@cache
def exclusions() -> Exclusions:
    return Exclusions.model_validate_json(_file("exclusions.json"))


@cache
def selectable() -> Mapping[str, Mapping[str, str]]:
    """{type: {field: its type, or "" for a plain value}}: all that may be selected at all."""
    return TypeAdapter(dict[str, dict[str, str]]).validate_json(_file("selectable.json"))


@lru_cache(maxsize=64)  # half a megabyte each
def admitted(text: str, *, read_only: bool) -> Document:
    """The document, parsed, if all of it may leave. Raises Denied. Judged once for each text."""
    try:
        node = parse(text, no_location=True)
    except (GraphQLSyntaxError, RecursionError):
        raise Denied("bad_document", "healthie: the document is not GraphQL") from None
    fragments = {one.name.value: one for one in node.definitions if isinstance(one, FragmentDefinitionNode)}
    operations = [one for one in node.definitions if isinstance(one, OperationDefinitionNode)]
    if len(operations) != 1 or len(fragments) + 1 != len(node.definitions):
        raise Denied("bad_document", "healthie: one operation and its fragments, nothing else")
    operation = operations[0]
    if operation.operation not in ROOTS:
        raise Denied("not_allowed", "healthie: subscriptions are not used")
    if any(variable.default_value is not None for variable in operation.variable_definitions or ()):
        raise Denied("spliced", "healthie: a variable has a default value")
    mutation = operation.operation is OperationType.MUTATION
    walk = _Walk(fragments, mutation=mutation)
    if mutation and read_only:
        raise Denied(READ_ONLY, "healthie: nothing is written in read-only mode")
    walk.selections(operation.selection_set, ROOTS[operation.operation], 1)
    for fragment in fragments.values():
        walk.selections(fragment.selection_set, fragment.type_condition.name.value, 1)
    return Document(text, node, mutation, frozenset(_roots(operation.selection_set, fragments)))


def _roots(chosen: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """The names of an answer's root fields. The document was walked: fragments are there."""
    for node in chosen.selections:
        if isinstance(node, FieldNode):
            yield node.alias.value if node.alias else node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _roots(node.selection_set, fragments)
        elif isinstance(node, FragmentSpreadNode):
            yield from _roots(fragments[node.name.value].selection_set, fragments)


def check_input(value: JsonValue) -> None:
    """Refuse a mutation's variables that carry a denied key: passwords, note text, mails to patients."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in exclusions().deny_input_keys:
                raise Denied("denied_input", f"healthie: {key} is never written")
            if key != "metadata":  # a tenant's own names, no fields of Healthie's
                check_input(inner)
    elif isinstance(value, list):
        for inner in value:
            check_input(inner)


class _Walk:
    """Walks a document along the types. A fragment is walked once, at its own type."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], *, mutation: bool) -> None:
        self._fragments = fragments
        self._mutation = mutation

    def selections(self, chosen: SelectionSetNode, parent: str, depth: int) -> None:
        if parent not in selectable() or (parent == "Mutation" and not self._mutation):
            raise Denied("not_allowed", f"healthie: {parent} is not selectable")
        if depth > DEPTH:
            raise Denied("too_deep", "healthie: the document is nested too deeply")
        for node in chosen.selections:
            self._selection(node, parent, depth)

    def _selection(self, node: SelectionNode, parent: str, depth: int) -> None:
        for directive in node.directives or ():
            if directive.name.value not in ("skip", "include"):
                raise Denied("not_allowed", f"healthie: a directive below {parent} is not known")
            _check_arguments(directive)
        if isinstance(node, FieldNode):
            self._field(node, parent, depth)
        elif isinstance(node, InlineFragmentNode):
            condition = node.type_condition
            self.selections(node.selection_set, condition.name.value if condition else parent, depth)
        elif isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.get(node.name.value)
            if fragment is None or fragment.type_condition.name.value != parent:
                raise Denied("not_allowed", f"healthie: a fragment does not belong below {parent}")

    def _field(self, node: FieldNode, parent: str, depth: int) -> None:
        name = node.name.value  # the alias is only what the answer calls it
        if name == "__typename":
            return
        if exclusions().name(parent, name):
            raise Denied("denied", f"healthie: {parent}.{name} is never selected")
        if name not in selectable()[parent]:
            raise Denied("not_allowed", f"healthie: {parent}.{name} is not selectable")
        below = selectable()[parent][name]
        if exclusions().type(below):
            raise Denied("denied", f"healthie: {below} is never selected")
        _check_arguments(node)
        if parent == "Query":
            _check_defaults(node)
        if (node.selection_set is not None) != bool(below):
            raise Denied("not_allowed", f"healthie: {parent}.{name} is selected as what it is not")
        if node.selection_set is not None:
            self.selections(node.selection_set, below, depth + 1)


def _check_arguments(node: FieldNode | DirectiveNode) -> None:
    """No value of ours or of a patient's is spliced into the text, where nothing judges it."""
    for argument in node.arguments or ():
        for inner in _nodes([argument.value]):
            spliced = isinstance(inner, (ObjectValueNode, FloatValueNode))
            spliced |= isinstance(inner, StringValueNode) and inner.value not in LITERALS
            spliced |= isinstance(inner, IntValueNode) and argument.name.value not in COUNTS
            if spliced:
                raise Denied("spliced", f"healthie: a value is spliced into {node.name.value}")


def _check_defaults(node: FieldNode) -> None:
    """No default that bites is left standing."""
    name = node.name.value
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    for argument, value in DEFAULTS.get(name, {}).items():
        if not _says(given.get(argument), value):
            raise Denied("default_left", f"healthie: {name}() needs its {argument} spelled out")
    if not _says(given.get("or_current_user", BooleanValueNode(value=False)), False):
        raise Denied("default_left", f"healthie: {name}() would answer with the key's own account")


def _says(given: ValueNode | None, value: bool | str | None) -> bool:
    """Is it this very value in the text? A variable may be null."""
    if value is None:
        return isinstance(given, (EnumValueNode, StringValueNode))
    return isinstance(given, (BooleanValueNode, StringValueNode)) and given.value == value


def _nodes(values: Iterable[ValueNode]) -> Iterable[ValueNode]:
    for value in values:
        yield value
        if isinstance(value, ObjectValueNode):
            yield from _nodes(field.value for field in value.fields)
        elif isinstance(value, ListValueNode):
            yield from _nodes(value.values)


def _file(name: str) -> str:
    return files("connectors.healthie").joinpath(name).read_text(encoding="utf-8")
