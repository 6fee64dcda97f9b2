"""The generated documents: valid by the official schema, minimal, within Healthie's limits."""

import re

import pytest
from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, parse, validate
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from connectors.errors import Rejected
from connectors.healthie import arguments, lookups, mutation, present
from connectors.healthie.account import WHO_AM_I
from connectors.healthie.changes import EVERYONE, LISTINGS
from connectors.healthie.fields import catalogue
from connectors.healthie.guard import admitted
from connectors.healthie.query import (
    BUDGET,
    PAGE,
    ROOTS,
    Want,
    packed,
    patients_document,
    rows_document,
    select,
    single_patients_document,
)
from connectors.sandbox.healthie.complexity import Measure
from connectors.sandbox.healthie.language import Language
from tests.connectors.healthie.conftest import REALISTIC

PATHS = st.frozensets(st.sampled_from([*sorted(catalogue()), "metadata.mrn", "policies.metadata.a.b"]))
LANGUAGE = Language()


def documents(paths: frozenset[str]) -> list[str]:
    selection = select(paths)
    made = [patients_document(paths, 3), single_patients_document(paths, 3)]
    return made + ([rows_document(selection, selection.areas)] if selection.areas else [])


def fixed() -> list[str]:
    """Every document that is not generated from paths."""
    update = " ".join(["id", "metadata", *arguments.UpdateClient.model_fields])
    address = " ".join(["id", *present.ADDRESS])
    return [
        WHO_AM_I,
        EVERYONE,
        *(listing.document for listing in LISTINGS),
        *(present.TASKS, present.TASK, present.FIND),
        present.patient_document(f"{present.LOCATIONS} {present.TAGS} {update}"),
        present.patient_document(" ".join(lookups.SHOWN)),
        mutation.UPDATE_CLIENT.document(update),
        mutation.CREATE_CLIENT.document(
            " ".join(["id", "record_identifier", *arguments.CreateClient.model_fields])
        ),
        mutation.APPLY_TAGS.document("id"),
        mutation.REMOVE_TAG.document("id"),
        mutation.CREATE_LOCATION.document(address),
        mutation.UPDATE_LOCATION.document(address),
        mutation.CREATE_TASK.document("id client_id content metadata"),
        mutation.UPDATE_TASK.document("id complete due_date priority"),
    ]


def complexity(text: str, variables: dict[str, JsonValue]) -> int:
    """As the stand-in computes it."""
    document = parse(text)
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    return Measure(LANGUAGE.schema, fragments, variables).operation(operation)[0]


@pytest.mark.parametrize("text", fixed(), ids=lambda text: re.split(r"[({]", text)[0].strip())
def test_a_fixed_document_is_valid_and_admitted(text: str, official: GraphQLSchema) -> None:
    assert validate(official, parse(text)) == []
    assert admitted(text, read_only=False).mutation == text.startswith("mutation")


def test_documents_of_all_fields_are_valid_and_admitted(official: GraphQLSchema) -> None:
    for text in documents(frozenset(catalogue())):
        assert validate(official, parse(text)) == []
        admitted(text, read_only=True)


@pytest.mark.parametrize("text", fixed() + documents(frozenset(catalogue())))
def test_the_stand_in_understands_every_document(text: str) -> None:
    assert validate(LANGUAGE.schema, parse(text)) == []


@settings(max_examples=20, deadline=None)
@example(frozenset(catalogue()))
@example(frozenset(path for path in catalogue() if select(frozenset({path})).areas == ()))
@example(REALISTIC)
@given(PATHS)
def test_generated_documents_are_admitted_and_within_budget(paths: frozenset[str]) -> None:
    for text in documents(paths):
        admitted(text, read_only=True)
    selection = select(paths)
    count = selection.patients_at_once
    cost = complexity(patients_document(paths, count), {"first": count})
    single = complexity(single_patients_document(paths, count), {})

    assert cost <= BUDGET and single <= 2000
    assert cost == 2 + count * selection.patient_cost + 2 * count * len(selection.areas)


@settings(max_examples=20, deadline=None)
@given(PATHS.filter(lambda paths: bool(select(paths).areas)), st.data())
def test_packed_requests_hold_all_wants_within_budget(paths: frozenset[str], data: st.DataObject) -> None:
    selection = select(paths)
    sizes = st.tuples(st.sampled_from(selection.areas), st.integers(1, PAGE))
    wants = [
        Want(str(at), area, min(first, selection.rows_at_once(area)))
        for at, (area, first) in enumerate(data.draw(st.lists(sizes, max_size=60)))
    ]
    bins = packed(selection, wants)

    assert sorted(want.patient for one in bins for want in one) == sorted(want.patient for want in wants)
    for one in bins:
        text = rows_document(selection, [want.area for want in one])
        cost = complexity(text, {f"n{at}": want.first for at, want in enumerate(one)})
        assert cost == sum(selection.cost_of_rows(want.area, want.first) for want in one) <= BUDGET
        assert len(one) <= ROOTS


def test_a_document_depends_on_the_fields_and_numbers_alone() -> None:
    paths = [*REALISTIC]
    first = patients_document(frozenset(paths), 7)
    select.cache_clear()
    patients_document.cache_clear()

    assert patients_document(frozenset(reversed(paths)), 7) == first


def test_only_what_was_asked_for_is_selected() -> None:
    assert select(frozenset({"email"})).patient == "email id restricted"
    assert select(frozenset({"policies.insurance_plan.payer_name"})).patient == (
        "id policies { id insurance_plan { payer_name } } restricted"
    )
    assert select(frozenset({"requested_payments.price_minor"})).rows == {
        "requested_payments": "currency id price"
    }
    assert select(frozenset({"metadata.mrn"})).patient == "id metadata restricted"


@pytest.mark.parametrize(
    "path",
    ["ssn", "email.x", "metadata.", "metadata.a b", "metadata.1", "policies", "", "Email", "quick_notes"],
)
def test_a_field_that_no_entry_has_is_refused(path: str) -> None:
    with pytest.raises(Rejected) as refusal:
        select(frozenset({path}))

    assert refusal.value.code == "unknown_field"
    assert path not in catalogue()


def test_the_catalogue_says_type_category_and_multiplicity() -> None:
    fields = catalogue()

    assert fields["metadata.anything"].type == "json"
    assert fields["metadata.anything"].category == "custom"
    assert fields["requested_payments.price_minor"].type == "int"
    assert fields["requested_payments.price_minor"].many
    assert fields["policies.insurance_plan.payer_name"].many
    assert not fields["user_group.name"].many
    assert fields["dob"].type == "date"
    assert fields["tasks.content"].category == "free_text"
    assert not {path for path in fields if "ssn" in path or "note" in path.replace("notification", "")}
