"""The stand-in's schema agrees with Healthie's published one, and the shared queries run on it."""

from importlib.resources import files
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    parse,
    validate_schema,
)
from graphql.pyutils import Undefined

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.healthie.kinds import KINDS
from connectors.sandbox.healthie.language import Language
from connectors.sandbox.healthie.roots import MUTATIONS, QUERIES
from tests.connectors.sandbox.healthie.conftest import Client


@pytest.fixture(scope="module")
def ours() -> GraphQLSchema:
    return Language().schema


@pytest.fixture(scope="module")
def official(shared: Path) -> GraphQLSchema:
    return build_schema((shared / "specs/healthie/schema.graphql").read_text())


def differences(ours: GraphQLSchema, official: GraphQLSchema) -> list[str]:
    found = []
    for name, type_ in ours.type_map.items():
        theirs = official.type_map.get(name)
        if name.startswith("__"):
            continue
        if type(theirs) is not type(type_):
            found.append(f"{name}: {type(theirs).__name__}")
        elif isinstance(type_, GraphQLEnumType):
            found += [f"{name}.{value}" for value in type_.values if value not in theirs.values]
        elif isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
            for field, made in type_.fields.items():
                found += field_differences(f"{name}.{field}", made, theirs.fields.get(field))
    return found


def field_differences(where: str, ours, theirs) -> list[str]:
    if theirs is None:
        return [where]
    found = [] if str(ours.type) == str(theirs.type) else [f"{where}: {ours.type} is {theirs.type}"]
    arguments = getattr(theirs, "args", {})
    for name, argument in getattr(ours, "args", {}).items():
        known = arguments.get(name)
        if known is None or str(known.type) != str(argument.type):
            found.append(f"{where}({name}: {argument.type})")
    required = [name for name, known in arguments.items() if str(known.type).endswith("!")]
    return found + [f"{where}({name}) is missing" for name in required if name not in ours.args]


def test_every_type_field_argument_and_nullability_agrees_with_the_published_schema(ours, official):
    assert differences(ours, official) == []


def test_required_input_fields_of_the_published_schema_are_all_there(ours, official):
    missing = [
        f"{name}.{field}"
        for name, type_ in ours.type_map.items()
        if isinstance(type_, GraphQLInputObjectType)
        for field, known in official.type_map[name].fields.items()
        if str(known.type).endswith("!") and field not in type_.fields
    ]

    assert missing == []


def test_defaults_that_are_published_are_kept(ours, official):
    for name, field in ours.mutation_type.fields.items():
        assert set(field.args) == set(official.mutation_type.fields[name].args)
    for name in ("updateAppointmentInput", "bulkUpdateClientsInput", "createClientInput"):
        for field, made in ours.type_map[name].fields.items():
            known = official.type_map[name].fields[field]

            assert (made.default_value is Undefined) == (known.default_value is Undefined), field


def test_the_comparison_sees_a_changed_nullability(official):
    source = "type Query { user: User } type User { id: ID! active: Boolean }"

    assert differences(build_schema(source), official) == ["User.active: Boolean is Boolean!"]


def test_the_schema_is_valid():
    source = Path(str(files("connectors.sandbox.healthie") / "schema.graphql")).read_text()

    assert validate_schema(build_schema(source)) == []


def test_every_root_is_either_answered_or_a_note(ours):
    unanswered = set(ours.query_type.fields) - set(QUERIES)

    assert set(ours.mutation_type.fields) == set(MUTATIONS)
    assert {"formAnswerGroups", "chartNotes", "notes", "conversations", "documents", "entries"} <= unanswered
    assert not unanswered & {"users", "user", "policy", "locations"}


def test_every_kind_is_a_type_of_the_schema(ours):
    assert [kind.name for kind in KINDS if kind.name not in ours.type_map] == []


READS = {
    "01": {},
    "02": {},
    "04": {"ids": []},
    "05": {f"id{at}": "1000014" for at in range(5)},
    "06": {"id": "8000001"},
    "07": {"updatedAfter": "2020-01-01T00:00:00Z"},
    "08": {},
    "03": {"id": "1000014", "patientIdString": "1000014"},
}


@pytest.mark.parametrize("number", sorted(READS))
def test_the_shared_reads_are_answered(number: str, client: Client, healthie: StandIn, shared: Path):
    source = next((shared / "specs/healthie/queries").glob(f"{number}_*")).read_text()
    variables = {**READS[number], **({"ids": healthie.ids()[:3]} if number == "04" else {})}
    operations = [node.name.value for node in parse(source).definitions if hasattr(node, "operation")]
    for operation in operations:
        assert client.data(source, operation, **variables)
    assert healthie.notes() == {}


def test_the_shared_queries_stay_below_the_complexity_limit(client: Client, healthie: StandIn, shared: Path):
    source = next((shared / "specs/healthie/queries").glob("03_*")).read_text()
    client.data(source, id="1000014", patientIdString="1000014")

    measured = healthie.requests()["requests"][-1]["complexity"]

    assert 1_500 < measured <= 1_735
