"""The stand-in against somebody else's reading of MongoDB's rules: mongomock, given the same updates."""

import subprocess
import sys
from typing import Any

import mongomock
import pytest
from bson.decimal128 import Decimal128
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from connectors.sandbox.mongodb import DATABASE, StandIn
from tests.campaign import FULL
from tests.connectors.mongodb.reaching import database

QUIET = settings(
    max_examples=2_000 if FULL else 100,
    deadline=None,
    database=None,
    derandomize=not FULL,
    suppress_health_check=list(HealthCheck),
)
IDS = st.sampled_from(
    ["1", 1, {"a": "1", "b": 7}, {"a": "1", "b": 8}]
)  # the order of names is all one to mongomock
NUMBERS = st.sampled_from([0, 1, 2.5, -3])  # nor does it compare decimals, or tell 1 from true
VALUES = NUMBERS | st.sampled_from([None, "", "x", Decimal128("2.5"), [1, {"c": None}], {"c": [""]}])
FIELDS = st.fixed_dictionaries({}, optional={"s": NUMBERS | st.none(), "t": VALUES, "u": VALUES})
CONDITIONS = st.sampled_from(["$gt", "$gte", "$lt", "$lte", "$eq", "$ne"])
UPDATES = st.lists(
    st.tuples(IDS, st.none() | st.tuples(CONDITIONS, NUMBERS, st.booleans()), FIELDS, FIELDS, st.booleans()),
    min_size=1,
    max_size=12,
)


def test_it_changes_what_another_implementation_changes(server: StandIn) -> None:
    with database(server) as own:

        @QUIET
        @given(UPDATES)
        def holds(updates: list[Any]) -> None:
            server.server.state.collection(DATABASE, "both").documents.clear()
            other = mongomock.MongoClient()[DATABASE].both
            for id_, condition, sets, on_insert, upsert in updates:
                wanted: dict[str, Any] = {"_id": id_}
                if condition is not None:
                    operator, number, turned = condition
                    test = {operator: number}
                    wanted["s"] = {"$not": test} if turned else test
                rest = {name: value for name, value in on_insert.items() if name not in sets}
                change = {"$set": {**sets, "z": 1}} | ({"$setOnInsert": rest} if rest else {})
                assert _told(own.database.both, wanted, change, upsert) == _told(
                    other, wanted, change, upsert
                )
            assert _by_id(own.database.both) == _by_id(other)

        holds()


def _told(collection: Any, wanted: dict[str, Any], change: dict[str, Any], upsert: bool) -> object:
    try:
        done = collection.update_one(wanted, change, upsert=upsert)
    except (DuplicateKeyError, mongomock.DuplicateKeyError):
        return "duplicate"
    return done.matched_count, done.modified_count, done.upserted_id is not None


def _by_id(collection: Any) -> dict[str, dict[str, Any]]:
    return {repr(document["_id"]): {**document} for document in collection.find()}


def test_an_unknown_command_or_operator_is_refused(server: StandIn) -> None:
    with database(server) as own:
        for act, code in (
            (lambda: own.database.command("compact", "x"), 59),
            (lambda: own.database.x.update_one({"a": {"$regex": "b"}}, {"$set": {"a": 1}}), None),
            (lambda: own.database.x.update_one({"_id": 1}, {"$rename": {"a": "b"}}, upsert=True), 9),
        ):
            if code is None:
                own.database.x.insert_one({"a": "b"})
            with pytest.raises((OperationFailure, PyMongoError)) as refused:
                act()
            assert refused.value.code == (code or 2)  # type: ignore[attr-defined]  # every one here has a code


def test_nobody_gets_in_without_a_password(server: StandIn) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(server.address)
    with pytest.raises(OperationFailure, match="requires authentication"):
        client[DATABASE].patients.find_one()
    client.close()


def test_it_runs_as_a_process_that_ends_with_its_parent() -> None:
    command = [sys.executable, "-m", "connectors.sandbox.mongodb"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        client: MongoClient[dict[str, Any]] = MongoClient(process.stdout.readline().strip())
        client[DATABASE].patients.insert_one({"_id": "1"})

        assert client[DATABASE].patients.find_one() == {"_id": "1"}
        client.close()
        process.stdin.close()
        assert process.wait(30) == 0
