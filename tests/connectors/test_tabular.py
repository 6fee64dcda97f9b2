"""Declared tables, their arguments, and the rows that items make of them."""

from decimal import Decimal

import pytest
from pydantic import JsonValue, ValidationError

from connectors.operation import Item, arguments_of
from connectors.tabular import Column, Record, Rows, Table, Version, arguments_model
from connectors.values import code_of

KEY = {"patient_id": Column(type="str")}
POLICIES = Table(
    name="policies",
    key=("patient_id", "policy_id"),
    patient="patient_id",
    columns={
        **KEY,
        "policy_id": Column(type="str"),
        "payer": Column(type="str", max_length=5, summary="Who pays."),
        "copay": Column(type="decimal"),
        "starts_on": Column(type="date"),
        "checked_at": Column(type="datetime"),
        "active": Column(type="bool"),
        "rank": Column(type="int"),
        "raw": Column(type="json"),
    },
)
POLICY: dict[str, JsonValue] = {"policy_id": "7"}


def refused(name: str, value: JsonValue) -> str:
    with pytest.raises(ValidationError) as error:
        arguments_model(POLICIES).model_validate({**POLICY, name: value})
    assert "input_value" not in str(error.value)
    return code_of(error.value)


def read(name: str, value: JsonValue) -> JsonValue:
    return arguments_of(arguments_model(POLICIES).model_validate({**POLICY, name: value}))[name]


def test_the_patient_is_no_argument_and_the_other_keys_are_required() -> None:
    fields = arguments_model(POLICIES).model_fields

    assert "patient_id" not in fields
    assert [name for name, field in fields.items() if field.is_required()] == ["policy_id"]
    assert fields["payer"].description == "Who pays."


def test_only_what_was_set_is_an_argument() -> None:
    model = arguments_model(POLICIES).model_validate({"policy_id": "7", "payer": None})

    assert arguments_of(model) == {"policy_id": "7", "payer": None}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("payer", "sixsix", "too_long"),
        ("payer", 1, "invalid_value"),
        ("payer", "nul\0", "nul_character"),
        ("payer", "\udc00", "lone_surrogate"),
        ("policy_id", "", "invalid_value"),
        ("policy_id", None, "invalid_value"),
        ("policy_id", "7 ", "inexact_key"),
        ("copay", "1.0000000001", "too_precise"),
        ("copay", 10**29, "out_of_range"),
        ("copay", "1e3", "invalid_value"),
        ("copay", "NaN", "invalid_value"),
        ("copay", "1,5", "invalid_value"),
        ("copay", "١", "invalid_value"),
        ("copay", True, "invalid_value"),
        ("copay", float("inf"), "invalid_value"),
        ("starts_on", "20260101", "invalid_value"),
        ("starts_on", 1767225600, "invalid_value"),
        ("starts_on", "2026-01-01T00:00:00", "invalid_value"),
        ("starts_on", "2026-02-30", "invalid_value"),
        ("starts_on", "0999-01-01", "out_of_range"),
        ("checked_at", "2026-01-01T00:00:00", "invalid_value"),
        ("checked_at", "2026-01-01", "invalid_value"),
        ("checked_at", "2026-01-01T00:00:00.1234567Z", "invalid_value"),
        ("checked_at", 1767225600, "invalid_value"),
        ("checked_at", "9999-12-31T23:59:59-01:00", "out_of_range"),
        ("checked_at", "0999-12-31T23:59:59Z", "out_of_range"),
        ("active", 1, "invalid_value"),
        ("active", "true", "invalid_value"),
        ("rank", True, "invalid_value"),
        ("rank", "1", "invalid_value"),
        ("rank", 1.5, "invalid_value"),
        ("rank", 2**63, "out_of_range"),
        ("rank", -(2**63) - 1, "out_of_range"),
        ("raw", {"a": ["nul\0"]}, "nul_character"),
        ("raw", {"nul\0": 1}, "nul_character"),
        ("raw", ["\ud800"], "lone_surrogate"),
        ("raw", [float("nan")], "invalid_value"),
        ("raw", [2**63], "out_of_range"),
        ("raw", ["x" * 1_000_001], "too_long"),
        ("unknown", 1, "unknown_argument"),
        ("patient_id", "9", "unknown_argument"),
    ],
)
def test_what_cannot_be_stored_exactly_has_a_code(name: str, value: JsonValue, code: str) -> None:
    assert refused(name, value) == code


