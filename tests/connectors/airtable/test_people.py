"""What becomes of a base that people work in, too: they rename, retype, take away and add."""

from collections.abc import Mapping
from contextlib import closing

import pytest
from pydantic import JsonValue

from connectors.airtable import TableOptions
from connectors.operation import Item
from connectors.sandbox.airtable import AirtableStandIn
from connectors.tabular import Drift
from tests.connectors.airtable.rows import KEY, airtable, codes, upsert


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


def test_a_name_that_is_taken_in_other_letters_stays_drift(stand_in: AirtableStandIn) -> None:
    stand_in.base.add_table("patients", [KEY, {"name": "Name", "type": "singleLineText"}])
    with closing(airtable(stand_in)) as connector:
        assert codes(upsert(connector, ("1", {"name": "Ana"}), ("2", {"balance": "1"}))) == [
            "schema_drift",
            "done",
        ]
        assert Drift("patients", "name", "missing_column") in connector.drift()


def test_two_records_of_one_key_stop_only_that_key(stand_in: AirtableStandIn) -> None:
    base = stand_in.base
    base.add_table("patients", [KEY])
    for key in ("7", "7"):
        base.add_record("patients", {"patient_id": key})
    with closing(airtable(stand_in)) as connector:
        outcomes = upsert(connector, *((str(at), {"name": f"n{at}"}) for at in range(10)))

    assert codes(outcomes) == ["done"] * 7 + ["doubled_key"] + ["done"] * 2
    assert len(base.rows("patients")) == 11
