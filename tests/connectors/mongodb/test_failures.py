"""Servers that refuse, fail over, vanish: what is said of each item, and that nobody's values are."""

import threading
import traceback
from collections.abc import Iterator, Mapping

import pytest
from pydantic import JsonValue, SecretStr

from connectors.errors import ConnectorError, Rejected, Transient, Unauthorized, Unknown
from connectors.mongodb import Mongo, MongoCredentials
from connectors.mongodb.failures import CODES
from connectors.operation import Item
from connectors.sandbox.mongodb import StandIn
from tests.connectors.mongodb.reaching import PATIENTS, database, mongo, states, upsert, url_of
from tests.connectors.sql.servers import free_port

CANARY = "canary-ana@example.com"
ROWS: list[tuple[str, dict[str, JsonValue]]] = [(str(at), {"email": CANARY}) for at in range(5)]


@pytest.fixture
def connector(server: StandIn) -> Iterator[Mongo]:
    made = mongo(server, PATIENTS, answer=2.0)
    upsert(made, ("0", {}))
    yield made
    made.close()


def nothing_leaks(error: BaseException) -> None:
    assert CANARY not in "".join(traceback.format_exception(error))
    assert error.__cause__ is None and error.__context__ is None


def test_a_refused_document_does_not_hold_up_the_others(server: StandIn, connector: Mongo) -> None:
    with database(server) as own:
        own.database.patients.create_index("email", unique=True)
        own.database.command(
            "collMod", "patients", validator={"$jsonSchema": {"properties": {"visits": {"maximum": 99}}}}
        )
    outcomes = upsert(
        connector,
        ("1", {"email": CANARY}),
        ("2", {"email": CANARY}),
        ("3", {"email": "b", "visits": 100}),
        ("4", {"email": "c", "visits": 3}),
        ("5", {"email": "nul\0"}),
    )

    assert states(outcomes) == [
        "done", "rejected duplicate", "rejected check", "done", "rejected nul_character",
    ]  # fmt: skip
    assert [document["_id"] for document in server.documents("patients")] == ["0", "1", "4"]


def test_a_refused_later_version_leaves_the_earlier_one(server: StandIn, connector: Mongo) -> None:
    with database(server) as own:
        own.database.command(
            "collMod", "patients", validator={"$jsonSchema": {"properties": {"visits": {"maximum": 99}}}}
        )

    assert states(upsert(connector, ("1", {"visits": 1}), ("1", {"visits": 100}))) == [
        "done",
        "rejected check",
    ]
    assert server.documents("patients")[-1]["visits"] == 1


@pytest.mark.parametrize("applied", [True, False])
def test_a_lost_answer_is_unknown_and_sending_again_converges(
    server: StandIn, connector: Mongo, *, applied: bool
) -> None:
    server.fail("update", **{"closeAfter" if applied else "closeConnection": True})
    with pytest.raises(Unknown) as unknown:
        upsert(connector, *ROWS)

    nothing_leaks(unknown.value)
    assert unknown.value.code == "connection_lost"
    assert len(server.documents("patients")) == (5 if applied else 1)
    assert states(upsert(connector, *ROWS)) == ["done"] * 5
    assert len(server.documents("patients")) == 5


def test_the_driver_repeats_nothing_by_itself(server: StandIn, connector: Mongo) -> None:
    server.commands.clear()
    for failure in (
        {"closeConnection": True},
        {"errorCode": 91},
        {"errorCode": 189, "errorLabels": ["RetryableWriteError"]},
        {"errorCode": 462, "errorLabels": ["SystemOverloadedError", "RetryableError"]},
    ):
        server.fail("update", times=None, **failure)
        with pytest.raises((Unknown, Transient)):
            upsert(connector, *ROWS)

    assert server.commands["update"] == 4


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        (91, Unknown, "failed_over"),
        (10107, Unknown, "failed_over"),
        (11600, Unknown, "failed_over"),
        (50, Unknown, "timed_out"),
        (262, Unknown, "timed_out"),
        (8, Unknown, "server_failed"),
        (112, Transient, "contention"),
        (462, Transient, "overloaded"),
        (13, Unauthorized, "forbidden"),
        (18, Unauthorized, "unauthorized"),
        (8000, Unauthorized, "unauthorized"),
    ],
)
def test_a_command_that_fails_says_who_can_put_it_right(
    server: StandIn, connector: Mongo, number: int, kind: type[ConnectorError], code: str
) -> None:
    server.fail("update", errorCode=number)
    with pytest.raises(kind) as told:
        upsert(connector, *ROWS)

    assert type(told.value) is kind
    assert told.value.code == code
    nothing_leaks(told.value)
    assert states(upsert(connector, *ROWS)) == ["done"] * 5


@pytest.mark.parametrize("failure", [{"code": 64, "errmsg": CANARY}, {"code": 91, "errmsg": CANARY}])
def test_what_no_majority_has_is_unknown(
    server: StandIn, connector: Mongo, failure: Mapping[str, object]
) -> None:
    server.fail("update", writeConcernError=failure)

    assert states(upsert(connector, *ROWS)) == ["unknown not_confirmed"] * 5
    assert states(upsert(connector, *ROWS)) == ["done"] * 5


def test_what_the_answer_does_not_mention_is_unknown(server: StandIn, connector: Mongo) -> None:
    refused = {"index": 1, "code": 121, "errmsg": CANARY}
    server.fail("update", writeErrors=[refused])

    expected = ["unknown no_answer_for_item"] * 5
    expected[1] = "rejected check"
    assert states(upsert(connector, *ROWS)) == expected
    assert states(upsert(connector, *ROWS)) == ["done"] * 5


