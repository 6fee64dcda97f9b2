"""Tables that are not as they were declared: what is added, what is reported, what is refused."""

from typing import Any

import pytest

from connectors.bigquery import BigQuery
from connectors.tabular import Column, Drift
from tests.connectors.bigquery.place import Place, held, send, spoken, table

KEY = {"name": "patient_id", "type": "STRING", "mode": "REQUIRED"}
VISITS = {"id": "str", "fee": "decimal"}


def codes(connector: BigQuery) -> set[tuple[str, str]]:
    return {(drift.column, drift.code) for drift in connector.drift()}


def test_a_table_that_is_not_there_is_made_as_it_was_described(place: Place) -> None:
    kinds = ("str", "int", "decimal", "bool", "date", "datetime", "json")
    columns = {f"a_{kind}": Column(type=kind) for kind in kinds}
    connector = place.connect(
        table(**columns),
        patients={
            "partition_by": "a_datetime",
            "partition_unit": "month",
            "cluster_by": ["a_str", "patient_id"],
        },
    )
    assert connector.drift() == []
    assert place.state.tables == {}

    connector.prepare()
    made = place.state.tables["patients"].resource
    assert [(each["name"], each["type"], each["mode"]) for each in made["schema"]["fields"]] == [
        ("patient_id", "STRING", "REQUIRED"),
        ("a_str", "STRING", "NULLABLE"),
        ("a_int", "INTEGER", "NULLABLE"),
        ("a_decimal", "NUMERIC", "NULLABLE"),
        ("a_bool", "BOOLEAN", "NULLABLE"),
        ("a_date", "DATE", "NULLABLE"),
        ("a_datetime", "TIMESTAMP", "NULLABLE"),
        ("a_json", "JSON", "NULLABLE"),
        ("_ferry_at", "TIMESTAMP", "NULLABLE"),
    ]
    assert made["timePartitioning"] == {"type": "MONTH", "field": "a_datetime"}
    assert made["clustering"] == {"fields": ["a_str", "patient_id"]}
    assert made["labels"] == {"ferry": "target"}
    assert connector.drift() == []
    connector.close()


def test_without_a_layout_it_is_clustered_by_its_key(place: Place) -> None:
    connector = place.connect(table())
    connector.prepare()

    assert place.state.tables["patients"].resource["clustering"] == {"fields": ["patient_id"]}
    connector.close()


def test_before_the_first_write_nothing_is_present_and_nothing_is_made(place: Place) -> None:
    connector = place.connect(table(email=Column(type="str")))

    assert held(connector, "1", "email") is None
    assert place.state.tables == {}
    connector.close()


def test_columns_are_added_and_others_left_alone(place: Place) -> None:
    tagged = {"name": "legacy", "type": "INTEGER", "description": "theirs", "defaultValueExpression": "7"}
    place.state.by_hand("patients", [KEY, tagged], description="the clinic's own")
    place.state.load(place.state.tables["patients"], [("1", 7)], keep=False)
    connector = place.connect(
        table(email=Column(type="str"), visits=Column(type="json")), patients={"records": {"visits": VISITS}}
    )
    assert codes(connector) == {
        ("email", "missing_column"), ("visits", "missing_column"), ("_ferry_at", "missing_column"),
        ("legacy", "extra_column"),
    }  # fmt: skip

    assert spoken(send(connector, ("1", {"email": "a", "visits": []}), ("2", {"email": "b"}))) == ["done"] * 2
    assert codes(connector) == {("legacy", "extra_column")}
    resource = place.state.tables["patients"].resource
    assert resource["description"] == "the clinic's own"
    theirs: dict[str, Any] = next(each for each in resource["schema"]["fields"] if each["name"] == "legacy")
    assert {name: theirs.get(name) for name in tagged} == tagged
    assert {(row["patient_id"], row["legacy"]) for row in place.rows("patients")} == {("1", "7"), ("2", None)}
    connector.close()


