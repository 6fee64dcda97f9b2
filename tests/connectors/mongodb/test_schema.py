"""Collections that are not as they were declared: what is reported, what is refused."""

import pytest
from bson.binary import UUID_SUBTYPE, Binary
from bson.objectid import ObjectId
from pydantic import JsonValue

from connectors.mongodb import Mongo
from connectors.sandbox.mongodb import DATABASE, StandIn
from connectors.tabular import Drift
from tests.connectors.mongodb.reaching import PATIENTS, POLICIES, database, mongo, states, upsert


def create(server: StandIn, **options: object) -> None:
    with database(server) as own:
        own.database.command({"create": "patients", **options})


def codes(connector: Mongo) -> set[tuple[str, str]]:
    return {(drift.column, drift.code) for drift in connector.drift()}


def test_looking_makes_nothing(server: StandIn) -> None:
    connector = mongo(server, PATIENTS)

    assert connector.drift() == []
    assert server.server.state.collections == {}
    connector.close()


def test_a_validator_that_refuses_what_is_declared_is_reported(server: StandIn) -> None:
    rules: dict[str, JsonValue] = {
        "patient_id": {"bsonType": "string"},
        "first_name": {"bsonType": ["string", "null"], "maxLength": 5},
        "email": {},
        "visits": {"bsonType": "int"},
        "balance": {"bsonType": "double"},
        "active": {"bsonType": "bool"},
        "born_on": {"bsonType": "date"},
        "seen_at": {"bsonType": "date"},
    }
    create(
        server,
        validator={
            "$jsonSchema": {
                "properties": rules,
                "required": ["clinic", "email"],
                "additionalProperties": False,
            }
        },
    )
    connector = mongo(server, PATIENTS)

    assert codes(connector) == {
        ("first_name", "narrower"),
        ("visits", "wrong_type"),
        ("balance", "wrong_type"),
        ("born_on", "wrong_type"),
        ("policies", "missing_column"),
        ("clinic", "required_column"),
    }
    assert states(upsert(connector, ("1", {"email": "a"}))) == ["rejected check"]
    connector.close()


def test_a_validator_that_only_warns_refuses_nothing(server: StandIn) -> None:
    create(server, validator={"$jsonSchema": {"required": ["clinic"]}}, validationAction="warn")
    connector = mongo(server, PATIENTS)

    assert codes(connector) == set()
    assert states(upsert(connector, ("1", {"email": "a"}))) == ["done"]
    connector.close()


def test_a_view_is_never_written(server: StandIn) -> None:
    create(server, viewOn="people", pipeline=[])
    connector = mongo(server, PATIENTS)

    assert connector.drift() == [Drift("patients", "", "missing_key")]
    assert states(upsert(connector, ("1", {"email": "a"}))) == ["rejected schema_drift"]
    assert server.commands["update"] == 0
    connector.close()


def test_a_collection_that_ignores_case_takes_nothing(server: StandIn) -> None:
    create(server, collation={"locale": "en", "strength": 2})
    connector = mongo(server, PATIENTS)

    assert codes(connector) == {("patient_id", "inexact_key")}
    assert states(upsert(connector, ("a", {}), ("A", {}))) == ["rejected inexact_key"] * 2
    connector.close()


@pytest.mark.parametrize("made_up", [ObjectId("0" * 24), Binary(bytes(16), UUID_SUBTYPE)])
def test_patients_under_ids_that_were_made_up_are_not_doubled(server: StandIn, made_up: object) -> None:
    with database(server) as own:
        own.database.patients.insert_one({"_id": made_up, "patient_id": "1", "email": "ana@example.com"})
        own.database.policies.insert_one({"note": "not a patient's"})
    connector = mongo(server, PATIENTS, POLICIES)

    assert connector.drift() == [Drift("patients", "", "missing_key")]
    assert states(upsert(connector, ("1", {"email": "b"}))) == ["rejected schema_drift"]
    assert states(upsert(connector, ("1", {"policy_id": 7}), table="policies")) == ["done"]
    assert len(server.documents("patients")) == 1
    connector.close()


def test_what_a_collection_is_is_asked_once(server: StandIn) -> None:
    connector = mongo(server, PATIENTS)
    for _ in range(3):
        upsert(connector, ("1", {"email": "a"}))

    assert server.commands["listCollections"] == 1
    connector.close()


def test_a_collection_that_became_a_view_is_looked_at_again(server: StandIn) -> None:
    connector = mongo(server, PATIENTS)
    upsert(connector, ("1", {"email": "a"}))
    collection = server.server.state.collection(DATABASE, "patients")
    collection.kind = "view"

    assert states(upsert(connector, ("1", {"email": "b"}))) == ["rejected schema_drift"]
    collection.kind = "collection"
    assert states(upsert(connector, ("1", {"email": "b"}))) == ["done"]
    connector.close()


@pytest.mark.parametrize(
    "newest",
    [{"patients": "email"}, {"patients": "patient_id"}, {"patients": "nothing"}, {"others": "visits"}],
)
def test_newest_must_name_a_column_that_can_be_newer(server: StandIn, newest: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="newest"):
        mongo(server, PATIENTS, newest=newest)
