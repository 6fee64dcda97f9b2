"""People sort, insert, delete and move while Ferry writes: nobody's values land in another's row."""

import itertools
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pydantic import JsonValue

from connectors.errors import Transient
from connectors.operation import Write
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.sheets import SheetsServer
from connectors.sheets import Sheets, SheetsCredentials
from tests.campaign import FULL
from tests.connectors.sheets.rows import HEADER, PATIENTS, by_key, numbered, upsert, write_to

ACTS = ("sort", "reverse", "insert", "delete", "own")
MOMENTS = (":getByDataFilter", ":batchUpdate", "values:batchUpdateByDataFilter")
NOTES = "note"
_headings = itertools.count()


@contextmanager
def watched(server: SheetsServer) -> Iterator[tuple[Write, Proxy]]:
    """The write, and a proxy by which something can happen between two of its requests."""
    with Proxy(server.url) as proxy:
        credentials = SheetsCredentials.model_validate({**server.values, "url": proxy.url})
        yield Sheets(credentials, [PATIENTS]).writes()["upsert_patients"], proxy


def a_sheet(server: SheetsServer, count: int = 12) -> None:
    """Rows, each with a person's own note beside it that names the patient."""
    write = write_to(server)
    upsert(write, *numbered(count))
    server.people.type("patients", 0, len(HEADER), NOTES)
    for row in range(1, count + 1):
        key = server.people.look("patients")[row][0]
        server.people.type("patients", row, len(HEADER), f"about {key}")


def act(server: SheetsServer, what: str) -> None:
    people = server.people
    if what == "sort":
        people.sort("patients", "visits", down=True)
    elif what == "reverse":
        people.sort("patients", "patient_id", down=True)
    elif what == "insert":
        people.insert_row("patients", 1)
        people.insert_row("patients", 5, [f"heading {next(_headings)}"])
    elif what == "delete":
        people.delete_row("patients", 2)
    else:
        people.insert_row("patients", 1, ["'p00003x", "a neighbour", None, None, "about p00003x"])


def check_notes(server: SheetsServer) -> None:
    """Every person's note is still beside the patient that it is about."""
    for row in server.people.records("patients"):
        if "note" in row and row.get("patient_id") is not None:
            assert row["note"] == f"about {row['patient_id']}"


@pytest.mark.parametrize("tags_follow", [True, False])
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", ACTS)
def test_an_act_in_the_middle_of_a_batch(
    server: SheetsServer, what: str, moment: str, tags_follow: bool
) -> None:
    server.people.tags_follow = tags_follow
    a_sheet(server)
    rows = [*numbered(12, 7)[::2], ("new1", {"name": "New", "visits": 50}), ("new2", {"visits": 51})]
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: act(server, what), path=moment)
        first = upsert(write, *rows)
        outcomes = upsert(write, *rows)

    assert {*first, *outcomes} <= {"done", "unknown no_answer_for_item"}
    assert set(outcomes) == {"done"}
    found = by_key(server.people.records("patients"))
    for patient, values in rows:
        assert {name: found[patient][name] for name in values} == dict(values)
    for patient, values in numbered(12)[1::2]:
        assert patient not in found or {name: found[patient][name] for name in values} == dict(values)
    if what == "own":
        assert found["p00003x"] == {"patient_id": "p00003x", "name": "a neighbour", "note": "about p00003x"}
    check_notes(server)