def test_a_field_is_added_to_records_that_are_there(place: Place) -> None:
    first = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": {"id": "str"}}})
    send(first, ("1", {"visits": [{"id": "v1"}]}))
    first.close()
    connector = place.connect(table(visits=Column(type="json")), patients={"records": {"visits": VISITS}})
    assert codes(connector) == {("visits.fee", "missing_column")}

    send(connector, ("2", {"visits": [{"id": "v2", "fee": "1.5"}]}))
    assert held(connector, "1", "visits") == {"visits": [{"id": "v1", "fee": None}]}
    assert held(connector, "2", "visits") == {"visits": [{"id": "v2", "fee": "1.5"}]}
    connector.close()


def test_records_whose_fields_have_another_order_are_filled_by_name(place: Place) -> None:
    """BigQuery gives one record's values to another's by position: two texts would change places."""
    within = [{"name": "last", "type": "STRING"}, {"name": "first", "type": "STRING"}]
    place.state.by_hand(
        "patients", [KEY, {"name": "kin", "type": "RECORD", "mode": "REPEATED", "fields": within}]
    )
    connector = place.connect(
        table(kin=Column(type="json")), patients={"records": {"kin": {"first": "str", "last": "str"}}}
    )
    send(connector, ("1", {"kin": [{"first": "Ana", "last": "Diaz"}]}))

    assert held(connector, "1", "kin") == {"kin": [{"last": "Diaz", "first": "Ana"}]}
    connector.close()


@pytest.mark.parametrize(
    "within",
    [
        [{"name": "id", "type": "INTEGER"}, {"name": "fee", "type": "NUMERIC"}],
        [
            {"name": "id", "type": "STRING"},
            {"name": "fee", "type": "NUMERIC"},
            {"name": "own", "type": "STRING"},
        ],
        [{"name": "id", "type": "STRING", "maxLength": "3"}, {"name": "fee", "type": "NUMERIC"}],
    ],
)
def test_records_that_would_lose_something_are_left_alone(place: Place, within: list[dict[str, str]]) -> None:
    place.state.by_hand(
        "patients", [KEY, {"name": "visits", "type": "RECORD", "mode": "REPEATED", "fields": within}]
    )
    connector = place.connect(
        table(visits=Column(type="json"), email=Column(type="str")), patients={"records": {"visits": VISITS}}
    )

    outcomes = send(connector, ("1", {"visits": []}), ("2", {"email": "a"}))
    assert spoken(outcomes) == ["rejected schema_drift", "done"]
    assert any(code == "wrong_type" and name.startswith("visits.") for name, code in codes(connector))
    connector.close()


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("date", {"type": "STRING"}),
        ("str", {"type": "INTEGER"}),
        ("str", {"type": "STRING", "mode": "REPEATED"}),
        ("datetime", {"type": "DATE"}),
        ("json", {"type": "STRING"}),
        ("int", {"type": "NUMERIC"}),
        ("bool", {"type": "STRING"}),
    ],
)
def test_a_column_of_the_wrong_type_refuses_only_its_own_writes(
    place: Place, kind: Any, found: dict[str, str]
) -> None:
    place.state.by_hand("patients", [KEY, {"name": "a", **found}, {"name": "email", "type": "STRING"}])
    connector = place.connect(table(a=Column(type=kind), email=Column(type="str")))
    moment = "2026-01-01T00:00:00Z"
    values = {"date": "2026-01-01", "str": "x", "datetime": moment, "json": [], "int": 1, "bool": True}

    outcomes = send(connector, ("1", {"a": values[kind]}), ("2", {"email": "b"}))
    assert spoken(outcomes) == ["rejected schema_drift", "done"]
    assert ("a", "wrong_type") in codes(connector)
    assert [row["patient_id"] for row in place.rows("patients")] == ["2"]
    connector.close()


def test_without_a_column_for_its_key_nothing_is_written(place: Place) -> None:
    place.state.by_hand("patients", [{"name": "email", "type": "STRING"}])
    connector = place.connect(table(email=Column(type="str")))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["rejected schema_drift"]
    assert ("patient_id", "missing_key") in codes(connector)
    assert place.rows("patients") == []
    connector.close()


def test_a_view_is_not_written(place: Place) -> None:
    place.state.by_hand("patients", [KEY, {"name": "email", "type": "STRING"}])
    place.state.tables["patients"].resource["type"] = "VIEW"
    connector = place.connect(table(email=Column(type="str")))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["rejected schema_drift"]
    assert connector.drift() == [Drift("patients", "", "missing_key")]
    connector.close()