def test_an_answer_that_does_not_come_is_unknown_in_time(server: StandIn, connector: Mongo) -> None:
    server.fail("update", blockConnection=True, blockTimeMS=4000)
    with pytest.raises(Unknown) as unknown:
        upsert(connector, *ROWS)

    assert unknown.value.code == "timed_out"
    nothing_leaks(unknown.value)


def test_reads_change_nothing_so_time_puts_them_right(server: StandIn, connector: Mongo) -> None:
    present = connector.writes()["upsert_patients"].present
    assert present is not None
    for failure in ({"closeConnection": True}, *({"errorCode": number} for number in (91, 50, 43, 133))):
        server.fail("find", **failure)
        with pytest.raises(Transient) as transient:
            present([Item("k", "1", {"email": CANARY})])
        nothing_leaks(transient.value)


def test_a_document_that_no_driver_can_read_is_not_quoted(server: StandIn, connector: Mongo) -> None:
    server.fail("find", errorCode=99999)
    present = connector.writes()["upsert_patients"].present
    assert present is not None
    with pytest.raises(Rejected) as rejected:
        present([Item("k", "1", {"email": CANARY})])
    nothing_leaks(rejected.value)


def test_a_newer_document_is_left_alone_and_a_faster_rival_is_not_called_newer(server: StandIn) -> None:
    connector = mongo(server, PATIENTS, newest={"patients": "seen_at"})
    newer, older = ({"seen_at": f"2026-03-0{day}T00:00:00Z", "email": CANARY} for day in (2, 1))
    upsert(connector, ("1", newer))

    assert states(upsert(connector, ("1", {**older, "email": "old"}), ("2", older))) == [
        "superseded stale",
        "done",
    ]
    assert server.documents("patients")[0]["email"] == CANARY
    assert states(upsert(connector, ("1", {**newer, "email": "same"}))) == ["done"]
    duplicate = {
        "index": 0,
        "code": 11000,
        "errmsg": CANARY,
        "keyPattern": {"_id": 1},
        "keyValue": {"_id": "1"},
    }
    old = {"index": 0, "code": 11000, "errmsg": f"E11000 … index: _id_ dup key: {CANARY}"}
    other = {"index": 0, "code": 11000, "errmsg": f"E11000 … index: email_1 dup key: {CANARY}"}
    for refused, told in ((duplicate, "transient contention"), (old, "transient contention")):
        server.fail("update", writeErrors=[refused])
        assert states(upsert(connector, ("1", {**newer, "email": "again"}))) == [told]
    server.fail("update", writeErrors=[other])
    assert states(upsert(connector, ("1", {**newer, "email": "again"}))) == ["rejected duplicate"]
    connector.close()


def test_a_version_that_is_no_number_is_not_newer(server: StandIn) -> None:
    connector = mongo(server, PATIENTS, newest={"patients": "balance"})
    upsert(connector, ("1", {"balance": "1"}))
    with database(server) as own:
        own.database.patients.update_one({"_id": "1"}, {"$set": {"balance": float("nan")}})
    refused = {"index": 0, "code": 11000, "errmsg": CANARY, "keyPattern": {"_id": 1}}
    server.fail("update", writeErrors=[refused])

    assert states(upsert(connector, ("1", {"balance": "2"}))) == ["transient contention"]
    connector.close()


def test_a_server_that_is_not_there_is_transient() -> None:
    url = SecretStr(f"mongodb://u:{CANARY.replace('@', '%40')}@127.0.0.1:{free_port()}/x")
    connector = Mongo(MongoCredentials(url=url, answer=0.3), [PATIENTS])
    for act in (connector.check, lambda: upsert(connector, ("1", {"email": CANARY}))):
        with pytest.raises(Transient) as transient:
            act()
        assert transient.value.code == "unreachable"
        nothing_leaks(transient.value)
    connector.close()


def test_a_wrong_password_is_the_tenants_matter(server: StandIn) -> None:
    right = url_of(server)
    for url in (
        right.replace(":an", ":no"),
        right.replace("?authSource=admin", ""),
    ):  # or no such user there
        connector = Mongo(MongoCredentials(url=SecretStr(url)), [PATIENTS])
        for act in (connector.check, lambda: upsert(connector, ("1", {"email": CANARY}))):  # noqa: B023
            with pytest.raises(Unauthorized) as unauthorized:
                act()
            nothing_leaks(unauthorized.value)
        connector.close()


def test_the_account_is_named_and_what_lacks(server: StandIn) -> None:
    connector = mongo(server, PATIENTS)
    account = connector.check()
    connector.close()
    with StandIn(users={"reader": "word"}, actions=("find",)) as other:
        narrow = mongo(other, PATIENTS)
        lacks = narrow.check().missing
        with pytest.raises(Unauthorized):
            upsert(narrow, ("1", {"email": CANARY}))
        narrow.close()

    assert account.identity == f"mongodb://{server.address}/practice"
    assert (account.system, account.sandbox, account.missing) == ("mongodb", False, ())
    assert lacks == (
        "listCollections on practice",
        "insert on practice.patients",
        "update on practice.patients",
    )


def test_every_code_is_one_closed_word() -> None:
    assert all(each.code.replace("_", "").isalpha() and each.code.islower() for each in CODES.values())
    assert {"item", "collection", "transient", "lost", "unauthorized"} == {
        each.kind for each in CODES.values()
    }


def test_several_threads_write_at_once(server: StandIn, connector: Mongo) -> None:
    failed: list[str] = []

    def write(thread: int) -> None:
        for at in range(10):
            failed.extend(
                each
                for each in states(upsert(connector, (f"{thread}-{at}", {"email": "a"})))
                if each != "done"
            )

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert len(server.documents("patients")) == 61
