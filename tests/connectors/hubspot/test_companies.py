"""Companies by their own key, each with the contacts of its patients; and static lists."""

from collections.abc import Iterator

import pytest

from connectors.errors import Unknown
from connectors.hubspot import HubSpot
from connectors.sandbox.faults import Fault
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from tests.connectors.hubspot.portals import COMPANIES, CONTACTS, hubspot, item, send


@pytest.fixture
def connector(portal: StandIn) -> Iterator[HubSpot]:
    made = hubspot(portal, CONTACTS, COMPANIES)
    send(made.writes()["upsert_contacts"], *(item(str(at)) for at in range(3)))
    yield made
    made.close()


def names(portal: StandIn) -> list[object]:
    found = [record["properties"] for record in portal.records(kind="companies")]
    return [one.get("name") for one in found if isinstance(one, dict)]


def test_a_company_of_many_patients_is_one(portal: StandIn, connector: HubSpot) -> None:
    write = connector.writes()["upsert_companies"]

    found = send(
        write,
        item("0", payer_id="aetna", name="Aetna"),
        item("1", payer_id="aetna", name="Aetna Inc"),
        item("2", payer_id="cigna", name="Cigna"),
    )
    assert found == {"k0": "done", "k1": "done", "k2": "done"}
    assert names(portal) == ["Aetna Inc", "Cigna"]
    assert portal.links() == [["1001", "1001"], ["1002", "1001"], ["1003", "1002"]]
    assert write.present is not None
    assert write.present([item("1", payer_id="aetna", name="")])["k1"] == {
        "payer_id": "aetna",
        "name": "Aetna Inc",
    }


def test_sent_again_it_is_the_same(portal: StandIn, connector: HubSpot) -> None:
    write = connector.writes()["upsert_companies"]
    for _ in range(2):
        send(write, item("0", payer_id="aetna", name="Aetna"))

    assert names(portal) == ["Aetna"]
    assert portal.links() == [["1001", "1001"]]


def test_without_the_patients_contact_no_company_is_made(portal: StandIn, connector: HubSpot) -> None:
    write = connector.writes()["upsert_companies"]

    assert send(write, item("77", payer_id="aetna", name="Aetna")) == {"k77": "rejected no_contact"}
    assert names(portal) == []


def test_a_company_whose_association_is_lost_is_sent_again(portal: StandIn) -> None:
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, COMPANIES, url=proxy.url)
        send(connector.writes()["upsert_contacts"], item("0"))
        write = connector.writes()["upsert_companies"]
        proxy.faults(Fault(trouble="503", path="/associations/"))

        assert send(write, item("0", payer_id="aetna", name="Aetna")) == {"k0": "unknown http_503"}
        assert send(write, item("0", payer_id="aetna", name="Aetna")) == {"k0": "done"}
        connector.close()
    assert portal.links() == [["1001", "1001"]]


def test_a_contact_goes_into_a_static_list_and_out_of_it(portal: StandIn, connector: HubSpot) -> None:
    portal.make_list("5", "Newsletter")
    add, remove = connector.writes()["add_to_list"], connector.writes()["remove_from_list"]

    assert send(add, item("0", list_id="5"), item("1", list_id="5")) == {"k0": "done", "k1": "done"}
    assert portal.members("5") == ["1001", "1002"]
    assert add.present is not None
    assert add.present([item("0", list_id="5"), item("2", list_id="5")]) == {
        "k0": {"list_id": "5"},
        "k2": None,
    }
    assert send(remove, item("0", list_id="5"), item("77", list_id="5")) == {"k0": "done", "k77": "done"}
    assert portal.members("5") == ["1002"]
    assert add.opposite == remove.name


def test_what_needs_a_contact_waits_until_that_is_settled(portal: StandIn) -> None:
    portal.make_list("5", "Newsletter")
    portal.create(email="ana@example.com")
    family = portal.create(email="family@example.com")
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, COMPANIES, url=proxy.url)
        writes = connector.writes()
        add, companies = writes["add_to_list"], writes["upsert_companies"]
        send(writes["upsert_contacts"], item("9"))
        asked = [item("1", email="ana@example.com"), item("2", email="family@example.com")]
        assert set(send(writes["upsert_contacts"], *asked).values()) == {"unknown adoption_waits"}
        proxy.faults(Fault(trouble="503", path="/batch/upsert"))
        with pytest.raises(Unknown):
            writes["upsert_contacts"].send([item("3")])
        listed = [item(name, list_id="5") for name in ("1", "2", "3", "4")]

        assert send(add, *listed) == {
            "k1": "unknown contact_waits",
            "k2": "unknown contact_waits",
            "k3": "unknown contact_waits",
            "k4": "rejected no_contact",
        }
        assert send(companies, item("1", payer_id="aetna", name="Aetna")) == {"k1": "unknown contact_waits"}
        assert send(writes["remove_from_list"], *listed[:1]) == {"k1": "unknown contact_waits"}
        send(writes["upsert_contacts"], item("5", email="family@example.com"))
        send(writes["upsert_contacts"], *asked, item("3"))
        assert send(add, *listed[:3]) == {"k1": "done", "k2": "rejected no_contact", "k3": "done"}
        connector.close()
    assert family not in portal.members("5")


def test_a_contact_that_vanishes_meanwhile_is_told(portal: StandIn) -> None:
    portal.make_list("5", "Newsletter")
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        send(connector.writes()["upsert_contacts"], item("0"), item("1"))
        proxy.forget()
        proxy.before(1, lambda: portal.archive("1001"), path="/memberships/add")

        found = send(connector.writes()["add_to_list"], item("0", list_id="5"), item("1", list_id="5"))
        connector.close()
    assert found == {"k0": "rejected no_contact", "k1": "done"}
    assert portal.members("5") == ["1002"]


def test_what_no_list_takes_is_told(portal: StandIn, connector: HubSpot) -> None:
    portal.make_list("5", "Newsletter")
    portal.make_list("6", "All of Reno", processing_type="DYNAMIC")
    add = connector.writes()["add_to_list"]

    found = send(
        add,
        item("77", list_id="5"),
        item("0", "dynamic", list_id="6"),
        item("0", "unknown", list_id="7"),
        item("0", "wrong", list_id="seven"),
    )
    assert found == {
        "k77": "rejected no_contact",
        "dynamic": "rejected invalid_value",
        "unknown": "rejected no_record",
        "wrong": "rejected invalid_value",
    }


def test_the_lookup_shows_the_declared_columns_alone(portal: StandIn, connector: HubSpot) -> None:
    portal.edit("1001", jobtitle="Potter", firstname="Ana")
    look = connector.lookups()["get_contact"]

    shown = look.answer("0", {})
    assert isinstance(shown, dict)
    assert shown["firstname"] == "Ana"
    assert "jobtitle" not in shown
    assert set(shown) == set(look.categories)
    assert look.answer("77", {}) is None
