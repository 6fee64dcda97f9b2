"""A target answers badly: classes A, B and C 0 lost 0 doubled, D at most once and every doubt listed."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connectors.sandbox.healthie import StandIn
from connectors.sandbox.probe import Faults, Scripted
from connectors.sandbox.probe.faults import FaultName
from tests.campaign import FULL
from tests.faults.scenes import awake, blind_mismatches, ended, rename, unplanned_effects
from tests.faults.terminal import ferry
from tests.faults.world import Practice, Tally, tally

Make = Callable[[str], Practice]

IN_DOUBT: tuple[FaultName, ...] = (
    "500_before", "502_after", "reset_before", "reset_after", "hang_after", "truncated", "html",
)  # fmt: skip
CLASSES = ("keyed_charge", "upsert_contact", "create_order", "send_event")
"""One write of each class A, B, C, D: the first four requests to the probe, in this order."""
SCRIPTS = [(1, 2, 3, 4)] + ([(1,), (2,), (3,), (4,), (1, 2, 3, 4, 5, 6)] if FULL else [])
CLEAN = Tally([], [], [])


@pytest.fixture(scope="module")
def healthie() -> Iterator[StandIn]:
    with StandIn(4, seed=6) as stand_in:
        yield stand_in


@pytest.fixture
def here(practice: Make) -> Practice:
    made = practice("practice")
    awake(made)
    return made


def script(practice: Practice, fault: FaultName, requests: tuple[int, ...]) -> None:
    scripted = tuple(Scripted(request=number, fault=fault) for number in requests)
    practice.probe.set_faults(Faults(script=scripted, hang=0.9))  # longer than the connector waits


def states(practice: Practice, operation: str) -> dict[str, int]:
    """How many deliveries of an operation are in which state."""
    query = f"SELECT state, count(*) FROM delivery WHERE operation = '{operation}' GROUP BY state"
    return {str(state): int(str(number)) for state, number in practice.ledger(query)}


def seen(practice: Practice) -> int:
    return len(practice.probe.effects())


@pytest.mark.parametrize("requests", SCRIPTS)
@pytest.mark.parametrize("fault", IN_DOUBT)
def test_an_answer_that_does_not_come_is_settled_by_its_class(
    here: Practice, fault: FaultName, requests: tuple[int, ...]
) -> None:
    expected, since = rename(here, "Doubt"), seen(here)
    script(here, fault, requests)
    codes = here.until_settled(2)

    assert tally(here, expected) == CLEAN, codes
    assert blind_mismatches(here) == []
    assert unplanned_effects(here, since) == []
    doubted = 4 in requests
    assert states(here, "probe_send_event") == ({"unknown": 4} if doubted else {"done": 4})
    assert codes[-1] == (3 if doubted else 0)


@pytest.mark.parametrize("wait", [None, 0, 86_400])
def test_too_many_requests_are_sent_again_as_nothing_was_applied(here: Practice, wait: int | None) -> None:
    expected, since = rename(here, "Many"), seen(here)
    scripted = tuple(Scripted(request=number, fault="429") for number in (1, 2, 3, 4))
    here.probe.set_faults(Faults(script=scripted, retry_after=wait))

    assert here.until_settled(3)[-1] == 0
    assert tally(here, expected) == CLEAN
    assert states(here, "probe_send_event") == {"done": 4}
    assert unplanned_effects(here, since) == []


def test_one_refused_row_keeps_the_others_and_can_be_sent_again(here: Practice) -> None:
    expected = rename(here, "One")
    script(here, "one_refused", (1, 2, 3, 4))
    first = here.run()
    after_first = {one: states(here, f"probe_{one}") for one in CLASSES}
    reason = ended(here)
    second = here.run()
    again = ferry(here, "retry", here.label, "--rejected")

    assert first == 3
    assert "delivery_rejected" in reason
    assert after_first == {one: {"done": 3, "rejected": 1} for one in CLASSES}
    assert second in (0, 3)
    assert again.code == 0, again.err
    assert tally(here, expected) == CLEAN
    assert states(here, "probe_send_event") == {"done": 4}


def test_a_target_that_refuses_everything_stops_no_other(here: Practice) -> None:
    expected = rename(here, "All")
    script(here, "all_refused", (1, 2, 3, 4))

    assert here.run() == 3
    assert {one: states(here, f"probe_{one}") for one in CLASSES} == {one: {"rejected": 4} for one in CLASSES}
    assert states(here, "warehouse_upsert_patients") == {"done": 4}
    assert states(here, "healthie_set_metadata") == {"done": 4}
    assert ferry(here, "retry", here.label, "--rejected").code == 0
    assert tally(here, expected) == CLEAN


def test_a_token_revoked_in_the_middle_leaves_deliveries_planned(here: Practice) -> None:
    expected = rename(here, "Token")
    here.probe.set_faults(Faults(script=tuple(Scripted(request=at, fault="401") for at in range(2, 50))))
    code, asked = here.run(), here.probe.requests()
    planned = {one: states(here, f"probe_{one}") for one in CLASSES}
    here.probe.set_faults(Faults())
    resumed = here.run()

    assert code == 3
    assert asked == 2  # after the first refusal this target is left alone
    assert planned == {"keyed_charge": {"done": 4}} | {one: {"planned": 4} for one in CLASSES[1:]}
    assert states(here, "healthie_set_metadata") == {"done": 4}
    assert resumed == 0
    assert tally(here, expected) == CLEAN


def test_a_database_locked_for_a_while_gets_everything_afterwards(here: Practice) -> None:
    expected = rename(here, "First")
    assert here.run() == 0
    expected = {one: expected[one] + name for one, name in rename(here, "Locked").items()}
    warehouse = here.folder / "warehouse.db"
    other = sqlite3.connect(warehouse, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    release = threading.Timer(12.0, other.execute, ["ROLLBACK"])  # longer than the connector waits
    release.start()
    code = here.run()
    release.join()
    other.close()

    assert code == 0, ended(here)
    assert tally(here, expected) == CLEAN


def _of_another_type(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE patients")
        connection.execute(
            "CREATE TABLE patients (patient_id TEXT PRIMARY KEY, full_name INTEGER, email TEXT)"
        )
    connection.close()


def test_a_table_of_another_type_is_refused_and_the_other_targets_go_on(here: Practice) -> None:
    rename(here, "First")
    assert here.run() == 0
    expected = rename(here, "Drift")
    _of_another_type(here.folder / "warehouse.db")

    assert here.run() == 3
    codes = here.ledger("SELECT DISTINCT code FROM delivery WHERE state = 'rejected'")
    assert codes == [("schema_drift",)]
    assert states(here, "healthie_set_metadata") == {"done": 8}
    assert here.rows() == {}
    (here.folder / "warehouse.db").unlink()
    assert ferry(here, "retry", here.label, "--rejected").code == 0
    assert tally(here, expected) == CLEAN


def test_a_database_that_is_gone_is_filled_again_by_a_resync(here: Practice) -> None:
    expected = rename(here, "Gone")
    assert here.run() == 0
    (here.folder / "warehouse.db").unlink()

    assert here.run() == 0  # nothing changed at the source: that is all a run can know
    assert here.run("resync") == 0
    assert all(here.rows()[one].endswith(names[-1]) for one, names in expected.items())


def test_records_that_cannot_be_written_to_stop_no_other_record(here: Practice) -> None:
    expected = rename(here, "Poison")
    *broken, sound = here.healthie.ids()
    for patient in broken:
        here.healthie.edit("User", patient, metadata="[1, 2")

    assert here.run() == 3
    assert states(here, "healthie_set_metadata") == {"rejected": 3, "done": 1}
    assert here.ledger("SELECT DISTINCT code FROM delivery WHERE state = 'rejected'") == [
        ("metadata_malformed",)
    ]
    assert tally(here, {sound: expected[sound]}) == CLEAN
    for patient in broken:
        here.healthie.edit("User", patient, metadata=None)
    assert ferry(here, "retry", here.label, "--rejected").code == 0
    assert tally(here, expected) == CLEAN