@pytest.mark.parametrize("tags_follow", [True, False])
def test_any_acts_at_any_moments(server: SheetsServer, tags_follow: bool) -> None:
    """Batch after batch while people work: each row is its patient's, and holds what was sent last."""
    server.people.tags_follow = tags_follow
    a_sheet(server, 30)
    expected: dict[str, dict[str, JsonValue]] = {key: dict(values) for key, values in numbered(30)}
    chance = random.Random(11)
    with watched(server) as (write, proxy):
        for round_ in range(500 if FULL else 40):
            rows = chance.sample(numbered(40, round_), 8)
            for _ in range(2):
                what, moment = chance.choice(("sort", "reverse", "insert")), chance.choice(MOMENTS)
                proxy.before(1, lambda what=what: act(server, what), path=moment)  # type: ignore[misc]
            outcomes = upsert(write, *rows)
            if set(outcomes) != {"done"}:
                proxy.faults()
                outcomes = upsert(write, *rows)
            assert set(outcomes) == {"done"}
            expected |= {key: dict(values) for key, values in rows}
            found = by_key(server.people.records("patients"))
            assert {
                key: {name: found[key][name] for name in values} for key, values in expected.items()
            } == expected
            check_notes(server)


def sort_and_insert(server: SheetsServer) -> None:
    act(server, "sort")
    act(server, "insert")


@pytest.mark.parametrize("tags_follow", [True, False])
def test_sorted_between_two_runs(server: SheetsServer, tags_follow: bool) -> None:
    server.people.tags_follow = tags_follow
    a_sheet(server)
    sort_and_insert(server)
    before = server.counted["write"]

    assert set(upsert(write_to(server), *numbered(12, 3))) == {"done"}
    found = by_key(server.people.records("patients"))
    assert {key: found[key]["name"] for key, _ in numbered(12)} == {key: "Name 3" for key, _ in numbered(12)}
    check_notes(server)
    assert server.counted["write"] - before <= 2


def test_a_row_that_was_deleted_comes_back_and_its_neighbours_stay(server: SheetsServer) -> None:
    a_sheet(server)
    server.people.delete_row("patients", 3)

    assert set(upsert(write_to(server), *numbered(12, 1))) == {"done"}
    assert len(by_key(server.people.records("patients"))) == 12
    check_notes(server)


def test_a_key_that_a_person_changed_is_no_longer_that_patients_row(server: SheetsServer) -> None:
    a_sheet(server, 3)
    server.people.type("patients", 2, 0, "'someone")

    assert set(upsert(write_to(server), *numbered(3, 1))) == {"done"}
    found = by_key(server.people.records("patients"))
    assert found["someone"]["name"] == "Name 0"
    assert found["p00001"] == {"patient_id": "p00001", "name": "Name 1", "visits": 2}


COLUMNS: list[tuple[str, Callable[[SheetsServer], None]]] = [
    ("blank before all", lambda server: server.people.insert_column("patients", 0)),
    ("blank in between", lambda server: server.people.insert_column("patients", 2)),
    ("named in between", lambda server: server.people.insert_column("patients", 1, "mine")),
    ("taken away", lambda server: server.people.delete_column("patients", "phone")),
]


@pytest.mark.parametrize(("what", "move"), COLUMNS, ids=[name for name, _ in COLUMNS])
def test_a_column_comes_or_goes_in_the_middle_of_a_batch(
    server: SheetsServer, what: str, move: Callable[[SheetsServer], None]
) -> None:
    a_sheet(server)
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: move(server), path="values:batchUpdateByDataFilter")
        if what == "taken away":
            with pytest.raises(Transient, match="people change the header"):
                upsert(write, *numbered(6, 5))
        else:
            assert upsert(write, *numbered(6, 5)) == ["done"] * 6
        assert upsert(write, *numbered(6, 5)) == ["done"] * 6

    found = by_key(server.people.records("patients"))
    for patient, values in itertools.chain(numbered(6, 5), numbered(12)[6:]):
        assert {name: found[patient][name] for name in values} == dict(values)
    assert all(found[patient].keys() <= {*HEADER, NOTES} for patient, _ in numbered(12))
    check_notes(server)


