"""What becomes of a base that people work in, too."""

from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest
from pydantic import JsonValue, SecretStr, ValidationError

from connectors.airtable import Airtable, AirtableCredentials, AirtableOptions, TableOptions
from connectors.operation import Item, Outcome
from connectors.sandbox.airtable import TOKEN, AirtableStandIn, Rules
from connectors.tabular import Column, Drift, Table

PATIENTS = Table(
    name="patients",
    key=("patient_id",),
    patient="patient_id",
    columns={
        "patient_id": Column(type="str"),
        "name": Column(type="str"),
        "status": Column(type="str"),
        "active": Column(type="bool"),
        "balance": Column(type="decimal"),
    },
)
KEY: Mapping[str, JsonValue] = {"name": "patient_id", "type": "singleLineText"}


@pytest.fixture
def stand_in() -> Iterator[AirtableStandIn]:
    with AirtableStandIn() as running:
        yield running


def airtable(
    stand_in: AirtableStandIn, place: TableOptions | None = None, table: Table = PATIENTS
) -> Airtable:
    options = AirtableOptions(tables={table.name: place} if place else {})
    credentials = AirtableCredentials(url=stand_in.url, token=SecretStr(TOKEN), base=stand_in.base.id)
    return Airtable(credentials, [table], options)


def upsert(connector: Airtable, *rows: tuple[str, Mapping[str, JsonValue]]) -> list[Outcome]:
    items = [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]
    return sorted(connector.writes()["upsert_patients"].send(items), key=lambda outcome: outcome.key)


def codes(outcomes: list[Outcome]) -> list[str]:
    return [outcome.code or outcome.state for outcome in outcomes]


