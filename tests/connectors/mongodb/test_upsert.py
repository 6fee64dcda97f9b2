"""What an upsert leaves in a collection, as the driver of a practice's own programs reads it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import bson
import pytest
from bson.decimal128 import Decimal128
from bson.int64 import Int64
from bson.objectid import ObjectId
from bson.raw_bson import RawBSONDocument

from connectors.mongodb import BATCH, Mongo
from connectors.operation import Delivery, Item
from connectors.sandbox.mongodb import DATABASE, StandIn
from connectors.tabular import Column, Table
from tests.connectors.mongodb.reaching import FULL, POLICIES, database, held, mongo, states, upsert


@pytest.fixture
def connector(server: StandIn) -> Iterator[Mongo]:
    made = mongo(server)
    yield made
    made.close()


def test_every_type_comes_back_as_it_was_given(connector: Mongo) -> None:
    assert states(upsert(connector, ("1", FULL))) == ["done"]
    assert held(connector, "1") == FULL


def test_every_type_is_what_a_programmer_expects(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", FULL), ("2", {"visits": 3}))
    with database(server) as own:
        document = own.database.patients.find_one({"_id": "1"})
        assert isinstance(own.database.patients.find_one({"_id": "2"})["visits"], Int64)  # one type for all

    assert document["patient_id"] == "1"
    assert document["visits"] == FULL["visits"]
    assert document["balance"] == Decimal128(Decimal(str(FULL["balance"])))
    assert document["born_on"] == "1990-02-28"
    assert document["seen_at"] == datetime(2026, 3, 1, 23, 59, 59, 999000, tzinfo=UTC)
    assert document["policies"] == FULL["policies"]


def test_child_lists_are_documents_that_can_be_asked_for(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", FULL), ("2", {"policies": []}))

    assert server.documents("patients")[0]["policies"][0]["payer"] == "Aetna"


def test_missing_null_and_empty_are_three_things(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", {"first_name": "Ana", "email": "ana@example.com", "visits": 3}))
    upsert(connector, ("1", {"first_name": None, "email": ""}))

    assert server.documents("patients") == [
        {"_id": "1", "patient_id": "1", "first_name": None, "email": "", "visits": 3}
    ]


def test_a_persons_own_fields_stay(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", FULL))
    with database(server) as own:
        own.database.patients.update_one(
            {"_id": "1"}, {"$set": {"nickname": "Annie", "file": ObjectId("0" * 24)}}
        )
    upsert(connector, ("1", {"visits": 1}), ("1", {}))

    document = server.documents("patients")[0]
    assert (document["nickname"], document["file"]) == ("Annie", ObjectId("0" * 24))
    assert held(connector, "1") == {**FULL, "visits": 1}


def test_what_a_person_put_in_the_place_of_a_value_is_shown(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", FULL))
    odd = {"visits": "seven", "balance": float("nan"), "email": ObjectId("0" * 24), "seen_at": b"\0"}
    with database(server) as own:
        own.database.patients.update_one({"_id": "1"}, {"$set": odd})

    assert held(connector, "1", ("visits", "balance", "email")) == {
        "visits": "seven",
        "balance": {"$numberDouble": "nan"},
        "email": {"$oid": "0" * 24},
    }
    assert states(upsert(connector, ("1", FULL))) == ["done"]
    assert held(connector, "1") == FULL


def test_a_row_without_any_column_is_made_and_never_blanked(connector: Mongo) -> None:
    assert held(connector, "1") is None
    upsert(connector, ("1", {}))
    upsert(connector, ("1", FULL))
    upsert(connector, ("1", {}))

    assert held(connector, "1") == FULL


def test_the_last_of_one_key_in_a_batch_wins_and_both_have_an_outcome(connector: Mongo) -> None:
    outcomes = upsert(connector, ("1", {"visits": 1, "email": "a"}), ("2", {}), ("1", {"visits": 2}))

    assert states(outcomes) == ["done"] * 3
    assert held(connector, "1", ("visits", "email")) == {"visits": 2, "email": "a"}


def test_a_child_collection_has_a_document_for_each_further_key(server: StandIn, connector: Mongo) -> None:
    outcomes = upsert(
        connector,
        ("1", {"policy_id": 7, "payer": "Aetna"}),
        ("1", {"policy_id": 8, "payer": None}),
        ("2", {"policy_id": 7, "payer": "Cigna"}),
        ("2", {"payer": "no key"}),
        table="policies",
    )

    assert states(outcomes) == ["done", "done", "done", "rejected missing_argument"]
    assert [document["_id"] for document in server.documents("policies")] == [
        {"patient_id": "1", "policy_id": 7},
        {"patient_id": "1", "policy_id": 8},
        {"patient_id": "2", "policy_id": 7},
    ]


def test_a_key_in_another_order_makes_no_second_documents(server: StandIn, connector: Mongo) -> None:
    row = ("1", {"policy_id": 7, "payer": "Aetna"})
    upsert(connector, row, table="policies")
    turned = mongo(server, POLICIES.model_copy(update={"key": ("policy_id", "patient_id")}))
    upsert(turned, row, table="policies")
    turned.close()

    assert len(server.documents("policies")) == 1


def test_a_number_and_its_text_are_two_keys(server: StandIn) -> None:
    columns = {"patient_id": Column(type="int"), "name": Column(type="str")}
    numbers = mongo(server, Table(name="people", key=("patient_id",), patient="patient_id", columns=columns))
    upsert(numbers, ("7", {"name": "Ana"}), table="people")
    numbers.close()
    texts = mongo(
        server,
        Table(
            name="people",
            key=("patient_id",),
            patient="patient_id",
            columns={**columns, "patient_id": Column(type="str")},
        ),
    )
    upsert(texts, ("7", {"name": "Bea"}), table="people")

    assert [document["_id"] for document in server.documents("people")] == [7, "7"]
    texts.close()


def test_a_thousand_changed_entries_are_one_bulk_write_and_none_is_written_twice(server: StandIn) -> None:
    connector = mongo(server)
    write = connector.writes()["upsert_patients"]
    items = [Item(f"k{number}", str(number), {**FULL, "visits": number}) for number in range(1000)]
    server.commands.clear()
    outcomes = [
        outcome for at in range(0, 1000, write.batch) for outcome in write.send(items[at : at + write.batch])
    ]

    assert {outcome.state for outcome in outcomes} == {"done"}
    assert server.commands["update"] == 1
    assert write.present is not None
    assert write.present(items) == {item.key: item.arguments for item in items}
    connector.close()


def test_a_write_says_how_it_is_delivered(connector: Mongo) -> None:
    write = connector.writes()["upsert_policies"]

    assert write.delivery == Delivery.UPSERT
    assert write.batch == BATCH == 1000
    assert write.free_text == {"payer"}
    assert "patient_id" not in write.arguments.model_fields
    assert write.record("1", {"policy_id": 7}) == '["policies", "1", 7]'


def test_a_document_that_is_too_large_is_refused_before_it_leaves(server: StandIn) -> None:
    names = [f"note_{number}" for number in range(18)]
    columns = {name: Column(type="str") for name in ("patient_id", *names)}
    connector = mongo(server, Table(name="notes", key=("patient_id",), patient="patient_id", columns=columns))
    long = dict.fromkeys(names, "n" * 990_000)
    outcomes = upsert(connector, ("1", {"note_1": "short"}), ("2", long), table="notes")

    assert states(outcomes) == ["done", "rejected too_long"]
    assert states(upsert(connector, ("3", {name: long[name] for name in names[:16]}), table="notes")) == [
        "done"
    ]
    assert states(upsert(connector, ("3", {name: long[name] for name in names[16:]}), table="notes")) == [
        "rejected too_long"
    ]
    connector.close()


def test_versions_that_are_too_large_together_are_written_one_by_one(server: StandIn) -> None:
    names = [f"note_{number}" for number in range(18)]
    columns = {name: Column(type="str") for name in ("patient_id", *names)}
    connector = mongo(server, Table(name="notes", key=("patient_id",), patient="patient_id", columns=columns))
    first, second = (dict.fromkeys(half, "n" * 990_000) for half in (names[:9], names[9:]))

    assert states(upsert(connector, ("1", first), ("1", second), ("2", second), table="notes")) == [
        "done",
        "rejected too_long",
        "done",
    ]
    connector.close()


def test_a_number_is_the_same_key_however_a_program_stored_it(server: StandIn) -> None:
    columns = {"patient_id": Column(type="int"), "name": Column(type="str")}
    people = Table(name="people", key=("patient_id",), patient="patient_id", columns=columns)
    connector = mongo(server, people)
    with database(server) as own:
        own.database.people.insert_many(
            [{"_id": 7.0, "name": "Ana"}, {"_id": Decimal128("8"), "name": "Bea"}]
        )
    write = connector.writes()["upsert_people"]
    assert write.present is not None
    items = [Item(patient, patient, {"name": "Cleo"}) for patient in "789"]

    assert write.present(items) == {"7": {"name": "Ana"}, "8": {"name": "Bea"}, "9": None}
    assert {outcome.state for outcome in write.send(items)} == {"done"}
    assert len(server.documents("people")) == 3
    connector.close()


def test_a_damaged_text_hides_no_sibling(server: StandIn, connector: Mongo) -> None:
    upsert(connector, ("1", FULL), ("2", FULL))
    damaged = RawBSONDocument(bson.encode({"payer": "XX"}).replace(b"XX", b"\xff\xfe"))
    stored = server.server.state.collection(DATABASE, "patients").documents
    next(iter(stored.values()))["policies"] = damaged
    write = connector.writes()["upsert_patients"]
    assert write.present is not None

    assert write.present([Item(patient, patient, FULL) for patient in "12"])["2"] == FULL
