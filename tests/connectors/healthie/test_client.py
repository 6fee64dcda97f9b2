"""What each kind of answer means, and that nothing of it shows in a message."""

import logging

import pytest
from pydantic import JsonValue

from connectors.entry import Absent, Found
from connectors.errors import ConnectorError, Denied, Rejected, Transient, Unauthorized, Unknown
from connectors.healthie import Healthie
from connectors.healthie.client import Client
from connectors.healthie.mutation import same
from connectors.operation import Item
from tests.connectors.healthie.canned import Canned, answering

SECRET = "Ana Lima 555-0100"
READ = "query A { currentUser { id } }"
WRITE = """mutation A($input: updateClientInput!) {
  updateClient(input: $input) { user { id } messages { field } }
}"""


def errors(code: str | None, data: JsonValue = None, message: str = SECRET) -> dict[str, JsonValue]:
    extensions: JsonValue = {} if code is None else {"code": code}
    return {"data": data, "errors": [{"message": message, "extensions": extensions, "path": ["currentUser"]}]}


def failure(answer: Canned, text: str = READ, *, read_only: bool = False) -> ConnectorError:
    with answering(answer) as server:
        client = Client(server.credentials, read_only=read_only)
        try:
            client.run(text, {"input": {"id": "1"}} if text == WRITE else {})
        except ConnectorError as error:
            assert SECRET not in repr(error) and SECRET not in str(error.__cause__)
            assert "\n" not in str(error) and "gh_sbox_key" not in repr(error)
            return error
        finally:
            client.close()
    raise AssertionError("no error")


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Canned(errors("TOO_MANY_REQUESTS")), Transient, "rate_limited"),
        (
            Canned(errors(None, message="Too many requests. Please try again later.")),
            Transient,
            "rate_limited",
        ),
        (Canned(b"slow down", 429), Transient, "rate_limited"),
        (Canned(errors("UNSUPPORTED_API_VERSION"), 400), Rejected, "api_version"),
        (Canned(errors("MISSING_API_VERSION_HEADER")), Rejected, "api_version"),
        (Canned(errors("UNAUTHENTICATED")), Unauthorized, "unauthorized"),
        (Canned(errors("FORBIDDEN")), Unauthorized, "forbidden"),
        (Canned(b"no", 401), Unauthorized, "unauthorized"),
        (Canned(b"no", 403), Unauthorized, "unauthorized"),
        (Canned(b"<html>", 404), Rejected, "http_404"),
        (Canned(b"", 302, {"Location": "http://127.0.0.1:9/"}), Rejected, "http_302"),
        (
            Canned(
                errors(None, message="Query has complexity of 2102, which exceeds max complexity of 2000")
            ),
            Rejected,
            "too_complex",
        ),
        (Canned(errors(None, message="Field 'x' doesn't exist on type 'User'")), Rejected, "schema_drift"),
        (Canned(errors(None)), Rejected, "graphql_error"),
        (Canned(errors("SECRET Ana")), Rejected, "graphql_error"),
    ],
)
def test_each_refusal_has_its_kind(answer: Canned, kind: type[ConnectorError], code: str) -> None:
    for text in (READ, WRITE):
        error = failure(answer, text)

        assert (type(error), error.code) == (kind, code)


@pytest.mark.parametrize(
    "answer",
    [
        Canned(b"<html>sorry</html>"),
        Canned(b'{"data": {"a"'),
        Canned({"message": SECRET}),
        Canned({"data": None}),
        Canned([1]),
        Canned(b"", 500),
        Canned(errors(None, message="Internal server error")),
        Canned({"data": {}}, headers={"Content-Length": "999"}),
        Canned(b"not gzip", headers={"Content-Encoding": "gzip"}),
        Canned({"data": {}, "x": "y"}, trickle=0.05),
    ],
)
def test_no_proper_answer_is_transient_for_a_read_and_unknown_for_a_write(answer: Canned) -> None:
    assert type(failure(answer, READ)) is Transient
    assert type(failure(answer, WRITE)) is Unknown


