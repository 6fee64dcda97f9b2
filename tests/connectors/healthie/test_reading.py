"""Entries as they come from the stand-in: complete, in few requests, each id answered for."""

from collections.abc import Iterator

import pytest

from connectors.entry import Absent, Found, Reading, leaves, without_positions
from connectors.errors import Denied, Rejected
from connectors.healthie import Healthie
from connectors.healthie.fields import catalogue
from connectors.healthie.guard import exclusions
from connectors.operation import Item
from connectors.sandbox.healthie.stand_in import StandIn
from tests.connectors.healthie.conftest import REALISTIC, credentials


@pytest.fixture(scope="module")
def large() -> Iterator[StandIn]:
    with StandIn(patients=1000, seed=3) as running:
        yield running


def found(readings: Iterator[Reading]) -> dict[str, Found]:
    return {one.patient: one for one in readings if isinstance(one, Found)}


def only(readings: Iterator[Reading]) -> Reading:
    (one,) = readings
    return one


def test_a_thousand_entries_take_at_most_sixty_requests(large: StandIn) -> None:
    connector = Healthie(credentials(large), read_only=True)
    ids = [id_ for page in connector.everyone() for id_ in page]
    large.reset()
    entries = found(connector.read(ids, REALISTIC))
    connector.close()
    sent = large.requests()["requests"]
    assert isinstance(sent, list)

    assert len(entries) == len(ids) == 1000
    assert len(sent) <= 60
    assert {one["trouble"] for one in sent if isinstance(one, dict)} == {None}
    assert max(int(str(one["complexity"])) for one in sent if isinstance(one, dict)) <= 2000
    assert large.notes() == {}


def test_the_rows_of_an_entry_are_the_stored_ones(healthie: Healthie, stand_in: StandIn) -> None:
    ids = stand_in.ids()
    paths = [
        "appointments.id",
        "requested_payments.id",
        "requested_payments.price_minor",
        "billing_items.id",
        "tasks.id",
    ]
    entries = found(healthie.read(ids, [*paths, "cms1500s.id", "user_package_selections.id"]))

    for id_ in ids:
        entry = entries[id_].entry
        for area, type_, column in [
            ("requested_payments", "RequestedPayment", "recipient_id"),
            ("billing_items", "BillingItem", "sender_id"),
            ("tasks", "Task", "client_id"),
            ("cms1500s", "Cms1500", "patient_id"),
            ("user_package_selections", "UserPackageSelection", "user_id"),
        ]:
            stored = [
                str(row["id"]) for row in stand_in.rows_of(type_, id_, column) if not row.get("deleted_at")
            ]
            listed = entry[area]
            assert isinstance(listed, list)
            assert [row["id"] for row in listed if isinstance(row, dict)] == sorted(stored, key=int), area


def test_an_entry_has_the_asked_paths_and_no_others(healthie: Healthie, stand_in: StandIn) -> None:
    for one in found(healthie.read(stand_in.ids(), REALISTIC)).values():
        there = {without_positions(path) for path, _ in leaves(one.entry)}
        empty = {path for path in there if any(asked.startswith(f"{path}.") for asked in REALISTIC)}

        assert there - empty <= REALISTIC
        assert {"email", "last_name", "active"} <= there


def test_all_fields_of_the_catalogue_can_be_read(healthie: Healthie, stand_in: StandIn) -> None:
    ids = stand_in.ids()[:15]

    assert set(found(healthie.read(ids, frozenset(catalogue())))) == set(ids)
    assert stand_in.notes() == {}


def test_many_rows_of_one_patient_are_read_to_the_end(healthie: Healthie, stand_in: StandIn) -> None:
    patient = stand_in.ids()[0]
    before = len(stand_in.rows_of("Task", patient, "client_id"))
    for at in range(230):
        stand_in.create("Task", client_id=patient, content=f"call {at}", complete=False, priority=0)
    reading = only(healthie.read([patient], ["tasks.id", "tasks.content", "tasks.metadata"]))
    assert isinstance(reading, Found)
    tasks = reading.entry["tasks"]
    assert isinstance(tasks, list)

    assert len(tasks) == before + 230
    assert [int(str(row["id"])) for row in tasks if isinstance(row, dict)] == sorted(
        int(str(row["id"])) for row in stand_in.rows_of("Task", patient, "client_id")
    )