@pytest.mark.parametrize(("what", "move"), COLUMNS, ids=[name for name, _ in COLUMNS])
def test_a_column_comes_or_goes_in_the_moment_that_rows_are_added(
    server: SheetsServer, what: str, move: Callable[[SheetsServer], None]
) -> None:
    a_sheet(server)
    rows = numbered(18, 5)[12:]
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: move(server), path=":batchUpdate")
        if what == "taken away":
            with pytest.raises(Transient, match="people change the header"):
                upsert(write, *rows)
        else:
            assert upsert(write, *rows) == ["done"] * 6
        assert upsert(write, *rows) == ["done"] * 6

    found = by_key(server.people.records("patients"))
    for patient, values in itertools.chain(rows, numbered(12)):
        assert {name: found[patient][name] for name in values} == dict(values)
    assert all(found[patient].keys() == {"patient_id", "name", "visits"} for patient, _ in rows)
    check_notes(server)


def test_a_write_whose_column_was_taken_away_is_refused_as_a_whole(server: SheetsServer) -> None:
    """It would have met the person's formulas beside it, which nobody could give back."""
    a_sheet(server, 4)
    for row in range(1, 5):
        server.people.type("patients", row, len(HEADER), f"=A{row}")
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: server.people.delete_column("patients", "phone"), path="values:")
        with pytest.raises(Transient):
            upsert(write, *numbered(4, 1))
    notes = [row["note"] for row in server.people.records("patients")]

    assert notes == [f"=A{row}" for row in range(1, 5)]
    assert {row["name"] for row in server.people.records("patients")} == {"Name 0"}


def test_what_a_moved_column_met_and_cannot_be_known_is_told(server: SheetsServer) -> None:
    """A person's column without a name is beside ours: what was in it is not guessed at."""
    server.people.add_sheet("patients", [["patient_id", None, "name", "visits"], ["'1", "mine", "Ana", 1]])
    upsert(write_to(server), ("1", {"visits": 2}))
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: server.people.insert_column("patients", 1), path="values:")
        outcomes = upsert(write, ("1", {"name": "Ana B"}))

    assert outcomes == ["rejected columns_were_moved"]
    assert by_key(server.people.records("patients"))["1"]["name"] == "Ana B"


def test_a_formula_that_was_sorted_into_a_rows_place_is_told(server: SheetsServer) -> None:
    a_sheet(server, 4)
    server.people.type("patients", 4, HEADER.index("visits"), "=1+1")
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: act(server, "reverse"), path="values:")
        outcomes = upsert(write, *numbered(1, 9))

    assert outcomes == ["rejected row_was_moved"]
    assert by_key(server.people.records("patients"))["p00000"]["visits"] == 9


def test_what_a_row_is_owed_is_given_back_after_a_refusal_too(server: SheetsServer) -> None:
    """Sorted in the moment of the write, and the next look is refused: the look after that one pays."""
    a_sheet(server)
    with watched(server) as (write, proxy):
        proxy.before(1, lambda: act(server, "reverse"), path="values:")
        proxy.before(2, lambda: setattr(server, "forbidden", "gridRange"), path=":getByDataFilter")
        proxy.before(3, lambda: setattr(server, "forbidden", ""), path=":getByDataFilter")
        outcomes = upsert(write, *numbered(2, 9))

    assert outcomes == ["done", "done"]
    found = by_key(server.people.records("patients"))
    for patient, values in itertools.chain(numbered(2, 9), numbered(12)[2:]):
        assert {name: found[patient][name] for name in values} == dict(values)


def test_a_renamed_sheet_is_still_written_in_the_middle_of_a_run_and_in_the_next_one(
    server: SheetsServer,
) -> None:
    write = write_to(server)
    upsert(write, *numbered(2))
    server.people.rename_sheet("patients", "Patients of mine")

    assert upsert(write, *numbered(2, 1)) == ["done", "done"]
    assert upsert(write_to(server), *numbered(2, 2)) == ["done", "done"]
    assert [row["name"] for row in server.people.records("Patients of mine")] == ["Name 2", "Name 2"]
    assert len(server.book.sheets) == 1