def test_a_body_is_read_whatever_its_status() -> None:
    with answering(Canned(errors(None, message="Query has depth of 30"), 422)) as server:
        client = Client(server.credentials, read_only=True)
        with pytest.raises(Rejected) as failure:
            client.run(READ, {})
        client.close()

    assert failure.value.code == "too_deep"


def test_partial_data_is_kept_with_its_faults() -> None:
    answer = {"data": {"a": {"id": "1"}, "b": None}, "errors": [{"path": ["b", 0], "message": "Not found"}]}
    with answering(Canned(answer)) as server:
        client = Client(server.credentials, read_only=True)
        reply = client.run(
            "query { a: currentUser { id } ...rest } fragment rest on Query { b: currentUser { id } }", {}
        )
        client.close()

    assert reply.data["a"] == {"id": "1"}
    fault = reply.fault_of("b")
    assert fault is not None and fault.code == "NOT_FOUND" and reply.fault_of("a") is None


def test_headers_warnings_clock_and_counter() -> None:
    warned = {
        "data": {},
        "extensions": {"warnings": [{"code": "API_VERSION_SUNSET_WARNING", "message": SECRET}]},
    }
    date = {"Date": "Sun, 22 Nov 2026 10:00:00 GMT"}
    with answering(Canned(b"", 503), Canned(warned, headers=date)) as server:
        client = Client(server.credentials, read_only=True)
        client.run(READ, {})
        client.close()
        sent = server.arrived[1]

    assert client.warnings == ("API_VERSION_SUNSET_WARNING",)
    assert client.requests == 2
    assert client.clock is not None
    assert sent["Authorization"] == "Basic gh_sbox_key" and sent["AuthorizationSource"] == "API"
    assert sent["Healthie-GraphQL-API-Version"] == "2026-01-01"


def test_values_go_as_variables_and_into_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(Canned({"data": {"updateClient": {"user": {"id": "1"}, "messages": None}}})) as server:
        client = Client(server.credentials, read_only=False)
        client.run(WRITE, {"input": {"id": "1", "first_name": SECRET}})
        client.close()
        (body,) = server.bodies

    assert body == {"query": WRITE, "variables": {"input": {"id": "1", "first_name": SECRET}}}
    assert SECRET not in caplog.text and "gh_sbox_key" not in caplog.text


def test_denied_input_never_leaves() -> None:
    with answering(Canned({"data": {}})) as server:
        client = Client(server.credentials, read_only=False)
        with pytest.raises(Denied):
            client.run(WRITE, {"input": {"id": "1", "quick_notes": "x"}})
        client.close()

        assert server.arrived == []


@pytest.mark.parametrize(
    ("returned", "code"),
    [
        ({"user": {"id": "1", "first_name": "Old"}, "messages": []}, "not_applied"),
        ({"user": {"id": "2", "first_name": "New"}, "messages": None}, "not_applied"),
        ({"user": {"id": "1"}, "messages": None}, "not_applied"),
        ({"user": None, "messages": None}, "not_applied"),
        (None, "not_applied"),
        (
            {"user": {"id": "1", "first_name": "New"}, "messages": [{"field": "first_name"}]},
            "refused_by_healthie.first_name",
        ),
        ({"user": None, "messages": [{"field": SECRET}]}, "refused_by_healthie"),
        ({"user": None, "messages": [{"field": None}]}, "refused_by_healthie"),
    ],
)
def test_a_200_that_changed_nothing_is_no_success(returned: JsonValue, code: str) -> None:
    with answering(Canned({"data": {"updateClient": returned}})) as server:
        connector = Healthie(server.credentials, read_only=False)
        (outcome,) = connector.writes()["update_client"].send([Item("k", "1", {"first_name": "New"})])
        connector.close()

    assert (outcome.state, outcome.code) == ("rejected", code)