def test_json_that_is_too_deep_is_refused() -> None:
    deep: JsonValue = 1
    for _ in range(65):
        deep = [deep]

    assert refused("raw", deep) == "too_deep"


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("copay", "12.500", "12.5"),
        ("copay", 12.5, "12.5"),
        ("copay", "-0.00", "0"),
        ("copay", "0.000000001", "0.000000001"),
        ("copay", 1000, "1000"),
        ("copay", "100000000000000000000", "100000000000000000000"),
        ("checked_at", "2026-01-01T10:00:00-05:00", "2026-01-01T15:00:00Z"),
        ("checked_at", "2026-01-01 10:00Z", "2026-01-01T10:00:00Z"),
        ("starts_on", "2024-02-29", "2024-02-29"),
        ("raw", None, None),
        ("raw", {"a": [None, 1.5, ""]}, {"a": [None, 1.5, ""]}),
        ("payer", "", ""),
        ("payer", "  x  ", "  x  "),
    ],
)
def test_one_value_has_one_spelling(name: str, value: JsonValue, stored: JsonValue) -> None:
    assert read(name, value) == stored


def test_the_same_key_is_one_record_of_several_versions() -> None:
    items = [
        Item("a", "1", {"policy_id": "7", "payer": "x", "rank": 1}),
        Item("b", "2", {"policy_id": "7"}),
        Item("c", "1", {"policy_id": "7", "payer": None}),
        Item("d", "1", {"payer": "x"}),
    ]
    records, outcomes = Rows(POLICIES).records(items, lambda key, values: None)

    assert [(record.key, record.items) for record in records] == [
        (("1", "7"), ("a", "c")),
        (("2", "7"), ("b",)),
    ]
    assert records[0].values == {"payer": None, "rank": 1}
    assert [(outcome.key, outcome.state, outcome.code) for outcome in outcomes] == [
        ("d", "rejected", "missing_argument")
    ]


def test_a_target_may_object_to_a_row() -> None:
    items = [Item("a", "1", {"policy_id": "7", "copay": "1.25"}), Item("b", "1", {"policy_id": "8"})]
    records, outcomes = Rows(POLICIES).records(
        items, lambda key, values: "no" if Decimal("1.25") in values.values() else None
    )

    assert records == [Record(("1", "8"), (Version("b", {}),))]
    assert [(outcome.key, outcome.code) for outcome in outcomes] == [("a", "no")]


def test_a_patient_in_an_int_column_must_be_that_number() -> None:
    rows = Rows(Table(name="t", key=("id",), patient="id", columns={"id": Column(type="int")}))
    patients = ("17", "017", "", "1.0", "x", "１", str(2**63), "-1")

    keys = rows.keys([Item(patient, patient, {}) for patient in patients])
    assert keys == {patient: (17,) if patient == "17" else None for patient in patients}


def test_a_record_is_named_by_table_and_key() -> None:
    rows = Rows(POLICIES)

    assert rows.record("1", {"policy_id": "7", "payer": "x"}) == '["policies", "1", "7"]'
    assert rows.record("1", {"policy_id": '7", "8'}) != rows.record('1", "7', {"policy_id": "8"})


@pytest.mark.parametrize(
    "change",
    [
        {"key": ()},
        {"key": ("patient_id", "patient_id")},
        {"key": ("nobody",)},
        {"key": ("policy_id",)},
        {"key": ("patient_id", "copay")},
        {"patient": "payer"},
        {"name": "model_dump"},
        {"name": "class"},
        {"columns": {**POLICIES.columns, "Payer": Column(type="str")}},
        {"columns": {**POLICIES.columns, "copy": Column(type="str")}},
        {"columns": {**POLICIES.columns, "import": Column(type="str")}},
        {"columns": {**POLICIES.columns, "policy_id": Column(type="str", max_length=201)}},
        {"unknown": 1},
    ],
)
def test_an_unsound_table_is_refused(change: dict[str, object]) -> None:
    declared = {"name": "t", "key": POLICIES.key, "patient": "patient_id", "columns": POLICIES.columns}
    Table.model_validate(declared)

    with pytest.raises(ValidationError):
        Table.model_validate({**declared, **change})


def test_only_text_has_a_length_or_words_of_a_model() -> None:
    for wrong in ({"max_length": 5}, {"free_text": True}):
        with pytest.raises(ValidationError):
            Column.model_validate({"type": "int", **wrong})
