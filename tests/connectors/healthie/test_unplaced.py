"""An error of Healthie's that names no place of the answer: nothing beside it is believed."""

import pytest
from pydantic import JsonValue

from connectors.errors import Rejected, Transient, Unknown
from connectors.healthie import Healthie
from tests.connectors.healthie.canned import Canned, answering
from tests.connectors.healthie.test_client import READ, SECRET, WRITE, failure


@pytest.mark.parametrize(
    "error",
    [
        {"message": SECRET},
        {"message": SECRET, "path": None},
        {"message": SECRET, "path": []},
        {"message": SECRET, "path": ["elsewhere", 0]},
        {"message": SECRET, "path": [0, "currentUser"]},
        {"message": SECRET, "extensions": {"code": "FORBIDDEN"}},
    ],
)
def test_an_error_without_a_place_leaves_nothing_usable(error: JsonValue) -> None:
    read = {"data": {"currentUser": {"id": "1", "email": None}}, "errors": [error]}
    wrote = {"data": {"updateClient": {"user": {"id": "1"}, "messages": None}}, "errors": [error]}

    for answer, text, kind in [(read, READ, Transient), (wrote, WRITE, Unknown)]:
        found = failure(Canned(answer), text)
        assert (type(found), found.code) == (kind, "unplaced_error")


def test_an_error_without_a_place_writes_no_null_over_a_value() -> None:
    answer = {"data": {"users": {"nodes": [{"id": "7", "email": None}]}}, "errors": [{"message": SECRET}]}
    with answering(Canned(answer)) as server:
        connector = Healthie(server.credentials, read_only=True)
        with pytest.raises(Transient):
            list(connector.read(["7"], ["email"]))
        connector.close()


@pytest.mark.parametrize(
    "path", [["users"], ["users", "nodes"], ["users", "nodes", "0", "email"], ["users", "nodes", 9]]
)
def test_a_fault_at_no_single_patient_spoils_the_batch(path: JsonValue) -> None:
    answer = {
        "data": {"users": {"nodes": [{"id": "7", "email": None}]}},
        "errors": [{"message": SECRET, "path": path}],
    }
    with answering(Canned(answer)) as server:
        connector = Healthie(server.credentials, read_only=True)
        with pytest.raises(Rejected, match="batch could not be read"):
            list(connector.read(["7"], ["email"]))
        connector.close()
