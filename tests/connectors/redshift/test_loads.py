"""The ledger of loads: what is committed with its rows, what is overtaken, and what was in doubt."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Literal

import pytest
from pydantic import JsonValue

from connectors.errors import Denied, Transient, Unknown
from connectors.operation import Item, Outcome
from connectors.redshift import Redshift, RedshiftCredentials, load
from connectors.sandbox.faults import Fault
from connectors.sandbox.proxy import Proxy
from connectors.sandbox.wire import Wire
from tests.connectors.asked import loudest
from tests.connectors.bucket import moto
from tests.connectors.every import MARK
from tests.connectors.redshift.places import Warehouse
from tests.connectors.redshift.test_redshift import PATIENTS, upsert

__all__ = ["loudest"]
STEPS = ["BEGIN", "UPDATE", "DELETE", "COPY", "MERGE", "COMMIT"]
Isolation = Literal["repeatable read", "serializable"]
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
        assert warehouse.rows("SELECT target, row_count FROM _loads") == [("patients", 2)]


def test_a_load_that_was_overtaken_merges_nothing(warehouse: Warehouse) -> None:
    """It was held up on its way; a later load of the same rows went ahead, and stays."""
    with behind(warehouse) as (slow, wire), closing(warehouse.redshift(PATIENTS)) as quick:
        upsert(slow, ("1", {"visits": 1}))

        def ahead() -> None:
            upsert(quick, ("1", {"visits": 2}))
            upsert(quick, ("1", {"visits": 3}))

        wire.before(1, ahead, path="UPDATE")
        before = len(warehouse.stand_in.writes)
        upsert(slow, ("2", {"visits": 9}))

        kinds = [one.split()[0] for one in warehouse.stand_in.writes[before:]]
        assert kinds.count("MERGE") == 3, "two ahead, and ours under a new number"
        assert kinds.count("UPDATE") == 4
        assert warehouse.rows("SELECT patient_id, visits FROM patients ORDER BY 1") == [("1", 3), ("2", 9)]
        assert warehouse.rows("SELECT number FROM _loads") == [(4,)]


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_of_two_loads_at_once_one_waits_for_the_other(warehouse: Warehouse, isolation: Isolation) -> None:
    """Nothing in the warehouse forbids a second row of one key, and no snapshot shows the other's."""
    warehouse.stand_in.isolation = isolation
    with behind(warehouse) as (slow, wire), closing(warehouse.redshift(PATIENTS)) as quick:
        upsert(slow, ("1", {}))
        told: list[Outcome] = []
        other = threading.Thread(target=lambda: told.extend(upsert(quick, ("2", {"note": "b"}))))

        def beside() -> None:
            other.start()
            while other.is_alive() and not warehouse.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                time.sleep(0.01)

        wire.before(1, beside, path="MERGE")
        told += upsert(slow, ("2", {"visits": 2}))
        other.join()

        assert [one.state for one in told] == ["done"] * 2
        rows = warehouse.rows("SELECT patient_id, visits, note FROM patients ORDER BY 1")
        assert rows == [("1", None, None), ("2", 2, "b")]
        assert warehouse.rows("SELECT number FROM _loads") == [(3,)]


def test_a_commit_that_fails_for_no_known_reason_is_looked_up(warehouse: Warehouse) -> None:
    with closing(warehouse.redshift(PATIENTS)) as redshift:
        upsert(redshift, ("1", {"visits": 1}))
        warehouse.run(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'internal' USING ERRCODE = 'XX000'; END $$",
            "CREATE CONSTRAINT TRIGGER fail AFTER UPDATE ON patients DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION fail()",
        )
        with pytest.raises(Unknown):
            upsert(redshift, ("1", {"visits": 2}))
        warehouse.run("DROP TRIGGER fail ON patients")

        assert [one.state for one in upsert(redshift, ("1", {"visits": 2}))] == ["done"]
        assert warehouse.rows("SELECT visits FROM patients") == [(2,)]


def test_a_name_that_is_not_known_when_a_load_is_in_doubt_leaves_it_in_doubt(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with behind(warehouse) as (redshift, wire):
        upsert(redshift, ("1", {"visits": 0}))
        wire.faults(Fault(trouble="reset_applied", path=EXECUTE, request=STEPS.index("COMMIT") + 1))
        wire.before(
            STEPS.index("COMMIT") + 1,
            lambda: monkeypatch.setattr(socket, "getaddrinfo", _nobody),
            path=EXECUTE,
        )
        with pytest.raises(Unknown):
            upsert(redshift, ("1", {"visits": 1}))
        monkeypatch.undo()

    assert warehouse.rows("SELECT visits FROM patients") == [(1,)]


def _nobody(*_: object, **__: object) -> object:
    raise socket.gaierror(-2, "Name or service not known")


def test_a_warehouse_in_a_private_network_is_spoken_to(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resolver is the outside system here. It knows the name only once: nothing is connected to."""
    values = {**warehouse.values(), "warehouse": "https://one.example.com:5439"}
    with closing(Redshift(RedshiftCredentials.model_validate(values), [PATIENTS])) as redshift:
        for address, error in (("10.1.2.3", Transient), ("169.254.169.254", Denied), ("127.0.0.1", Denied)):
            answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 5439))]]
            monkeypatch.setattr(
                socket,
                "getaddrinfo",
                lambda *_, **__: answers.pop() if answers else _nobody(),  # noqa: B023
            )
            with pytest.raises(error):
                redshift.drift()
            assert answers == []


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
            applied = Fault(trouble="500_applied", method="PUT", times=None)
            proxy.faults(applied)
            with pytest.raises(Transient):
                upsert(redshift, ("1", {"visits": 2}))

    assert warehouse.rows("SELECT visits FROM patients") == [(1,)]
    assert moto.keys(warehouse.bucket) == [], "what may have been put is taken away"


def test_what_the_warehouse_says_of_a_row_is_not_logged(
    warehouse: Warehouse, loudest: pytest.LogCaptureFixture
) -> None:
    """Its error quotes the whole row, and its library logs the error."""
    with closing(warehouse.redshift(PATIENTS)) as redshift:
        redshift.prepare()
        warehouse.run("ALTER TABLE patients ALTER visits SET NOT NULL")
        assert [one.state for one in upsert(redshift, ("1", {"note": MARK, "visits": None}))] == ["rejected"]

    values = warehouse.values()
    told = [record.getMessage() for record in loudest.records]
    for word in (MARK, values["copy_role"], values["password"], values["secret_access_key"]):
        assert not any(word in one for one in told)


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
