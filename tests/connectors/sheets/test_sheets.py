"""Rows in a spreadsheet: what is written, what is left alone, and what is refused."""

import pytest
from pydantic import JsonValue

from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import SheetsCredentials, SheetsOptions
from connectors.sheets.grid import ROOM
from connectors.tabular import Column, Drift, Table
from tests.connectors.sheets.rows import (
    HEADER,
    PATIENTS,
    by_key,
    items_of,
    reached,
    upsert,
    write_to,
)

HOSTILE = ["=1+1", "=cmd|' /C calc'!A0", "+1 415 555 0100", "-5", "@x", "\tx", "＝1", "'=1", "00123", "1-2"]


def test_a_sheet_is_made_and_rows_are_inserted_updated_and_kept(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, ("1", {"name": "Ana", "phone": "+1 415 555 0100", "visits": 3}), ("2", {"name": "Bo"}))

    assert upsert(write, ("1", {"name": None}), ("3", {"visits": 0})) == ["done", "done"]
    assert server.people.look("patients") == [
        HEADER,
        ["1", None, "+1 415 555 0100", 3],
        ["2", "Bo"],
        ["3", None, None, 0],
    ]


def test_no_text_becomes_a_formula_a_number_or_a_date(server: SheetsServer) -> None:
    write = write_to(server)
    rows: list[tuple[str, dict[str, JsonValue]]] = [
        (f"p{at}", {"name": text}) for at, text in enumerate(HOSTILE)
    ]
    upsert(write, *rows)  # as new rows
    upsert(
        write, *((patient, {"phone": values["name"]}) for patient, values in rows)
    )  # into rows that are there
    found = by_key(server.people.records("patients"))

    assert [found[patient]["name"] for patient, _ in rows] == HOSTILE
    assert [found[patient]["phone"] for patient, _ in rows] == HOSTILE
    cells = [cell for row in server.book.titled("patients").rows for cell in row.cells.values()]
    assert not any("formulaValue" in cell for cell in cells)


def test_what_people_put_beside_it_is_not_touched(server: SheetsServer) -> None:
    server.people.add_sheet(
        "patients",
        [
            ["note", "name", "patient_id", "=ROW()", "total"],
            ["call back", "Ana", "'1", "=ROW()", "=SUM(A1:A9)"],
            [None, "Bo", "'2", "=ROW()", 7],
            [None, None, None, None, "=SUM(E2:E3)"],
        ],
    )
    write = write_to(server)

    assert upsert(write, ("1", {"name": "Ana B", "visits": 4}), ("3", {"name": "Cy"})) == ["done", "done"]
    assert server.people.look("patients") == [
        ["note", "name", "patient_id", "=ROW()", "total", "phone", "visits"],
        ["call back", "Ana B", "1", "=ROW()", "=SUM(A1:A9)", None, 4],
        [None, "Bo", "2", "=ROW()", 7],
        [None, "Cy", "3"],
        [None, None, None, None, "=SUM(E2:E3)"],
    ]


def test_a_formula_in_a_declared_column_is_not_written_over(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, ("1", {"name": "Ana", "visits": 1}), ("2", {"name": "Bo", "visits": 1}))
    server.people.type("patients", 1, HEADER.index("visits"), "=COUNT(A:A)")

    assert upsert(write, ("1", {"visits": 2}), ("2", {"visits": 2}), ("1", {"name": "x"})) == [
        "rejected holds_formula",
        "done",
        "rejected holds_formula",
    ]
    assert upsert(write, ("1", {"name": "Ana B"})) == ["done"]
    assert server.people.look("patients")[1] == ["1", "Ana B", None, "=COUNT(A:A)"]


def test_a_row_that_a_person_copied_is_for_a_person_to_sort_out(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, ("1", {"name": "Ana"}), ("2", {"name": "Bo"}))
    server.people.insert_row("patients", 2, ["'1", "a copy"])

    assert upsert(write, ("1", {"name": "x"}), ("2", {"name": "y"})) == ["rejected duplicate_key", "done"]
    assert server.people.look("patients") == [HEADER, ["1", "Ana"], ["1", "a copy"], ["2", "y"]]


def test_rows_that_people_typed_are_taken_up_by_their_key(server: SheetsServer) -> None:
    server.people.add_sheet("patients", [HEADER, [123, "typed"], ["'00123", "text"]])
    write = write_to(server)

    assert upsert(write, ("123", {"visits": 1}), ("00123", {"visits": 2})) == ["done", "done"]
    assert server.people.look("patients") == [HEADER, [123, "typed", None, 1], ["00123", "text", None, 2]]


def test_an_empty_text_is_refused_or_clears_as_the_options_say(server: SheetsServer) -> None:
    write = write_to(server)
    assert upsert(write, ("1", {"name": ""}), ("2", {"name": "Bo"})) == ["rejected empty_text", "done"]

    clearing = write_to(server, options=SheetsOptions(empty="clear"))
    assert upsert(clearing, ("2", {"name": ""})) == ["done"]
    assert server.people.look("patients") == [HEADER, ["2"]]
    assert clearing.present is not None
    assert clearing.present(items_of(("2", {"name": "", "phone": None}))) == {
        "k0": {"name": "", "phone": None}
    }


