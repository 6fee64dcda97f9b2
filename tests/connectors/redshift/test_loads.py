"""The ledger of loads: what is committed with its rows, what is overtaken, and what was in doubt."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
from pydantic import JsonValue

from connectors.errors import Transient, Unknown
from connectors.operation import Item
from connectors.redshift import Redshift, RedshiftCredentials, load
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.wire import Wire
from tests.connectors.bucket import moto
from tests.connectors.redshift.places import Warehouse
from tests.connectors.redshift.test_redshift import PATIENTS, upsert

STEPS = ["BEGIN", "INSERT", "DELETE", "COPY", "MERGE", "COMMIT"]
EXECUTE = "E\0\0\0\t"  # the message by which the driver has a prepared statement carried out


@contextmanager
def behind(warehouse: Warehouse, silence: int = 60) -> Iterator[tuple[Redshift, Wire]]:
    """A connector behind a wire of its own."""
    with Wire(("127.0.0.1", warehouse.stand_in.port)) as wire:
        made = RedshiftCredentials.model_validate({**warehouse.values(wire.port), "silence": silence})
        with closing(Redshift(made, [PATIENTS])) as redshift:
            redshift.prepare()
            yield redshift, wire


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("trouble", ["reset", "reset_applied", "hang_applied"])
def test_wherever_the_connection_is_lost_a_load_is_merged_once(
    warehouse: Warehouse, step: str, trouble: str
) -> None:
    rows: list[tuple[str, dict[str, JsonValue]]] = [("1", {"visits": 1}), ("2", {"visits": 2})]
    with behind(warehouse, silence=2) as (redshift, wire):
        upsert(redshift, ("1", {"visits": 0}))
        place = {"path": EXECUTE, "request": STEPS.index(step) + 1}
        wire.faults(Fault.model_validate({"trouble": trouble, "seconds": 3, **place}))
        try:
            outcomes = upsert(redshift, *rows)
        except Unknown:
            assert (step, trouble) == ("COMMIT", "reset"), "only then nobody can tell"
            outcomes = upsert(redshift, *rows)

        assert wire.troubles == 1
        assert [one.state for one in outcomes] == ["done", "done"]
        assert warehouse.rows("SELECT patient_id, visits FROM patients ORDER BY 1") == [("1", 1), ("2", 2)]
        assert warehouse.rows("SELECT row_count FROM _loads ORDER BY number") == [(1,), (2,)]


def test_a_load_that_was_overtaken_merges_nothing(warehouse: Warehouse) -> None:
    """It was held up on its way; a later load of the same rows went ahead, and stays."""
    with behind(warehouse) as (slow, wire), closing(warehouse.redshift(PATIENTS)) as quick:
        upsert(slow, ("1", {"visits": 1}))

        def ahead() -> None:
            upsert(quick, ("1", {"visits": 2}))
            upsert(quick, ("1", {"visits": 3}))

        wire.before(1, ahead, path="INSERT")
        before = len(warehouse.stand_in.writes)
        upsert(slow, ("2", {"visits": 9}))

        kinds = [one.split()[0] for one in warehouse.stand_in.writes[before:]]
        assert kinds.count("MERGE") == 3, "two ahead, and ours under a new number"
        assert kinds.count("INSERT") == 4
        assert warehouse.rows("SELECT patient_id, visits FROM patients ORDER BY 1") == [("1", 3), ("2", 9)]
        assert warehouse.rows("SELECT number FROM _loads ORDER BY 1") == [(1,), (2,), (3,), (4,)]


def test_two_loads_at_once_do_not_undo_each_other(warehouse: Warehouse) -> None:
    """Ours has begun when another one is committed: one of both is rolled back, and tried again."""
    with behind(warehouse) as (slow, wire), closing(warehouse.redshift(PATIENTS)) as quick:
        upsert(slow, ("1", {"visits": 1, "note": "a"}))
        wire.before(1, lambda: upsert(quick, ("1", {"note": "b"})) and None, path="MERGE")
        outcomes = upsert(slow, ("1", {"visits": 2}))

        assert [one.state for one in outcomes] == ["done"]
        assert warehouse.rows("SELECT visits, note FROM patients") == [(2, "b")]
        assert warehouse.rows("SELECT number FROM _loads ORDER BY 1") == [(1,), (2,), (3,)]


def test_what_an_earlier_load_left_in_the_stage_is_not_merged_again(warehouse: Warehouse) -> None:
    with behind(warehouse) as (redshift, _):
        upsert(redshift, ("1", {"visits": 1}))
        warehouse.run("UPDATE patients SET visits = 9")  # somebody else's
        upsert(redshift, ("2", {"visits": 2}))

        assert warehouse.rows("SELECT patient_id, visits FROM patients ORDER BY 1") == [("1", 9), ("2", 2)]


def test_what_a_broken_load_left_in_the_stage_is_not_merged(warehouse: Warehouse) -> None:
    with behind(warehouse) as (redshift, _):
        upsert(redshift, ("1", {"visits": 1}))
        warehouse.run("ALTER TABLE patients ALTER visits SET NOT NULL")
        assert [one.state for one in upsert(redshift, ("2", {"visits": None}))] == ["rejected"]
        upsert(redshift, ("3", {"visits": 3}))

        assert warehouse.rows("SELECT patient_id FROM patients ORDER BY 1") == [("1",), ("3",)]


def test_a_warehouse_that_is_away_is_waited_for(warehouse: Warehouse) -> None:
    with behind(warehouse) as (redshift, wire):
        upsert(redshift, ("1", {"visits": 1}))
        warehouse.stand_in.cut()
        assert [one.state for one in upsert(redshift, ("1", {"visits": 2}))] == ["done"]

        wire.faults(Fault(trouble="reset", times=None))
        with pytest.raises(Transient):
            upsert(redshift, ("1", {"visits": 3}))
        wire.faults()
        assert [one.state for one in upsert(redshift, ("1", {"visits": 3}))] == ["done"]


@pytest.mark.parametrize("trouble", ["503", "500_applied", "reset_applied", "html", "hang"])
def test_a_bucket_that_fails_holds_up_a_load(warehouse: Warehouse, trouble: str) -> None:
    with Proxy(moto.server()) as proxy:
        made = RedshiftCredentials.model_validate({**warehouse.values(), "url": proxy.url})
        with closing(Redshift(made, [PATIENTS])) as redshift:
            proxy.faults(Fault.model_validate({"trouble": trouble, "method": "PUT", "retry_after": "0"}))
            assert [one.state for one in upsert(redshift, ("1", {"visits": 1}))] == ["done"]
            proxy.faults(Fault.model_validate({"trouble": trouble, "times": None, "retry_after": "0"}))
            with pytest.raises(Transient):
                upsert(redshift, ("1", {"visits": 2}))

    assert warehouse.rows("SELECT visits FROM patients") == [(1,)]


def test_a_batch_that_is_refused_row_by_row_ends(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.redshift.target.SPLITS", 6)
    assert load.TRIES == 3
    with behind(warehouse) as (redshift, _):
        warehouse.run("ALTER TABLE patients ALTER visits SET NOT NULL")
        send: Callable[..., object] = redshift.writes()["upsert_patients"].send
        outcomes = send([Item(f"k{at}", f"p{at}", {"visits": None}) for at in range(50)])

        assert isinstance(outcomes, list) and len(outcomes) == 50
        assert {one.state for one in outcomes} == {"rejected", "transient"}
