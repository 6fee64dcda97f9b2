"""Nothing that bears a note leaves, however it is wrapped; nor anything that nobody opened."""

import re

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_object_type,
    parse,
    print_ast,
    separate_operations,
)
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Denied
from connectors.healthie.guard import admitted, check_input, exclusions, selectable
from tests.connectors.healthie.conftest import specs

ADMITTED = ["01", "02", "03", "04", "05", "06", "07", "08", "10", "11", "12"]
CLOSED = {"BulkMoveClientsToGroup"}  # without a group it archives, so the whole mutation stays closed


def refused(text: str, *, read_only: bool = True) -> bool:
    return code(text, read_only=read_only) != ""


def code(text: str, *, read_only: bool = False) -> str:
    """The code of the refusal, "" if the document may leave."""
    try:
        admitted(text, read_only=read_only)
    except Denied as denial:
        assert "\n" not in str(denial)
        return denial.code
    return ""


@pytest.mark.parametrize("number", ADMITTED)
def test_shared_queries_are_judged_by_what_they_do(number: str) -> None:
    path = next((specs() / "queries").glob(f"{number}_*.graphql"))
    for document in separate_operations(parse(path.read_text())).values():
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        name = operation.name.value if operation.name else ""
        mutation = operation.operation.value == "mutation"

        judged = code(print_ast(document), read_only=False)

        assert not mutation or code(print_ast(document), read_only=True) == "read_only"
        # their selections are open; values and defaults in the text are how they were written down
        assert judged == "not_allowed" if name in CLOSED else judged in ("", "spliced", "default_left")


def _denied_roots(schema: GraphQLSchema) -> list[str]:
    queries, mutations = schema.query_type, schema.mutation_type
    assert queries is not None and mutations is not None
    patterns = exclusions().deny_mutations_matching
    return [
        f"query {{ {name} {{ id }} }}" for name in exclusions().deny_root_fields if name in queries.fields
    ] + [
        f"mutation {{ {name} {{ id }} }}"
        for name in mutations.fields
        if any(pattern.search(name) for pattern in patterns)
    ]


def test_every_denied_root_of_the_official_schema_is_refused(official: GraphQLSchema) -> None:
    documents = _denied_roots(official)

    assert len(documents) > 90
    assert {code(text) for text in documents} == {"denied"}  # by its name, not for being unknown


def test_every_field_of_a_denied_name_or_type_is_refused(official: GraphQLSchema) -> None:
    tried = 0
    for type_ in official.type_map.values():
        if not is_object_type(type_) or type_.name.startswith("__"):
            continue
        for name, field in type_.fields.items():
            below: GraphQLNamedType = get_named_type(field.type)
            denied = exclusions().name(type_.name, name) or exclusions().type(below.name)
            if denied and type_.name not in ("Query", "Mutation"):
                inner = " { id }" if is_object_type(below) else ""
                tried += 1

                text = f"query {{ currentUser {{ id }} }} fragment x on {type_.name} {{ {name}{inner} }}"
                known = type_.name in selectable() and exclusions().name(type_.name, name)

                assert code(text) == ("denied" if known else "not_allowed")
    assert tried > 100


def test_every_name_on_the_lists_exists(official: GraphQLSchema) -> None:
    for type_, fields in [*exclusions().deny_fields.items(), *selectable().items()]:
        found = official.type_map[type_]
        assert isinstance(found, GraphQLObjectType)
        assert set(fields) <= set(found.fields)
    assert {name for group in exclusions().deny_types.values() for name in group} <= set(official.type_map)


def test_what_may_be_selected_has_the_official_types(official: GraphQLSchema) -> None:
    for type_, fields in selectable().items():
        parent = official.type_map[type_]
        assert isinstance(parent, GraphQLObjectType)
        for name, below in fields.items():
            named = get_named_type(parent.fields[name].type)

            assert below == (named.name if is_object_type(named) else "")
            assert not exclusions().name(type_, name)
            assert not exclusions().type(named.name)