def test_a_text_longer_than_a_cell_is_refused_and_not_cut(server: SheetsServer) -> None:
    write = write_to(server)
    whole = "x" * 50_000

    assert upsert(write, ("1", {"name": whole}), ("2", {"name": whole + "x"})) == [
        "done",
        "rejected too_long",
    ]
    assert server.people.look("patients") == [HEADER, ["1", whole]]


def test_large_rows_go_out_in_several_requests(server: SheetsServer) -> None:
    write = write_to(server)
    before = server.counted["write"]
    outcomes = upsert(write, *((f"p{at}", {"name": "x" * 40_000}) for at in range(20)))

    assert set(outcomes) == {"done"}
    assert server.counted["write"] - before == 1 + 4  # the sheet, and 240 kB a row
    assert len(by_key(server.people.records("patients"))) == 20


def test_a_sheet_may_have_another_title(server: SheetsServer) -> None:
    server.people.add_sheet("Ana's list", [["'1"], HEADER])
    options = SheetsOptions(titles={"patients": "Patients (daily)"})

    assert upsert(write_to(server, options=options), ("1", {"name": "Ana"})) == ["done"]
    assert server.people.look("Patients (daily)") == [HEADER, ["1", "Ana"]]
    with pytest.raises(ValueError, match="two tables have the same sheet"):
        reached(server, options=SheetsOptions(titles={"patients": "X"})).__class__(
            SheetsCredentials.model_validate(server.values),
            [PATIENTS, PATIENTS.model_copy(update={"name": "x"})],
            SheetsOptions(titles={"patients": "X"}),
        )


def test_the_sheet_differs_from_its_declaration(server: SheetsServer) -> None:
    connector = reached(server)
    assert connector.drift() == []
    server.people.add_sheet("patients", [["vip", "name", "patient_id", "name"]])

    assert set(connector.drift()) == {
        Drift("patients", "vip", "extra_column"),
        Drift("patients", "name", "wrong_type"),
        Drift("patients", "phone", "missing_column"),
        Drift("patients", "visits", "missing_column"),
    }
    write = connector.writes()["upsert_patients"]
    assert upsert(write, ("1", {"name": "x"}), ("2", {"phone": "5"})) == ["rejected schema_drift", "done"]


def test_a_header_without_the_key_is_not_written_to(server: SheetsServer) -> None:
    rows: list[list[JsonValue]] = [["id", "name"], ["'1", "Ana"]]
    server.people.add_sheet("patients", rows)

    assert upsert(write_to(server), ("1", {"name": "x"})) == ["rejected schema_drift"]
    assert server.people.look("patients") == [["id", "name"], ["1", "Ana"]]
    assert server.counted["write"] == 0


def test_prepare_makes_what_is_missing_and_nothing_twice(server: SheetsServer) -> None:
    server.people.add_sheet("patients", height=3)
    connector = reached(server)
    connector.prepare()
    assert server.people.look("patients") == [HEADER]

    writes = server.counted["write"]
    connector.prepare()
    assert server.counted["write"] == writes
    assert connector.drift() == []


def test_a_sheet_whose_columns_are_all_in_use_gets_more(server: SheetsServer) -> None:
    server.people.add_sheet("patients", [["patient_id", *(f"c{at}" for at in range(25))]], height=1)

    assert upsert(write_to(server), ("1", {"name": "Ana"}), ("2", {})) == ["done", "done"]
    assert [row.get("name") for row in server.people.records("patients")] == ["Ana", None]


def test_a_full_sheet_is_said_to_be_full(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, ("1", {"name": "Ana"}))
    sheet = server.book.titled("patients")
    sheet.rows[1].tags[0] = type(sheet.rows[1].tags[0])(sheet.rows[1].tags[0].id, "f", "x" * (ROOM - 3))

    assert upsert(write, ("1", {"name": "x"}), ("2", {}), ("3", {}), ("4", {})) == [
        "done",
        "done",
        "done",
        "rejected sheet_full",
    ]


def test_a_key_of_two_columns_tells_rows_apart(server: SheetsServer) -> None:
    table = Table(
        name="visits",
        key=("patient_id", "number"),
        patient="patient_id",
        columns={"patient_id": Column(type="str"), "number": Column(type="int"), "kind": Column(type="str")},
    )
    write = write_to(server, table)
    upsert(write, ("1", {"number": 1, "kind": "a"}), ("1", {"number": 2, "kind": "b"}), ("2", {"number": 1}))

    assert upsert(write, ("1", {"number": 2, "kind": "c"})) == ["done"]
    assert server.people.look("visits")[1:] == [["1", 1, "a"], ["1", 2, "c"], ["2", 1]]
