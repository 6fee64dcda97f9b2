"""A stage over targets in which people work: before and refusals are theirs, and nothing is written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import JsonValue

from connectors.errors import Denied
from connectors.operation import Item, Outcome, Write
from flows.ledger.store import Ledger
from flows.staging import Stage
from tests.connectors.nasty import KEYS, LONG, TEXTS, UNSTORABLE
from tests.flows.ledgers import held
from tests.flows.staging.places import PEOPLE, PLACES, TABLE, Place, person, untouched

Row = tuple[str, Mapping[str, JsonValue]]
WRITE = TABLE.write
NASTY: Sequence[Mapping[str, JsonValue]] = [
    *({"name": text} for text in (*TEXTS, *LONG, *UNSTORABLE, "x" * 1_000_001)),
    *({"status": text} for text in ("", "a\nb", " new")),
    *({"visits": number} for number in (2**53, 2**63 - 1, 2**63, -(2**63), 1.5, "1", True)),
    *(
        {"balance": text}
        for text in ("0.1234567891", "1e5", "12345678901234567.5", "9" * 30, "0.12345678", 7)
    ),
    *({"active": value} for value in (None, "true", 0)),
    *({"born_on": day} for day in ("1000-01-01", "0999-12-31", "1899-12-31", "1904-01-02", "20260101", None)),
    *(
        {"seen_at": at}
        for at in ("2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00", "9999-12-31T23:59:59Z")
    ),
    *({"notes": value} for value in ({"a": "x" * 40_000}, ["x"] * 70_000, "", "nul\0")),
    {"invented": "x"},
]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "practice"
    folder.mkdir()
    with PLACES[request.param](folder) as opened:
        yield opened


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


@contextmanager
def staged(place: Place, ledger: Ledger) -> Iterator[Write]:
    with closing(Stage("desk", place.image(), ledger)) as stage:
        yield stage.writes()[WRITE]


def items_of(rows: Sequence[Row]) -> list[Item]:
    return [Item(f"k{at}", patient, values) for at, (patient, values) in enumerate(rows)]


def carried(place: Place, rows: Sequence[Row] = PEOPLE) -> dict[str, str]:
    """What becomes of these rows at the target itself."""
    with closing(place.real()) as connector:
        return spoken(connector.writes()[WRITE].send(items_of(rows)))


def spoken(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {one.key: f"{one.state} {one.code}".strip() for one in outcomes}


def test_the_before_is_what_people_keep_there_and_nothing_is_written(place: Place, kept: Ledger) -> None:
    carried(place)
    place.rename("p1", "By Hand")
    rows = [person("p1", "Staged", visits=2), person("p9", "New")]
    with untouched(place), staged(place, kept) as write:
        assert write.present is not None
        before = write.present(items_of(rows))
        outcomes = write.send(items_of(rows))
        after = write.present(items_of(rows))

    assert before == {"k0": {**PEOPLE[1][1], "name": "By Hand"}, "k1": None}
    assert spoken(outcomes) == {"k0": "done", "k1": "done"}
    assert after == {"k0": rows[0][1], "k1": rows[1][1]}


def test_what_only_reads_is_refused_every_write(place: Place) -> None:
    for rows in (PEOPLE, [person("p0", "Changed"), person("p8")]):
        with untouched(place), closing(place.image()) as reading:
            with pytest.raises(Denied) as denied:
                reading.writes()[WRITE].send(items_of(rows))
            assert denied.value.code == "read_only"
        carried(place)


def test_it_is_the_same_account(place: Place) -> None:
    carried(place)
    with closing(place.real()) as real, untouched(place), closing(place.image()) as reading:
        assert reading.check() == real.check()


@pytest.mark.parametrize("there", [False, True], ids=["not there yet", "there"])
def test_what_the_target_cannot_hold_is_refused_with_its_code(
    place: Place, kept: Ledger, there: bool
) -> None:
    if there:
        carried(place)
    rows = [(f"n{at}", values) for at, values in enumerate(NASTY)]
    rows += [(key, {"name": "x"}) for key in (*KEYS, "", " a", "x" * 201, "nul\0", "\ud800")]
    with untouched(place), staged(place, kept) as write:
        found = spoken(write.send(items_of(rows)))

    real = carried(place, rows)
    assert found == real
    assert len({code for code in found.values() if code != "done"}) > 6


def test_what_people_did_there_is_refused_with_its_code(place: Place, tmp_path: Path) -> None:
    rows = [
        *(person(f"p{at}", "Changed", visits=2) for at in range(3)),
        person("p8", status="old", balance="2"),
        ("p9", {"name": "Bo"}),
        ("p3", {"active": None}),
        ("p2", {"name": "Twice"}),
    ]
    told: set[str] = set()
    for at, what in enumerate(place.acts):
        folder = tmp_path / str(at)
        folder.mkdir()
        with PLACES[place.system](folder) as spoiled, closing(_ledger(folder)) as ledger:
            carried(spoiled)
            spoiled.acts[what]()
            with untouched(spoiled), staged(spoiled, ledger) as write:
                found = spoken(write.send(items_of(rows)))

            assert found == carried(spoiled, rows), what
            told |= set(found.values())
    assert {code.removeprefix("rejected ") for code in told - {"done"}} >= CODES[place.system]


def test_a_sheet_has_no_more_room_in_a_stage(tmp_path: Path, kept: Ledger) -> None:
    folder = tmp_path / "practice"
    folder.mkdir()
    with PLACES["sheets"](folder) as place:
        carried(place)
        place.acts["room for one row"]()
        rows = [person("p8"), person("p9"), person("p1", "Changed")]
        with untouched(place), staged(place, kept) as write:
            found = [spoken(write.send(items_of([row]))) for row in rows]

        assert found == [carried(place, [row]) for row in rows]
        assert found == [{"k0": "done"}, {"k0": "rejected sheet_full"}, {"k0": "done"}]


CODES = {
    "csv": {"bad_file", "schema_drift"},
    "excel": {
        "doubled_key",
        "formula_there",
        "formula_in_key",
        "merged_cell",
        "would_be_lost",
        "schema_drift",
    },
    "sheets": {"sheet_full", "duplicate_key", "holds_formula", "schema_drift"},
    "airtable": {"doubled_key", "schema_drift", "unknown_choice", "null_as_false", "too_precise"},
}


def _ledger(folder: Path) -> Ledger:
    beside = folder.parent / f"ledger of {folder.name}"
    beside.mkdir()
    return held(f"sqlite:///{beside / 'ledger.db'}", beside)


def test_the_stage_takes_the_targets_batches(place: Place, kept: Ledger) -> None:
    with closing(place.real()) as real, staged(place, kept) as write:
        assert write.batch == real.writes()[WRITE].batch
