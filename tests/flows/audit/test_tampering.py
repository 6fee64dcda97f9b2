"""Whoever changes the audit, in whatever way, is found; what cannot be told is said."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.ledger.audit import link
from tests.faults.conftest import new_database
from tests.flows.audit.chains import COLUMNS, Row, Written, disarm, other_value, with_value

RANDOM = {"sqlite": 500, "postgresql": 120}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def somewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    folder = tmp_path_factory.mktemp("written")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'ledger.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres"), "tampering")
    made = Written(url, folder)
    disarm(made.engine)
    yield made
    made.engine.dispose()


@pytest.fixture
def written(somewhere: Written) -> Iterator[Written]:
    yield somewhere
    somewhere.put(somewhere.whole)


def test_what_nobody_touched_is_whole(written: Written) -> None:
    assert written.found() == []
    assert len(written.whole) == 4 * 8 + 1


@pytest.mark.parametrize("name", COLUMNS)
def test_a_change_of_any_column_is_found(written: Written, name: str) -> None:
    place = 13  # in the middle of a chain
    row = written.whole[place]
    value = row[COLUMNS.index(name)]
    changed = 99 if name == "seq" else "changed" if isinstance(value, str) and name != "at" else None
    if changed is None:
        changed = other_value(value, random.Random(1)) if not isinstance(value, str) else _later(value)
    written.put([*written.whole[:place], with_value(row, name, changed), *written.whole[place + 1 :]])

    found = written.found()

    assert found
    assert {found[0].tenant, found[0].integration} <= {"acme", "crm", "changed"}


def _later(stored: str) -> str:
    return (datetime.fromisoformat(stored) + timedelta(seconds=1)).isoformat(sep=" ")


def test_where_and_what_is_told(written: Written) -> None:
    written.put([*written.whole[:10], *written.whole[11:]])

    (finding,) = written.found()

    assert str(finding) == "acme/crm: event 3 is missing"


def test_a_missing_end_is_found_by_the_anchor_alone(written: Written) -> None:
    written.put([*written.whole[:13], *written.whole[16:]])

    assert written.found(anchored=False) == []
    assert [str(one) for one in written.found()] == [
        "acme/crm: event 6 is missing at the end, and 2 after it: the anchor outside of the ledger knows 8"
    ]


def test_a_missing_chain_is_found_by_the_anchor_alone(written: Written) -> None:
    written.put([*written.whole[:8], *written.whole[16:]])

    assert [(one.integration, one.seq) for one in written.found()] == [("crm", 1)]


def test_an_end_that_was_cut_off_and_written_anew_is_found(written: Written) -> None:
    """Somebody who holds the key, and a backup of before: the chain fits, the anchor does not."""
    other = with_value(written.whole[15], "count", 4711)
    event = dict(zip(COLUMNS, other, strict=True))
    at = event["at"]
    moment = datetime.fromisoformat(at + "+00:00") if isinstance(at, str) else at
    assert isinstance(moment, datetime)
    forged = link(written.key, str(written.whole[14][-1]), event, moment.astimezone(UTC))
    written.put([*written.whole[:15], with_value(other, "chain", forged), *written.whole[16:]])

    assert written.found(anchored=False) == []
    assert [str(one) for one in written.found()] == [
        "acme/crm: event 8 is not the one that the anchor outside of the ledger knows"
    ]


def _change(rows: list[Row], draw: random.Random) -> list[Row]:
    at = draw.randrange(len(rows))
    name = draw.choice(COLUMNS)
    value = rows[at][COLUMNS.index(name)]
    if name == "at":
        other: object = _later(value) if isinstance(value, str) else other_value(value, draw)
    else:
        other = value + 1000 if name == "seq" and isinstance(value, int) else other_value(value, draw)
    return [*rows[:at], with_value(rows[at], name, other), *rows[at + 1 :]]


def _remove(rows: list[Row], draw: random.Random) -> list[Row]:
    at = draw.randrange(len(rows))
    return rows[:at] + rows[at + draw.randint(1, 5) :]


def _swap(rows: list[Row], draw: random.Random) -> list[Row]:
    """Two events take each other's places."""
    one, other = draw.sample(range(len(rows)), 2)
    swapped = list(rows)
    swapped[one] = (*rows[one][:3], *rows[other][3:])
    swapped[other] = (*rows[other][:3], *rows[one][3:])
    return swapped


def _close_gap(rows: list[Row], draw: random.Random) -> list[Row]:
    """An event is taken out and the ones after it move up."""
    at = draw.randrange(len(rows) - 1)
    chain = rows[at][:2]
    seq = COLUMNS.index("seq")
    return [
        with_value(row, "seq", int(str(row[seq])) - 1) if row[:2] == chain and number > at else row
        for number, row in enumerate(rows)
        if number != at
    ]


def _copy(rows: list[Row], draw: random.Random) -> list[Row]:
    """An event of one chain is put at the end of another, or of its own."""
    row, (tenant, integration) = draw.choice(rows), draw.choice(rows)[:2]
    return [*rows, (tenant, integration, 9, *row[3:])]


def _put_in(rows: list[Row], draw: random.Random) -> list[Row]:
    """An event is put in, and the ones after it move down."""
    at = draw.randrange(len(rows))
    seq = COLUMNS.index("seq")
    new = with_value(rows[at], "subject", f"{draw.getrandbits(128):032x}")
    moved = [
        with_value(row, "seq", int(str(row[seq])) + 1) if row[:2] == rows[at][:2] and number >= at else row
        for number, row in enumerate(rows)
    ]
    return [*moved[:at], new, *moved[at:]]


MANIPULATIONS: tuple[Callable[[list[Row], random.Random], list[Row]], ...] = (
    _change, _remove, _swap, _close_gap, _copy, _put_in,
)  # fmt: skip


def test_random_manipulations_are_all_found(written: Written) -> None:
    draw, missed, done = random.Random(7), list[str](), 0
    while done < RANDOM[written.engine.dialect.name]:
        manipulate = draw.choice(MANIPULATIONS)
        rows = manipulate(list(written.whole), draw)
        if sorted(map(str, rows)) == sorted(map(str, written.whole)):
            continue
        written.put(rows)
        if not written.found():
            missed.append(f"{done} {manipulate.__name__}")
        done += 1

    assert missed == []
    written.put(written.whole)
    assert written.found() == []


def test_the_database_refuses_to_change_or_remove_an_event(ledger_url: str, tmp_path: Path) -> None:
    made = Written(ledger_url, tmp_path, events=3)
    statements = [
        "UPDATE audit SET count = 9 WHERE seq = 2",
        "UPDATE audit SET count = count",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 2"
        if made.engine.dialect.name == "sqlite"
        else "TRUNCATE audit",
    ]
    for statement in statements:
        refusal = pytest.raises(sa.exc.DBAPIError, match="the audit is append-only")
        with refusal, made.engine.begin() as connection:
            connection.execute(sa.text(statement))

    assert made.rows() == made.whole
    made.engine.dispose()