@pytest.mark.parametrize(
    ("name", "sent", "found", "equal"),
    [
        ("phone_number", "(212) 555-0100", "212-555-0100", True),
        ("phone_number", "212-555-0100", "212-555-0101", False),
        ("email", "Ana@Example.com", "ana@example.com", True),
        ("first_name", "Ana", "ana", False),
        ("sex", "", None, True),
        ("sex", None, "Female", False),
        ("active", False, False, True),
        ("active", False, None, False),
        ("user_group_id", "6", 6, True),
    ],
)
def test_equal_is_what_healthie_may_have_written_differently(
    name: str, sent: JsonValue, found: JsonValue, equal: bool
) -> None:
    assert same(name, sent, found) is equal


def test_a_bare_404_for_one_of_many_is_asked_for_one_by_one() -> None:
    empty = Canned({"data": {"users": {"nodes": []}}})
    one = Canned({"data": {"user_0": {"id": "8", "is_patient": True, "email": "bo@example.com"}}})
    with answering(empty, Canned(b"<html>", 404), Canned(b"", 404), one) as server:
        connector = Healthie(server.credentials, read_only=True)
        readings = {reading.patient: reading for reading in connector.read(["7", "8"], ["email"])}
        connector.close()

    assert readings == {"7": Absent("7", "unknown"), "8": Found("8", {"email": "bo@example.com"})}


@pytest.mark.parametrize(
    ("code", "reason"), [("FORBIDDEN", "restricted"), ("WHATEVER", "unreadable"), ("NOT_FOUND", "unknown")]
)
def test_a_patient_that_healthie_withholds_is_absent_with_a_reason(code: str, reason: str) -> None:
    empty = Canned({"data": {"users": {"nodes": [None]}}})
    withheld = {"data": {"user_0": None}, "errors": [{"path": ["user_0"], "extensions": {"code": code}}]}
    with answering(empty, Canned(withheld)) as server:
        connector = Healthie(server.credentials, read_only=True)
        (reading,) = connector.read(["7"], ["email"])
        connector.close()

    assert isinstance(reading, Absent) and reading.reason == reason


def test_a_null_that_stands_for_an_error_is_no_null() -> None:
    answer = {
        "data": {"users": {"nodes": [{"id": "7", "policies": None}, {"id": "8", "policies": None}]}},
        "errors": [{"path": ["users", "nodes", 0, "policies"], "message": "boom"}],
    }
    with answering(Canned(answer)) as server:
        connector = Healthie(server.credentials, read_only=True)
        readings = {one.patient: one for one in connector.read(["7", "8"], ["policies.num"])}
        connector.close()

    assert readings == {"7": Absent("7", "unreadable"), "8": Found("8", {"policies": None})}


def test_a_list_that_never_adds_up_makes_its_patient_unreadable() -> None:
    patients = Canned({"data": {"users": {"nodes": [{"id": "7"}]}, "tasks_0": {"total_count": 3}}})
    end = {"has_next_page": False, "end_cursor": None}
    short = Canned({"data": {"tasks_0": {"total_count": 3, "nodes": [{"id": "1"}], "page_info": end}}})
    with answering(patients, short) as server:
        connector = Healthie(server.credentials, read_only=True)
        (reading,) = connector.read(["7"], ["tasks.id"])
        connector.close()

    assert reading == Absent("7", "unreadable")
    assert len(server.bodies) == 5


def test_a_list_that_never_ends_is_given_up() -> None:
    patients = Canned({"data": {"users": {"nodes": [{"id": "7"}]}, "tasks_0": {"total_count": 3}}})
    more = {"has_next_page": True, "end_cursor": "x"}
    circle = Canned({"data": {"tasks_0": {"total_count": 3, "nodes": [{"id": "1"}], "page_info": more}}})
    with answering(patients, circle) as server:
        connector = Healthie(server.credentials, read_only=True)
        (reading,) = connector.read(["7"], ["tasks.id"])
        connector.close()

    assert reading == Absent("7", "unreadable")