def test_a_thousand_rows_take_a_hundred_writes_and_ten_reads(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        connector.prepare()
        write = connector.writes()["upsert_patients"]
        items = [Item(f"k{at}", f"p{at}", {"name": f"Ana {at}", "balance": "1.5"}) for at in range(1000)]
        before = stand_in.gauge.requests
        for at in range(0, len(items), write.batch):
            assert write.present is not None
            held = write.present(items[at : at + write.batch])
            assert set(held.values()) == {None}
            assert {one.state for one in write.send(items[at : at + write.batch])} == {"done"}

        assert stand_in.writes() == 100
        assert stand_in.gauge.requests - before == 110
        assert len(stand_in.base.rows("patients")) == 1000


def test_no_address_and_no_error_names_a_patient(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("Zephyrine", {"name": "Zephyrine"}))
        write = connector.writes()["upsert_patients"]
        assert write.present is not None
        write.present([Item("k", "Zephyrine", {"name": ""})])

    assert "listRecords" in " ".join(path for _, path, _ in stand_in.journal)
    assert not any("Zephyrine" in path for _, path, _ in stand_in.journal)
    assert "filterByFormula" not in {
        name for method, _, body in stand_in.journal if method == "GET" for name in body
    }


def test_what_people_keep_there_is_never_named(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table("patients", [KEY, {"name": "notes", "type": "multilineText"}])
    base.add_record("patients", {"patient_id": "1", "notes": "call on Monday"})
    base.add_record("patients", {"notes": "a row of theirs"})
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ana", "balance": "0.1", "active": False}), ("2", {"name": "Bo"}))
        upsert(connector, ("1", {"balance": None}), ("2", {"name": ""}))

        assert base.rows("patients") == [
            {"patient_id": "1", "notes": "call on Monday", "name": "Ana", "active": "false"},
            {"notes": "a row of theirs"},
            {"patient_id": "2"},
        ]
        assert connector.drift() == [Drift("patients", "notes", "extra_column")]
        notes = base.table("patients").field_of("notes")["id"]
        sent = [
            record["fields"]
            for method, _, body in stand_in.journal
            if method == "PATCH"
            for record in body["records"]
        ]
        assert not any(notes in fields for fields in sent)


def test_a_renamed_field_is_found_again(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ana"}))
    stand_in.base.rename("patients", "name", "Full name")
    stand_in.base.rename("patients", "patient_id", "Healthie ID")
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ann"}))

        assert connector.drift() == []
    assert stand_in.base.rows("patients") == [{"Healthie ID": "1", "Full name": "Ann"}]


def test_a_persons_own_field_under_the_old_name_is_not_taken_for_ours(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ana"}))
    stand_in.base.rename("patients", "name", "Full name")
    stand_in.base.add_field("patients", {"name": "name", "type": "multilineText"})
    theirs = stand_in.base.table("patients").field_of("name")["id"]
    for cells in stand_in.base.table("patients").records.values():
        cells[theirs] = "what she likes to be called"
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ann"}))

    [row] = stand_in.base.rows("patients")
    assert (row["Full name"], row["name"]) == ("Ann", "what she likes to be called")


def test_a_renamed_table_is_found_again_and_not_made_twice(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        upsert(connector, ("1", {"name": "Ana"}))
    stand_in.base.rename_table("patients", "Our people")
    with closing(airtable(stand_in)) as connector:
        assert codes(upsert(connector, ("1", {"name": "Ann"}))) == ["done"]

    assert [table.name for table in stand_in.base.tables] == ["Our people"]
    assert [row["name"] for row in stand_in.base.rows("Our people")] == ["Ann"]


def test_what_airtable_stores_differently_is_not_called_done() -> None:
    with AirtableStandIn(Rules(mangled=("\x01", ""))) as stand_in, closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"name": "a\x01b"}), ("2", {"name": "ab", "balance": "0.50"}))

    assert codes(outcomes) == ["stored_differently", "done"]
    assert outcomes[0].state == "rejected"


def test_fields_named_by_id_may_have_any_name(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    table = base.add_table(
        "Our people",
        [{"name": "Healthie", "type": "singleLineText"}, {"name": "Who", "type": "singleLineText"}],
    )
    place = TableOptions(
        table=table.id, fields={"patient_id": table.fields[0]["id"], "name": table.fields[1]["id"]}
    )
    with closing(airtable(stand_in, place)) as connector:
        upsert(connector, ("1", {"name": "Ana"}))
        base.rename("Our people", "Who", "Name of the person")
        outcomes = upsert(connector, ("1", {"name": "Ann"}), ("2", {"name": "two\nlines"}))

    assert codes(outcomes) == ["done", "line_break"]
    assert base.rows("Our people") == [{"Healthie": "1", "Name of the person": "Ann"}]


def test_a_table_without_the_key_is_left_alone(stand_in: AirtableStandIn) -> None:
    stand_in.base.add_table("patients", [{"name": "name", "type": "singleLineText"}])
    stand_in.base.add_record("patients", {"name": "Ana"})
    with closing(airtable(stand_in)) as connector:
        assert codes(upsert(connector, ("1", {"name": "Ana"}))) == ["schema_drift"]
        assert Drift("patients", "patient_id", "missing_key") in connector.drift()

    assert stand_in.base.rows("patients") == [{"name": "Ana"}]
    assert stand_in.writes() == 0


def test_a_field_that_is_taken_away_in_the_middle_of_a_run_comes_back(stand_in: AirtableStandIn) -> None:
    rows: list[tuple[str, Mapping[str, JsonValue]]] = [(str(at), {"name": f"Ana {at}"}) for at in range(25)]
    with closing(airtable(stand_in)) as connector:
        upsert(connector, *rows[:3])
        stand_in.base.remove_field("patients", "name")
        outcomes = upsert(connector, *rows, ("x", {"status": "new"}))
        stand_in.base.remove_field("patients", "name")
        present = connector.writes()["upsert_patients"].present
        assert present is not None
        assert present([Item("k", "x", {"name": "", "status": ""})]) == {"k": {"status": "new"}}
        outcomes += upsert(connector, *rows)

    assert codes(outcomes) == ["done"] * 51
    assert {row["patient_id"]: row.get("name") for row in stand_in.base.rows("patients")} == {
        **{patient: values["name"] for patient, values in rows},
        "x": None,
    }


def test_a_field_of_another_type_is_not_written(stand_in: AirtableStandIn) -> None:
    stand_in.base.add_table(
        "patients", [KEY, {"name": "balance", "type": "formula"}, {"name": "active", "type": "checkbox"}]
    )
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(
            connector,
            ("1", {"balance": "1"}),
            ("2", {"name": "Bo"}),
            ("3", {"active": None}),
            ("4", {"active": True}),
        )

        assert codes(outcomes) == ["schema_drift", "done", "null_as_false", "done"]
        write = connector.writes()["upsert_patients"]
        held = write.present and write.present([Item("k", "4", {"balance": "1", "active": True, "name": ""})])
        assert held == {"k": {"active": True, "name": ""}}
        assert Drift("patients", "balance", "wrong_type") in connector.drift()


@pytest.mark.parametrize(
    "kind", ["multipleAttachments", "multipleRecordLinks", "lastModifiedTime", "rollup", "x"]
)
def test_what_is_attached_linked_or_computed_is_left_alone(stand_in: AirtableStandIn, kind: str) -> None:
    stand_in.base.add_table("patients", [KEY, {"name": "name", "type": kind, "options": {}}])
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"name": "Ana"}), ("2", {"status": "new"}))

        assert codes(outcomes) == ["schema_drift", "done"]
        assert Drift("patients", "name", "wrong_type") in connector.drift()
    assert stand_in.writes() == 1


