"""A stage over databases, warehouses and buckets: the before and the refusals are theirs, and nothing leaves.

What is true of each is held against what the live connector does in the same world afterwards.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from connectors.base import Connector
from connectors.errors import Denied
from connectors.operation import Delivery, Item, Outcome
from flows.ledger.store import Ledger
from flows.staging import Stage
from flows.systems import SYSTEMS
from tests.connectors.every import Case, Sample, World, cases
from tests.connectors.nasty import KEYS, TEXTS, UNSTORABLE
from tests.connectors.sql.case import MARIADB
from tests.flows.ledgers import held

OURS = ("bigquery", "mongodb", "probe", "redshift", "s3", "sql")
CASES = [one for one in cases() if one.system in OURS]
NASTY = [
    *({"full_name": text} for text in (*TEXTS, *UNSTORABLE, "x" * 1_000_001)),
    *({"visits": number} for number in (2**53 + 1, 2**63 - 1, 2**63, -(2**63), 1.5, "1", True, None)),
    *({"balance": text} for text in ("0.1234567891", "1e5", "9" * 29, "9" * 30, "0.12345678", 7)),
    *({"active": value} for value in (None, "true", 0)),
    *({"born_on": day} for day in ("1000-01-01", "0999-12-31", "20260101", None)),
    *({"seen_at": at} for at in ("2026-03-01T12:00:00.000001Z", "2026-03-01T12:00:00", None)),
    {"invented": "x"},
]


@pytest.fixture(params=[*CASES, MARIADB], ids=lambda one: one.name)
def case(request: pytest.FixtureRequest) -> Case:
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture
def world(case: Case, tmp_path: Path) -> Iterator[World]:
    folder = tmp_path / "world"
    folder.mkdir()
    with case.opened(folder) as opened:
        yield opened


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with closing(held(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path)) as opened:
        yield opened


def image(case: Case, world: World) -> Connector:
    make = SYSTEMS[case.system].target
    assert make is not None
    return make(world.values, [world.table] if world.table else [], world.options, read_only=True)


@contextmanager
def untouched(world: World) -> Iterator[None]:
    """The system holds what it held, and was sent no write."""
    names = [sample.write for sample in world.samples]
    before = {name: world.records(name) for name in names}, world.writes() if world.writes else 0
    yield
    assert ({name: world.records(name) for name in names}, world.writes() if world.writes else 0) == before


def upsert(world: World) -> Sample:
    with closing(world.connect()) as connector:
        kinds = {name: write.delivery for name, write in connector.writes().items()}
    return next(one for one in world.samples if kinds[one.write] is Delivery.UPSERT)


def sent(world: World, name: str, items: Sequence[Item]) -> dict[str, str]:
    """What becomes of the items in the system itself."""
    with closing(world.connect()) as connector:
        return spoken(connector.writes()[name].send(items))


def spoken(outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {one.key: f"{one.state} {one.code}".strip() for one in outcomes}


def test_before_the_first_write_nothing_is_there_and_nothing_is_made(
    case: Case, world: World, book: Ledger
) -> None:
    sample = upsert(world)
    with untouched(world), closing(image(case, world)) as reading:
        present = reading.writes()[sample.write].present
        assert present is not None
        assert present([sample.item(0)]) == {sample.item(0).key: None}
    every_write_is_refused_where_it_would_leave(case, world)

    found = staged(case, world, book, sample.write, nasty(world))

    assert found == sent(world, sample.write, nasty(world))
    assert len({code for code in found.values() if code != "done"}) > 1


def test_the_before_and_the_refusals_are_its_own_and_nothing_is_written(
    case: Case, world: World, book: Ledger
) -> None:
    sample = upsert(world)
    sent(world, sample.write, [sample.item(record) for record in range(3)])
    items = [sample.item(0, 1), sample.item(9)]
    with closing(world.connect()) as connector:
        theirs, account = connector.writes()[sample.write].present, connector.check()
        assert theirs is not None
        before = theirs(items)

    with untouched(world), closing(Stage("t", image(case, world), book)) as stage:
        assert stage.check() == account
        write = stage.writes()[sample.write]
        assert write.present is not None
        assert write.present(items) == before
        assert set(spoken(write.send(items)).values()) == {"done"}
        after = write.present(items)

    assert before[items[0].key] is not None and before[items[1].key] is None
    assert after == {item.key: item.arguments for item in items}
    every_write_is_refused_where_it_would_leave(case, world)
    found = staged(case, world, book, sample.write, nasty(world))
    assert found == sent(world, sample.write, nasty(world))
    what_a_changed_table_does_not_take_is_refused_with_its_own_code(case, world, book)


def what_a_changed_table_does_not_take_is_refused_with_its_own_code(
    case: Case, world: World, book: Ledger
) -> None:
    if world.alter is None:
        return  # a system whose records have one shape
    sample = upsert(world)
    world.alter()
    items = [
        sample.item(0, 3),
        sample.item(7, 3),
        Item("one", "p1", {"visits": 3}),
        Item("new", "p8", {"visits": 3}),
    ]

    found = staged(case, world, book, sample.write, items)

    assert found == {item.key: sent(world, sample.write, [item])[item.key] for item in items}


def every_write_is_refused_where_it_would_leave(case: Case, world: World) -> None:
    for sample in world.samples:
        with untouched(world), closing(image(case, world)) as reading:
            with pytest.raises(Denied) as denied:
                reading.writes()[sample.write].send([sample.item(1, 2)])
            assert denied.value.code == "read_only"


def nasty(world: World) -> list[Item]:
    if world.table is None:
        texts = (*TEXTS, *UNSTORABLE)
        return [Item(f"n{at}", "p1", {"last_name": text}) for at, text in enumerate(texts)]
    keys = (*KEYS, "", " a", "x" * 201, "nul\0", "\ud800")
    rows = [(f"n{at}", values) for at, values in enumerate(NASTY)]
    return [
        Item(f"k{at}", key, values) for at, (key, values) in enumerate([*rows, *((one, {}) for one in keys)])
    ]


def staged(case: Case, world: World, book: Ledger, name: str, items: Sequence[Item]) -> dict[str, str]:
    """What becomes of the items in a stage, which leaves the system as it is."""
    with untouched(world), closing(Stage("t", image(case, world), book)) as stage:
        return spoken(stage.writes()[name].send(items))
