"""Batches of contacts: each item is told by itself, whatever the others of its batch."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from connectors.errors import Transient, Unauthorized
from connectors.hubspot import HubSpot
from connectors.hubspot.sending import Verdict, verdicts
from connectors.hubspot.wire import Batch
from connectors.operation import Item, Write
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Record, Version
from tests.connectors.hubspot.portals import CONTACTS, contacts, hubspot, item, send, settle, told


@pytest.fixture
def connector(portal: StandIn) -> Iterator[HubSpot]:
    made = hubspot(portal, CONTACTS)
    yield made
    made.close()


@pytest.fixture
def write(connector: HubSpot) -> Write:
    connector.prepare()
    return connector.writes()["upsert_contacts"]


def people(number: int, **arguments: str) -> list[Item]:
    return [item(str(at), email=f"p{at}@example.com", **arguments) for at in range(number)]


def test_a_thousand_changed_entries_are_ten_writes_and_ten_reads(portal: StandIn, write: Write) -> None:
    everybody = people(1000)
    for at in range(0, 1000, write.batch):
        write.send(everybody[at : at + write.batch])
    portal.reset()

    fresh = hubspot(portal, CONTACTS)
    again = fresh.writes()["upsert_contacts"]
    for at in range(0, 1000, again.batch):
        batch = people(1000, plan="gold")[at : at + again.batch]
        assert again.present is not None
        again.present(batch)
        assert set(told(again.send(batch)).values()) == {"done"}
    fresh.close()

    assert portal.counts() == {"schema": 1, "read": 10, "write": 10}


def test_each_items_reference_is_its_contacts_id(portal: StandIn, write: Write) -> None:
    outcomes = write.send(people(7))

    for outcome in outcomes:
        record = portal.record(outcome.reference or "")
        assert record is not None
        properties = record["properties"]
        assert isinstance(properties, dict)
        assert f"k{properties['healthie_id']}" == outcome.key


def test_several_threads_make_the_properties_once_and_mix_nothing_up(
    portal: StandIn, connector: HubSpot
) -> None:
    write = connector.writes()["upsert_contacts"]
    batches = [
        [item(str(at), plan=f"plan {at}") for at in range(first, first + 50)] for first in (0, 50, 100, 150)
    ]

    with ThreadPoolExecutor(4) as threads:
        found = [told(outcomes) for outcomes in threads.map(write.send, batches)]
    assert {state for one in found for state in one.values()} == {"done"}
    assert portal.counts()["definition"] == 2
    assert {name: held["plan"] for name, held in contacts(portal).items()} == {
        str(at): f"plan {at}" for at in range(200)
    }


def test_one_bad_value_is_told_and_its_siblings_are_written(portal: StandIn, write: Write) -> None:
    batch = [*people(5), item("x", email="no address"), item("y", lifecyclestage="vip")]

    found = send(write, *batch)
    assert found.pop("kx") == "rejected invalid_email"
    assert found.pop("ky") == "rejected unknown_option"
    assert set(found.values()) == {"done"}
    assert set(contacts(portal)) == {"0", "1", "2", "3", "4"}


def test_a_batch_that_is_refused_as_a_whole_is_sent_by_halves(portal: StandIn, write: Write) -> None:
    portal.configure(whole_batch=["VALIDATION_ERROR", "CONFLICT"])
    portal.create(email="ana@example.com")
    batch = [*people(9), item("x", email="no address"), item("y", email="ana@example.com")]

    found = settle(write, *batch)
    assert found.pop("kx") == "rejected invalid_email"
    assert found.pop("ky") == "done adopted"
    assert set(found.values()) == {"done"}


def test_a_newer_version_that_is_refused_leaves_the_older_one(portal: StandIn, write: Write) -> None:
    found = send(
        write,
        item("1", "old", email="a@example.com", plan="gold"),
        item("1", "new", email="no address"),
    )

    assert found == {"old": "done", "new": "rejected invalid_email"}
    assert contacts(portal)["1"] == {"healthie_id": "1", "email": "a@example.com", "plan": "gold"}


def test_what_was_applied_before_the_portal_failed_is_told(portal: StandIn) -> None:
    portal.configure(whole_batch=["VALIDATION_ERROR"])
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        write = connector.writes()["upsert_contacts"]
        send(write, item("9"))
        proxy.faults(Fault(trouble="503_applied", request=3, path="/batch/upsert"))

        found = send(write, item("1"), item("2"), item("3", email="no address"), item("4"))
        connector.close()
    assert found == {"k1": "done", "k2": "done", "k3": "unknown http_503", "k4": "unknown http_503"}


def test_null_clears_and_what_is_not_set_stays(portal: StandIn, write: Write) -> None:
    send(write, item("1", firstname="Ana", lastname="Adler", plan="gold"))
    portal.edit(next(str(one["id"]) for one in portal.records()), jobtitle="Potter")

    send(write, item("1", firstname=None, lastname=""))
    assert contacts(portal)["1"] == {"healthie_id": "1", "plan": "gold", "jobtitle": "Potter"}
    assert write.present is not None
    assert write.present([item("1", firstname="x", lastname="x", plan="x")])["k1"] == {
        "firstname": None,
        "lastname": None,
        "plan": "gold",
    }
    assert write.present([item("1", firstname=None, lastname="")])["k1"] == {
        "firstname": None,
        "lastname": "",
    }


def test_what_hubspot_took_and_did_not_keep_is_no_success(portal: StandIn, write: Write) -> None:
    send(write, item("1", lifecyclestage="customer"))

    assert send(write, item("1", lifecyclestage="lead", plan="gold"), item("2", lifecyclestage="lead")) == {
        "k1": "rejected not_kept",
        "k2": "done",
    }
    assert contacts(portal)["1"] == {"healthie_id": "1", "lifecyclestage": "customer", "plan": "gold"}


def test_what_an_answer_leaves_out_is_read(portal: StandIn, write: Write) -> None:
    send(write, item("1", lifecyclestage="customer"))
    portal.configure(answers_hide=["lifecyclestage"])
    portal.reset()

    found = send(write, item("1", lifecyclestage="lead"), item("2", lifecyclestage="lead"), item("3"))
    assert found == {"k1": "rejected not_kept", "k2": "done", "k3": "done"}
    assert portal.counts() == {"write": 1, "read": 1}
    assert send(write, item("2", lifecyclestage=None, plan="gold")) == {"k2": "done"}
    assert portal.counts() == {"write": 2, "read": 1}  # an empty value that is left out is seen


def test_an_error_of_a_batch_may_lack_every_field() -> None:
    told = """{"results": [], "numErrors": 2, "errors": [
        {"category": "CONFLICT", "subCategory": null, "errors": null, "message": null,
         "context": {"objectWriteTraceId": ["0"], "propertyName": null, "id": "no list"}},
        {"category": null, "context": {"objectWriteTraceId": ["1", null]}, "errors": [{"code": null}]}
    ]}"""
    records = [Record((str(at),), (Version(f"k{at}", {}),)) for at in range(2)]

    assert verdicts(Batch.model_validate_json(told), records, "healthie_id", CONTACTS) == {
        0: Verdict("rejected", "conflict"),
        1: Verdict("rejected", "refused"),
    }


def test_an_upper_case_e_mail_is_refused_before_hubspot_changes_it(portal: StandIn, write: Write) -> None:
    assert send(write, item("1", email="Ana@example.com")) == {"k1": "rejected upper_case_email"}
    assert contacts(portal) == {}


def test_keys_that_a_blind_uniqueness_would_mix_are_refused(portal: StandIn, write: Write) -> None:
    assert send(write, item("A"), item("a")) == {"kA": "rejected inexact_key", "ka": "done"}


def test_a_number_that_a_double_does_not_hold_is_refused(portal: StandIn, write: Write) -> None:
    assert send(write, item("1", visits=10**15 - 1), item("2", visits=10**15 + 1)) == {
        "k1": "done",
        "k2": "rejected out_of_range",
    }


def test_a_token_that_is_refused_is_the_tenants(portal: StandIn) -> None:
    connector = hubspot(portal, CONTACTS, token="wrong")

    with pytest.raises(Unauthorized):
        connector.writes()["upsert_contacts"].send([item("1")])
    with pytest.raises(Unauthorized):
        connector.check()
    connector.close()


def test_a_batch_that_is_sent_too_fast_waits_as_it_is_told(portal: StandIn) -> None:
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        write = connector.writes()["upsert_contacts"]
        send(write, item("9"))
        proxy.faults(Fault(trouble="429", path="/batch/upsert", retry_after="7"))
        with pytest.raises(Transient) as limited:
            write.send(people(3))
        connector.close()
    assert limited.value.wait is not None
    assert limited.value.wait.total_seconds() == 7
    assert "0" not in contacts(portal)