def test_numbers_are_exact_or_refused(stand_in: AirtableStandIn) -> None:
    columns = {
        "patient_id": Column(type="str"),
        "count": Column(type="int"),
        "balance": Column(type="decimal"),
    }
    table = PATIENTS.model_copy(update={"columns": columns})
    given: list[dict[str, JsonValue]] = [
        {"count": 2**53 - 1}, {"count": 2**53}, {"count": -(2**53) + 1}, {"count": -(2**63)},
        {"balance": "0.10"}, {"balance": "0.000000001"}, {"balance": "1234567.89012345"}, {"balance": "1e3"},
        {"balance": "12345678901234567"},
    ]  # fmt: skip
    with closing(airtable(stand_in, table=table)) as connector:
        outcomes = upsert(connector, *((str(at), values) for at, values in enumerate(given)))

    assert codes(outcomes) == [
        "done", "out_of_range", "done", "out_of_range",
        "done", "too_precise", "done", "invalid_value", "too_precise",
    ]  # fmt: skip
    assert [list(row.values())[1:] for row in stand_in.base.rows("patients")] == [
        [2**53 - 1], [-(2**53) + 1], [0.1], [1234567.89012345],
    ]  # fmt: skip


def test_a_field_with_fewer_places_takes_what_fits(stand_in: AirtableStandIn) -> None:
    places: JsonValue = {"precision": 2, "symbol": "$"}
    stand_in.base.add_table("patients", [KEY, {"name": "balance", "type": "currency", "options": places}])
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"balance": "12.50"}), ("2", {"balance": "0.125"}))

        assert codes(outcomes) == ["done", "too_precise"]
        assert Drift("patients", "balance", "narrower") in connector.drift()


def test_a_name_that_is_taken_in_other_letters_stays_drift(stand_in: AirtableStandIn) -> None:
    stand_in.base.add_table("patients", [KEY, {"name": "Name", "type": "singleLineText"}])
    with closing(airtable(stand_in)) as connector:
        assert codes(upsert(connector, ("1", {"name": "Ana"}), ("2", {"balance": "1"}))) == [
            "schema_drift",
            "done",
        ]
        assert Drift("patients", "name", "missing_column") in connector.drift()


def test_choices_are_added_only_if_they_are_declared(stand_in: AirtableStandIn) -> None:
    choices: list[JsonValue] = [{"name": "new"}]
    stand_in.base.add_table(
        "patients", [KEY, {"name": "status", "type": "singleSelect", "options": {"choices": choices}}]
    )
    with closing(airtable(stand_in, TableOptions(choices={"status": ("active",)}))) as connector:
        outcomes = upsert(
            connector,
            ("1", {"status": "new"}),
            ("2", {"status": "active"}),
            ("3", {"status": "vip"}),
            ("4", {"status": ""}),
        )
        again = upsert(connector, ("5", {"status": "active"}))

    assert codes(outcomes) == ["done", "done", "unknown_choice", "done"]
    assert codes(again) == ["done"]
    field = stand_in.base.table("patients").field_of("status")
    assert [choice["name"] for choice in field["options"]["choices"]] == ["new", "active"]
    assert [body["typecast"] for method, _, body in stand_in.journal if method == "PATCH"] == [True, False]


def test_a_select_is_made_with_its_choices(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in, TableOptions(choices={"status": ("new", "active")}))) as connector:
        assert codes(upsert(connector, ("1", {"status": "new"}), ("2", {"status": "x"}))) == [
            "done",
            "unknown_choice",
        ]

    assert stand_in.base.table("patients").field_of("status")["type"] == "singleSelect"


def test_two_records_of_one_key_stop_only_that_key(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table("patients", [KEY])
    for key in ("7", "7"):
        base.add_record("patients", {"patient_id": key})
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, *((str(at), {"name": f"n{at}"}) for at in range(10)))

    assert codes(outcomes) == ["done"] * 7 + ["doubled_key"] + ["done"] * 2
    assert len(base.rows("patients")) == 11


def test_one_key_twice_in_a_batch_is_one_record(stand_in: AirtableStandIn) -> None:
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, ("1", {"name": "Ana"}), ("1", {"name": "Ann", "balance": "2"}))

    assert codes(outcomes) == ["done", "done"]
    assert stand_in.base.rows("patients") == [{"patient_id": "1", "name": "Ann", "balance": 2.0}]


def test_what_an_answer_leaves_out_is_unknown() -> None:
    with AirtableStandIn(Rules(reordered=True, forgetful=True)) as stand_in:
        with closing(airtable(stand_in)) as connector:
            outcomes = upsert(connector, ("1", {"name": "Ana"}), ("2", {"name": "Bo"}), ("3", {}))

        assert codes(outcomes) == ["no_answer_for_item", "done", "done"]
        assert outcomes[0].state == "unknown"


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"other": TableOptions()}, "not declared: other"),
        ({"patients": TableOptions(fields={"x": "fld"})}, "a column that is not declared"),
        ({"patients": TableOptions(choices={"active": ("a",)})}, "choices are for str columns"),
        ({"patients": TableOptions(fields={"name": "a", "status": "a"})}, "name one field twice"),
    ],
)
def test_options_that_do_not_fit_are_refused(given: dict[str, TableOptions], problem: str) -> None:
    credentials = AirtableCredentials(token=SecretStr("x"), base="app00000000000000")

    with pytest.raises(ValidationError, match=problem):
        Airtable(credentials, [PATIENTS], AirtableOptions(tables=given))