def test_what_would_be_cut_or_rounded_is_refused(place: Place) -> None:
    place.state.by_hand(
        "patients",
        [
            KEY,
            {"name": "name", "type": "STRING", "maxLength": "5"},
            {"name": "paid", "type": "NUMERIC", "precision": "10", "scale": "2"},
        ],
    )
    connector = place.connect(table(name=Column(type="str"), paid=Column(type="decimal")))

    given: list[dict[str, Any]] = [
        {"name": "12345"},
        {"name": "1234  "},
        {"paid": "99999999.99"},
        {"paid": "1.255"},
        {"paid": "100000000"},
    ]
    outcomes = send(connector, *((str(at), values) for at, values in enumerate(given)))
    assert {outcome.key: f"{outcome.state} {outcome.code}".strip() for outcome in outcomes} == {
        "k0": "done", "k1": "rejected too_long", "k2": "done", "k3": "rejected too_precise",
        "k4": "rejected out_of_range",
    }  # fmt: skip
    assert {("name", "narrower"), ("paid", "narrower")} <= codes(connector)
    connector.close()


def test_a_column_that_rows_must_fill_is_reported(place: Place) -> None:
    place.state.by_hand("patients", [KEY, {"name": "clinic", "type": "INTEGER", "mode": "REQUIRED"}])
    connector = place.connect(table(email=Column(type="str")))

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["rejected not_null"]
    assert ("clinic", "required_column") in codes(connector)
    connector.close()


def test_a_declared_column_that_must_be_filled_is_not_left_empty(place: Place) -> None:
    place.state.by_hand("patients", [KEY, {"name": "email", "type": "STRING", "mode": "REQUIRED"}])
    connector = place.connect(table(email=Column(type="str"), name=Column(type="str")))

    outcomes = send(connector, ("1", {"email": "a"}), ("2", {"email": None}), ("3", {"name": "x"}))
    assert {outcome.key: outcome.code for outcome in outcomes} == {
        "k0": "",
        "k1": "not_null",
        "k2": "not_null",
    }
    connector.close()


def test_a_key_that_ignores_case_takes_only_what_cannot_be_confused(place: Place) -> None:
    place.state.by_hand("patients", [{**KEY, "collation": "und:ci"}])
    connector = place.connect(table())

    outcomes = {outcome.key: outcome.code for outcome in send(connector, ("a7", {}), ("A7", {}))}
    assert outcomes == {"k0": "", "k1": "inexact_key"}
    assert ("patient_id", "inexact_key") in codes(connector)
    connector.close()


def test_a_column_renamed_meanwhile_is_added_again(place: Place) -> None:
    connector = place.connect(table(email=Column(type="str"), city=Column(type="str")))
    assert spoken(send(connector, ("1", {"email": "a", "city": "b"}))) == ["done"]
    place.state.renamed("patients", "email", "renamed")

    assert spoken(send(connector, ("1", {"email": "a"}))) == ["rejected schema_drift"]
    assert spoken(send(connector, ("1", {"email": "c"}))) == ["done"]
    row = place.rows("patients")[0]
    assert (row["renamed"], row["email"], row["city"]) == ("a", "c", "b")
    connector.close()


def test_a_table_that_others_change_too_is_looked_at_again(place: Place) -> None:
    """Between the look and the change somebody adds a column: nothing of theirs is lost."""
    place.state.by_hand("patients", [KEY])
    connector = place.connect(table(email=Column(type="str")))
    alter = place.state.alter

    def meanwhile(name: str, change: dict[str, Any], match: str | None) -> dict[str, Any]:
        place.state.alter = alter  # type: ignore[method-assign]  # once
        theirs = {"name": "theirs", "type": "STRING"}
        alter(
            name,
            {"schema": {"fields": [*place.state.tables[name].resource["schema"]["fields"], theirs]}},
            None,
        )
        return alter(name, change, match)

    place.state.alter = meanwhile  # type: ignore[method-assign]  # the stand-in, not ours
    assert spoken(send(connector, ("1", {"email": "a"}))) == ["done"]
    names = [each["name"] for each in place.state.tables["patients"].resource["schema"]["fields"]]
    assert sorted(names) == ["_ferry_at", "email", "patient_id", "theirs"]
    connector.close()
