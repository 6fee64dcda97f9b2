"""Two runs at once, and requests that come late: no sheet, no column and no row is there twice."""

from collections.abc import Callable

from connectors.sandbox.sheets import SheetsServer
from connectors.sandbox.sheets.state import Tag
from connectors.sheets.grid import tag_id
from connectors.tabular import Column, Table
from tests.connectors.sheets.rows import HEADER, PATIENTS, Row, by_key, numbered, upsert, write_to
from tests.connectors.sheets.test_people import watched


def another(server: SheetsServer, *rows: Row, table: Table = PATIENTS) -> Callable[[], None]:
    """Another run, or the second attempt at what comes late."""

    def runs() -> None:
        assert set(upsert(write_to(server, table), *rows)) == {"done"}

    return runs


def test_two_runs_that_make_the_sheet_at_once_make_one(server: SheetsServer) -> None:
    with watched(server) as (write, proxy):
        proxy.before(1, another(server, *numbered(2)), path=":batchUpdate")
        assert upsert(write, *numbered(4)[2:]) == ["done", "done"]

    assert server.people.look("patients")[0] == HEADER
    assert len(by_key(server.people.records("patients"))) == 4


def test_two_runs_that_add_columns_at_once_add_each_once(server: SheetsServer) -> None:
    server.people.add_sheet("patients", [["patient_id", "note"]])
    columns = {**PATIENTS.columns, "city": Column(type="str")}
    del columns["visits"]
    other = PATIENTS.model_copy(update={"columns": columns})
    with watched(server) as (write, proxy):
        proxy.before(1, another(server, ("1", {"city": "Ulm"}), table=other), path=":batchUpdate")
        assert upsert(write, ("2", {"name": "Bo", "visits": 1})) == ["done"]

    assert server.people.look("patients")[0] == ["patient_id", "note", "name", "phone", "city", "visits"]


def test_a_column_that_people_took_away_is_added_again(server: SheetsServer) -> None:
    for version in range(3):
        assert upsert(write_to(server), *numbered(2, version)) == ["done", "done"]
        server.people.delete_column("patients", "visits")

    assert upsert(write_to(server), *numbered(2)) == ["done", "done"]
    assert [row["visits"] for row in server.people.records("patients")] == [0, 1]


def test_a_lone_row_that_another_run_has_just_added_is_no_refusal(server: SheetsServer) -> None:
    upsert(write_to(server), *numbered(1))
    with watched(server) as (write, proxy):
        proxy.before(1, another(server, ("new", {"name": "Ana"})), path=":batchUpdate")
        assert upsert(write, ("new", {"name": "Ann"})) == ["done"]

    assert by_key(server.people.records("patients"))["new"]["name"] == "Ann"


def test_a_late_request_adds_no_row_where_a_person_emptied_the_old_one(server: SheetsServer) -> None:
    """The tag stays on the empty row. If it were taken for the new one, a late request would do so again."""
    upsert(write_to(server), *numbered(3))
    server.book.titled("patients").rows[2].cells.clear()
    with watched(server) as (write, proxy):
        proxy.before(1, another(server, *numbered(2, 1)[1:]), path=":batchUpdate")
        assert upsert(write, *numbered(2, 1)[1:]) == ["done"]

    assert len(by_key(server.people.records("patients"))) == 3
    assert upsert(write_to(server), *numbered(3, 2)) == ["done"] * 3
    assert len(by_key(server.people.records("patients"))) == 3


def test_a_tag_that_another_sheet_has_by_chance_stops_no_row(server: SheetsServer) -> None:
    write = write_to(server)
    upsert(write, *numbered(3))
    server.people.add_sheet("visits", [["patient_id"]])
    ours = server.book.titled("patients").id
    tags = [Tag(tag_id(ours, (f"p{at:05}",)), "f") for at in (3, 30)]
    server.book.titled("visits").rows[0].tags = tags
    before = server.counted["write"]

    assert set(upsert(write, *numbered(40, 1))) == {"done"}
    assert server.counted["write"] - before == 3
    assert set(upsert(write, *numbered(40, 2))) == {"done"}
    assert server.counted["write"] - before == 4
    assert len(by_key(server.people.records("patients"))) == 40
