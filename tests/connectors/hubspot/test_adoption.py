"""A contact that a person made becomes the patient's without doubt, or waits for a person's look."""

from collections.abc import Iterator

import pytest

from connectors.hubspot import HubSpot, HubSpotOptions
from connectors.operation import Write
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from tests.connectors.hubspot.portals import CONTACTS, contacts, hubspot, item, send, told


@pytest.fixture
def connector(portal: StandIn) -> Iterator[HubSpot]:
    made = hubspot(portal, CONTACTS)
    yield made
    made.close()


@pytest.fixture
def write(connector: HubSpot) -> Write:
    connector.prepare()
    return connector.writes()["upsert_contacts"]


def test_the_one_contact_with_the_e_mail_is_adopted(portal: StandIn, write: Write) -> None:
    person = portal.create(email="ana@example.com", firstname="Ana", jobtitle="Potter")

    [outcome] = write.send([item("7", email="ana@example.com", firstname="Ana", plan="gold")])
    assert (outcome.state, outcome.code, outcome.reference) == ("done", "adopted", person)
    assert contacts(portal) == {
        "7": {
            "email": "ana@example.com",
            "firstname": "Ana",
            "jobtitle": "Potter",
            "healthie_id": "7",
            "plan": "gold",
        }
    }
    assert send(write, item("7", plan="silver")) == {"k7": "done"}


def test_what_the_person_had_there_is_known_before_it_is_adopted(portal: StandIn, write: Write) -> None:
    portal.create(email="ana@example.com", firstname="Ana", plan="silver")
    send(write, item("2", email="b@example.com"))
    ask = [
        item("1", email="ana@example.com", firstname="Anabel", plan="gold"),
        item("3", email="b@example.com"),
        item("4", email="new@example.com"),
    ]

    assert write.present is not None
    assert write.present(ask) == {
        "k1": {"email": "ana@example.com", "firstname": "Ana", "plan": "silver"},
        "k3": None,
        "k4": None,
    }


def test_an_e_mail_of_another_patients_contact_is_for_a_person(portal: StandIn, write: Write) -> None:
    send(write, item("1", email="family@example.com", firstname="Ana"))
    before = contacts(portal)

    assert send(write, item("2", email="family@example.com", firstname="Ana")) == {
        "k2": "rejected email_taken"
    }
    assert contacts(portal) == before


def test_a_known_contact_is_not_mixed_with_one_that_has_its_new_e_mail(portal: StandIn, write: Write) -> None:
    send(write, item("1", email="old@example.com"))
    portal.create(email="new@example.com")
    before = contacts(portal)

    assert send(write, item("1", email="new@example.com")) == {"k1": "rejected email_taken"}
    assert contacts(portal) == before


def test_a_family_in_one_batch_adopts_nobody(portal: StandIn, write: Write) -> None:
    portal.create(email="family@example.com")
    before = contacts(portal)

    both = [item("1", email="family@example.com"), item("2", email="family@example.com")]
    assert send(write, *both, item("3", email="c@example.com")) == {
        "k1": "rejected email_shared",
        "k2": "rejected email_shared",
        "k3": "done",
    }
    assert {name: value for name, value in contacts(portal).items() if name != "3"} == before


def test_who_has_the_shared_e_mail_already_is_still_written(portal: StandIn, write: Write) -> None:
    send(write, item("1", email="family@example.com"))

    both = [item("1", email="family@example.com", plan="gold"), item("2", email="family@example.com")]
    assert send(write, *both) == {"k1": "done", "k2": "rejected email_shared"}
    assert contacts(portal)["1"]["plan"] == "gold"


def test_a_contact_of_another_first_name_is_for_a_person(portal: StandIn, write: Write) -> None:
    portal.create(email="family@example.com", firstname="Berta")

    assert send(write, item("1", email="family@example.com", firstname="Ana")) == {
        "k1": "rejected other_first_name"
    }


@pytest.mark.parametrize("held", ["Ana", "ana", "Ana Maria", "An"])
def test_a_longer_or_shorter_first_name_is_the_same_person(portal: StandIn, write: Write, held: str) -> None:
    portal.create(email="ana@example.com", firstname=held)

    assert send(write, item("1", email="ana@example.com", firstname="Ana")) == {"k1": "done adopted"}


def test_an_additional_e_mail_is_no_exact_one(portal: StandIn, write: Write) -> None:
    into, gone = portal.create(email="a@example.com"), portal.create(email="b@example.com")
    portal.merge(gone, into=into)

    assert send(write, item("1", email="b@example.com")) == {"k1": "rejected email_taken"}
    assert send(write, item("2", email="a@example.com")) == {"k2": "done adopted"}


def test_two_candidates_are_for_a_person(portal: StandIn, write: Write) -> None:
    portal.create(email="twice@example.com")
    portal.double("twice@example.com")
    before = contacts(portal)

    assert send(write, item("1", email="twice@example.com")) == {"k1": "rejected several_candidates"}
    assert contacts(portal) == before


def test_adoption_can_be_switched_off(portal: StandIn) -> None:
    portal.create(email="ana@example.com")
    connector = hubspot(portal, CONTACTS, options=HubSpotOptions(adopt=False))

    found = send(connector.writes()["upsert_contacts"], item("1", email="ana@example.com"))
    assert found == {"k1": "rejected email_taken"}
    connector.close()


def test_a_value_that_is_refused_of_one_adopted_contact_leaves_the_others(
    portal: StandIn, write: Write
) -> None:
    for name in ("a", "b"):
        portal.create(email=f"{name}@example.com")
    portal.property("plan", type="number", fieldType="number", groupName="contactinformation")

    found = send(
        write,
        item("1", email="a@example.com", plan="gold"),
        item("2", email="b@example.com", lastname="Brook"),
    )
    assert found == {"k1": "rejected invalid_value", "k2": "done adopted"}


def test_an_adoption_whose_answer_is_lost_is_sent_again_and_made_once(portal: StandIn) -> None:
    person = portal.create(email="ana@example.com")
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        write = connector.writes()["upsert_contacts"]
        send(write, item("9"))
        proxy.faults(Fault(trouble="reset_applied", path="/batch/update"))

        both = [item("1", email="ana@example.com"), item("2", email="b@example.com")]
        assert send(write, *both) == {"k1": "unknown cut_off", "k2": "done"}
        assert told(write.send(both[:1])) == {"k1": "done"}
        connector.close()
    assert [record["id"] for record in portal.records()].count(person) == 1
    assert len(contacts(portal)) == 3