NOTES = st.sampled_from(
    [
        ("User", "quick_notes"),
        ("User", "current_summary { id }"),
        ("User", "ssn"),
        ("User", "form_answer_groups { id }"),
        ("Appointment", "notes"),
        ("Appointment", "reason"),
        ("Appointment", "form_answer_group { id }"),
        ("Appointment", "transcripts { id }"),
        ("Policy", "notes"),
        ("Task", "note { id }"),
        ("Query", "chartNotes { nodes { id } }"),
        ("Query", "formAnswerGroups { nodes { id } }"),
        ("Query", "conversations { nodes { id } }"),
    ]
)
# how one gets from a type to another, through what may be selected
STEPS = {
    "Query": [("users { nodes { %s } }", "User"), ("appointments { nodes { %s } }", "Appointment")],
    "User": [("dietitian { %s }", "User"), ("policies { %s }", "Policy"), ("other_providers { %s }", "User")],
    "Appointment": [("attendees { %s }", "User"), ("provider { %s }", "User")],
    "Policy": [("insurance_plan { id } %s", "Policy")],
    "Task": [("assignees(first: 1) { nodes { %s } }", "User")],
}


PLAIN = re.compile(r"(?!__)\w+( \{.*\})?", re.DOTALL)


@st.composite
def wrapped(draw: st.DrawFn) -> str:
    """A document that selects something denied, behind aliases, fragments and nesting."""
    type_, selection = draw(NOTES)
    fragments: list[str] = []
    for at in range(draw(st.integers(0, 5))):
        way = draw(st.sampled_from(["alias", "inline", "bare", "fragment", "beside"]))
        if way == "alias" and PLAIN.fullmatch(selection):
            selection = f"first_name: {selection}"
        elif way == "inline":
            selection = f"... on {type_} {{ {selection} }}"
        elif way == "bare":
            selection = f"... @include(if: true) {{ {selection} }}"
        elif way == "fragment":
            fragments.append(f"fragment f{at} on {type_} {{ {selection} }}")
            selection = f"...f{at}"
        else:
            selection = f"__typename {selection}"
        back = [(text, parent) for parent, steps in STEPS.items() for text, to in steps if to == type_]
        if back and draw(st.booleans()):
            text, type_ = draw(st.sampled_from(back))
            selection = text % selection
    while type_ != "Query":
        text, parent = next(
            ((text, parent) for parent, steps in STEPS.items() for text, to in steps if to == type_),
            ("tasks(first: 1) { nodes { %s } }" if type_ == "Task" else "", "Query"),
        )
        selection, type_ = text % selection, parent
    return "\n".join([f"query {{ {selection} }}", *fragments])


@given(wrapped())
def test_a_note_is_refused_however_it_is_wrapped(text: str) -> None:
    parse(text)  # it is GraphQL: what refuses it is the guard

    assert refused(text)
    assert refused(text, read_only=False)


@pytest.mark.parametrize(
    "text",
    [
        "subscription { users { nodes { id } } }",
        "query { __schema { types { name } } }",
        'query { __type(name: "User") { name } }',
        "query { users { nodes { id some_new_field } } }",
        "query { users { nodes { id @client } } }",
        "query { user(id: 1) { id } }",
        "query { user(id: 1, clear_notifs: true) { id } }",
        "query ($c: Boolean) { user(id: 1, clear_notifs: $c) { id } }",
        'query { users(keywords: "ana@example.com") { nodes { id } } }',
        "query A { users { nodes { id } } } query B { users { nodes { id } } }",
        "query { users { nodes { ...f } } } fragment f on Appointment { id }",
        "query { users { nodes { ...f } } }",
        "query { users { nodes { location } } }",
        "query { users { nodes { id { id } } } }",
        "query { ...f } fragment f on Mutation { updateClient(input: {}) { user { id } } }",
        "type User { id: ID }",
        "query { users { nodes { id ",
        "mutation { mergeClients(input: {}) { user { id } } }",
        "mutation { bulkUpdateClients(input: {ids: [1]}) { users { id } } }",
        "mutation { updateClient(input: {}) { user { quick_notes } } }",
    ],
)
def test_what_is_not_known_to_be_harmless_is_refused(text: str) -> None:
    assert refused(text, read_only=False)


def test_deep_nesting_is_refused_without_falling_over() -> None:
    for depth in (30, 5000):
        assert refused("query { users { nodes {" + " dietitian {" * depth + " id " + "}" * depth + "} } }")


@pytest.mark.parametrize("key", sorted(exclusions().deny_input_keys))
def test_a_denied_key_is_refused_wherever_it_is_in_the_input(key: str) -> None:
    with pytest.raises(Denied):
        check_input({"input": {"id": "1", "policies": [{"id": "2", key: "x"}]}})


def test_keys_of_a_metadata_are_the_tenants_own() -> None:
    check_input({"input": {"metadata": {"notes": "x", "ssn": "y"}}})
