"""A contact that a person made becomes the patient's without doubt, or waits for a person's look."""

from collections.abc import Iterator

import pytest

from connectors.hubspot import HubSpot, HubSpotOptions
from connectors.operation import Write
from connectors.sandbox.faults import Fault, Trouble
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from tests.connectors.hubspot.portals import CONTACTS, contacts, hubspot, item, send, settle, told
from tests.connectors.settling import settled


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

    asked = item("7", email="ana@example.com", firstname="Ana", plan="gold")
    assert send(write, asked) == {"k7": "unknown adoption_waits"}
    [outcome] = write.send([asked])
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


def test_a_family_in_two_batches_adopts_nobody(portal: StandIn, write: Write) -> None:
    portal.create(email="family@example.com", firstname="Ana")
    before = contacts(portal)
    first = [item("1", email="family@example.com", firstname="Ana")]
    second = [item("2", email="family@example.com", firstname="Berta")]

    assert send(write, *first) == {"k1": "unknown adoption_waits"}
    assert send(write, *second) == {"k2": "rejected other_first_name"}
    assert send(write, *first) == {"k1": "rejected email_shared"}
    assert contacts(portal) == before


def test_a_family_that_waits_for_a_person_is_known_to_a_later_batch(portal: StandIn, write: Write) -> None:
    portal.create(email="family@example.com")
    send(write, item("1", email="family@example.com"), item("2", email="family@example.com"))

    assert settle(write, item("3", email="family@example.com")) == {"k3": "rejected email_shared"}


@pytest.mark.parametrize("other", ["2", "3"])
def test_an_e_mail_that_becomes_free_in_the_same_batch_is_taken(
    portal: StandIn, write: Write, other: str
) -> None:
    send(write, item("1", email="a@example.com"), item("2", email="b@example.com"))

    moved = [item(other, email="a@example.com"), item("1", email="c@example.com")]
    assert send(write, *moved) == {"k1": "done", f"k{other}": "done"}
    held = contacts(portal)
    assert (held["1"]["email"], held[other]["email"]) == ("c@example.com", "a@example.com")


def test_a_conflict_of_another_value_is_not_told_as_one_of_the_e_mail(portal: StandIn, write: Write) -> None:
    portal.take_away("plan")
    portal.property("plan", hasUniqueValue=True, groupName="contactinformation")
    send(write, item("1", email="a@example.com", plan="gold"), item("2", email="b@example.com"), item("3"))

    found = send(write, item("2", email="b@example.com", plan="gold"), item("3", plan="gold"))
    assert found == {"k2": "rejected conflict", "k3": "rejected conflict"}


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

    assert settle(write, item("1", email="ana@example.com", firstname="Ana")) == {"k1": "done adopted"}


def test_an_additional_e_mail_is_no_exact_one(portal: StandIn, write: Write) -> None:
    into, gone = portal.create(email="a@example.com"), portal.create(email="b@example.com")
    portal.merge(gone, into=into)

    assert send(write, item("1", email="b@example.com")) == {"k1": "rejected email_taken"}
    assert settle(write, item("2", email="a@example.com")) == {"k2": "done adopted"}


def test_two_candidates_are_for_a_person(portal: StandIn, write: Write) -> None:
    portal.create(email="twice@example.com")
    portal.double("twice@example.com")
    before = contacts(portal)

    assert send(write, item("1", email="twice@example.com")) == {"k1": "rejected several_candidates"}
    assert contacts(portal) == before


def test_many_long_e_mails_are_searched_for_in_parts(portal: StandIn, write: Write) -> None:
    emails = [f"{'long' * 40}{at}@example.com" for at in range(60)]
    for email in emails:
        portal.create(email=email)

    found = settle(write, *(item(str(at), email=email) for at, email in enumerate(emails)))
    assert set(found.values()) == {"done adopted"}


def test_what_is_no_e_mail_is_looked_for_by_nobody(portal: StandIn, write: Write) -> None:
    asked = [item("1", email="no address"), item("2", email="no address"), item("3", email="x" * 3000)]
    portal.reset()

    assert write.present is not None
    assert write.present(asked) == {"k1": None, "k2": None, "k3": None}
    assert portal.counts() == {"read": 1}
    assert set(send(write, *asked).values()) == {"rejected invalid_email"}


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

    found = settle(
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
        assert send(write, *both) == {"k1": "unknown adoption_waits", "k2": "done"}
        assert send(write, *both) == {"k1": "unknown cut_off", "k2": "done"}
        assert told(write.send(both[:1])) == {"k1": "done"}
        connector.close()
    assert [record["id"] for record in portal.records()].count(person) == 1
    assert len(contacts(portal)) == 3


TROUBLES: list[Trouble] = ["429", "503", "503_applied", "reset", "reset_applied", "half", "html_applied"]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_request_fails_each_contact_is_adopted_once(portal: StandIn, trouble: Trouble) -> None:
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        connector.prepare()
        write = connector.writes()["upsert_contacts"]
        for at in range(1, 9):  # of the requests of two sends; a read's are tried again
            portal.forget_records()
            persons = {portal.create(email=f"{name}{at}@example.com") for name in "ab"}
            asked = [item(name, email=f"{name}{at}@example.com", plan="gold") for name in "abc"]
            proxy.faults(Fault(trouble=trouble, request=at, retry_after="0"))
            found = settled(write, asked, calls=1)

            assert found.of("done") == {"ka", "kb", "kc"}, at
            ids = {found.outcomes[name].reference for name in ("ka", "kb")}
            assert (len(portal.records()), ids) == (3, persons), at
            assert all(held["plan"] == "gold" for held in contacts(portal).values()), at
        connector.close()