def test_a_smaller_page_than_asked_for_loses_nothing(healthie: Healthie, stand_in: StandIn) -> None:
    patient = stand_in.ids()[1]
    for at in range(9):
        stand_in.create("Task", client_id=patient, content=f"call {at}", complete=False, priority=0)
    stand_in.configure(page_cap=4)
    reading = only(healthie.read([patient], ["tasks.id"]))
    assert isinstance(reading, Found)
    tasks = reading.entry["tasks"]

    assert isinstance(tasks, list) and len(tasks) == len(stand_in.rows_of("Task", patient, "client_id"))
    assert len(found(healthie.read(stand_in.ids(), ["email"]))) == len(stand_in.ids())


def test_an_id_that_nobody_has_is_unknown(healthie: Healthie, stand_in: StandIn) -> None:
    patient, staff = stand_in.ids()[0], str(stand_in.row("User", stand_in.ids()[0])["dietitian_id"])
    readings = {one.patient: one for one in healthie.read(["999999", patient, staff, "x'; --"], ["email"])}

    assert readings["999999"] == Absent("999999", "unknown")
    assert readings[staff] == Absent(staff, "unknown")
    assert readings["x'; --"] == Absent("x'; --", "unknown")
    assert isinstance(readings[patient], Found)


def test_archived_patients_are_found_even_if_the_batch_leaves_them_out(
    healthie: Healthie, stand_in: StandIn
) -> None:
    patient = stand_in.ids()[5]
    stand_in.archive(patient)
    stand_in.configure(archived_in_ids=False)
    unseen = stand_in.unseen()
    reading = only(healthie.read([patient], ["active", "tasks.id"]))

    assert isinstance(reading, Found) and reading.entry["active"] is False
    assert stand_in.unseen() == unseen  # reading one by one marks nothing as seen
    stand_in.restore(patient)


@pytest.mark.parametrize(("shown", "reason"), [(True, "restricted"), (False, "unknown")])
def test_restricted_patients_are_reported_and_never_read(
    healthie: Healthie, stand_in: StandIn, shown: bool, reason: str
) -> None:
    patient = stand_in.ids()[6]
    stand_in.edit("User", patient, restricted=True)
    stand_in.configure(restricted_shown=shown)
    reading = only(healthie.read([patient], ["email"]))
    stand_in.edit("User", patient, restricted=False)

    assert isinstance(reading, Absent) and reading.reason == reason


def test_a_merged_patient_is_not_its_successor(healthie: Healthie, stand_in: StandIn) -> None:
    old, new = stand_in.ids()[-1], stand_in.ids()[-2]
    stand_in.merge(old, new)
    readings = {one.patient: one for one in healthie.read([old, new], ["email"])}

    assert readings[old] == Absent(old, "unknown") or isinstance(readings[old], Found)
    assert isinstance(readings[new], Found)


def test_each_patient_is_read_once_however_often_it_is_named(healthie: Healthie, stand_in: StandIn) -> None:
    patient = stand_in.ids()[0]

    assert len(list(healthie.read([patient] * 5, ["email"]))) == 1
    assert list(healthie.read([], ["email"])) == []


def test_an_unknown_field_is_refused_before_anything_is_sent(healthie: Healthie, stand_in: StandIn) -> None:
    with pytest.raises(Rejected):
        list(healthie.read(stand_in.ids(), ["quick_notes"]))

    assert stand_in.requests()["count"] == 0


def test_read_only_writes_nothing(healthie: Healthie, stand_in: StandIn) -> None:
    with pytest.raises(Denied):
        healthie.writes()["update_client"].send([Item("k", stand_in.ids()[0], {"first_name": "Ana"})])

    assert stand_in.effects() == []


def test_canaries_in_notes_never_arrive(healthie: Healthie, stand_in: StandIn) -> None:
    patients, words = stand_in.canary(3)
    entries = repr(list(healthie.read(patients, frozenset(catalogue()))))
    for feed in healthie.feeds(catalogue()):
        entries += repr(feed.fetch(None, None))

    denied = [
        f"CANARY_{type_}_{name}_".upper()
        for type_, names in exclusions().deny_fields.items()
        for name in names
    ]
    planted = [word for word in words if word.startswith(tuple(denied))]

    assert len(planted) > 30 and not [word for word in planted if word in entries]
    assert "CANARY_USER_RECORD_IDENTIFIER_" in entries  # what may be read is there
    assert stand_in.notes() == {}
