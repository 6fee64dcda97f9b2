"""The portal's properties: made where they lack, compared with the declaration, never changed."""

import pytest
from pydantic import JsonValue

from connectors.errors import Unauthorized
from connectors.hubspot import HubSpotOptions
from connectors.sandbox.hubspot import StandIn
from connectors.sandbox.proxy import Proxy
from connectors.tabular import Column, Drift, Table
from tests.connectors.hubspot.portals import COMPANIES, CONTACTS, contacts, hubspot, item, send

EVERY = Table(
    name="contacts",
    key=("healthie_id",),
    patient="healthie_id",
    columns={
        "healthie_id": Column(type="str"),
        "a_str": Column(type="str"),
        "a_int": Column(type="int"),
        "a_decimal": Column(type="decimal"),
        "a_bool": Column(type="bool"),
        "a_date": Column(type="date"),
        "a_datetime": Column(type="datetime"),
        "a_json": Column(type="json"),
    },
)
DIAGNOSIS = Table(
    name="contacts",
    key=("healthie_id",),
    patient="healthie_id",
    columns={"healthie_id": Column(type="str"), "diagnosis": Column(type="str")},
)
SENSITIVE = HubSpotOptions(sensitivity={"diagnosis": "sensitive"})


def test_missing_properties_are_made_once_and_then_fit(portal: StandIn) -> None:
    connector = hubspot(portal, EVERY)
    assert {drift.code for drift in connector.drift()} == {"missing_key", "missing_column"}

    connector.prepare()
    assert connector.drift() == []
    assert portal.counts()["definition"] == 2  # a group, and all properties at once
    fresh = hubspot(portal, EVERY)
    fresh.prepare()
    assert portal.counts()["definition"] == 2
    for made in (connector, fresh):
        made.close()


def test_the_key_is_unique_and_the_others_are_not(portal: StandIn) -> None:
    connector = hubspot(portal, EVERY)
    connector.prepare()
    sent = [one["body"] for one in portal.requests() if str(one["path"]).endswith("/batch/create")]
    connector.close()

    [body] = sent
    assert isinstance(body, dict)
    inputs = body["inputs"]
    assert isinstance(inputs, list)
    assert [one["name"] for one in inputs if isinstance(one, dict) and one["hasUniqueValue"]] == [
        "healthie_id"
    ]


def test_nothing_is_made_to_look_at_what_is_there(portal: StandIn) -> None:
    connector = hubspot(portal, EVERY)
    write = connector.writes()["upsert_contacts"]
    assert write.present is not None

    assert write.present([item("1", a_str="x")]) == {"k1": None}
    assert "definition" not in portal.counts()
    connector.close()


def test_a_property_of_another_type_is_told_and_not_written(portal: StandIn) -> None:
    portal.property("visits", type="string", groupName="contactinformation")
    connector = hubspot(portal, CONTACTS)
    write = connector.writes()["upsert_contacts"]

    assert connector.drift()[-1] == Drift("contacts", "visits", "wrong_type")
    assert send(write, item("1", visits=3), item("2", firstname="Ana")) == {
        "k1": "rejected schema_drift",
        "k2": "done",
    }
    connector.close()


def test_a_key_that_is_not_unique_stops_everything(portal: StandIn) -> None:
    portal.property("healthie_id", type="string", groupName="contactinformation", hasUniqueValue=False)
    connector = hubspot(portal, CONTACTS)

    assert send(connector.writes()["upsert_contacts"], item("1")) == {"k1": "rejected schema_drift"}
    assert connector.drift()[0] == Drift("contacts", "healthie_id", "missing_key")
    assert contacts(portal) == {}
    connector.close()


def test_an_option_of_a_person_is_written_and_an_unknown_one_is_not_made(portal: StandIn) -> None:
    options: list[JsonValue] = [{"label": "Gold", "value": "gold"}]
    portal.property("plan", type="enumeration", fieldType="select", options=options, groupName="own")
    connector = hubspot(portal, CONTACTS)

    assert send(connector.writes()["upsert_contacts"], item("1", plan="gold"), item("2", plan="lead")) == {
        "k1": "done",
        "k2": "rejected unknown_option",
    }
    connector.close()


def test_what_is_sensitive_is_made_so_and_read_back(portal: StandIn) -> None:
    connector = hubspot(portal, DIAGNOSIS, options=SENSITIVE)
    write = connector.writes()["upsert_contacts"]
    assert send(write, item("1", diagnosis="flu")) == {"k1": "done"}

    fresh = hubspot(portal, DIAGNOSIS, options=SENSITIVE)
    assert fresh.drift() == []
    present = fresh.writes()["upsert_contacts"].present
    assert present is not None
    assert present([item("1", diagnosis="")]) == {"k1": {"diagnosis": "flu"}}
    for made in (connector, fresh):
        made.close()


def test_what_is_sensitive_and_hidden_is_no_empty_value(portal: StandIn) -> None:
    connector = hubspot(portal, DIAGNOSIS, options=SENSITIVE)
    write = connector.writes()["upsert_contacts"]
    send(write, item("1", diagnosis="flu"))
    portal.configure(without_scopes=["crm.objects.contacts.sensitive.read"])

    assert write.present is not None
    with pytest.raises(Unauthorized):
        write.present([item("1", diagnosis="cold")])
    connector.close()


def test_what_is_sensitive_goes_into_no_plain_property(portal: StandIn) -> None:
    portal.property("diagnosis", groupName="contactinformation")
    connector = hubspot(portal, DIAGNOSIS, options=SENSITIVE)

    assert send(connector.writes()["upsert_contacts"], item("1", diagnosis="flu")) == {
        "k1": "rejected schema_drift"
    }
    assert contacts(portal) == {}
    connector.close()


def test_a_portal_without_sensitive_data_takes_none(portal: StandIn) -> None:
    portal.configure(sensitive_data=False)
    connector = hubspot(portal, DIAGNOSIS, options=SENSITIVE)

    assert send(connector.writes()["upsert_contacts"], item("1", diagnosis="flu")) == {
        "k1": "rejected schema_drift"
    }
    connector.close()


@pytest.mark.parametrize("whole", [[], ["VALIDATION_ERROR"]])
def test_a_property_that_a_person_takes_away_is_made_again(portal: StandIn, whole: list[JsonValue]) -> None:
    portal.configure(whole_batch=whole)
    connector = hubspot(portal, CONTACTS)
    write = connector.writes()["upsert_contacts"]
    send(write, item("1", plan="gold"))
    portal.take_away("plan")
    portal.reset()

    found = send(write, *(item(str(at), plan="gold") for at in range(2, 60)), item("1", visits=2))
    assert set(found.values()) == {"done"}
    assert portal.counts()["write"] == 2  # refused as a whole, and once more: never by halves
    connector.close()


def test_two_that_make_the_same_properties_do_not_disturb_each_other(portal: StandIn) -> None:
    other = hubspot(portal, CONTACTS)
    with Proxy(portal.url) as proxy:
        connector = hubspot(portal, CONTACTS, url=proxy.url)
        proxy.before(2, other.prepare, path="/groups")  # between the look and the making

        assert send(connector.writes()["upsert_contacts"], item("1", plan="gold")) == {"k1": "done"}
        connector.close()
    other.close()


def test_an_owner_is_no_option_of_the_property(portal: StandIn) -> None:
    portal.property("plan", type="enumeration", fieldType="select", externalOptions=True, groupName="own")
    connector = hubspot(portal, CONTACTS)

    assert send(connector.writes()["upsert_contacts"], item("1", plan="4711")) == {"k1": "done"}
    connector.close()


def test_what_the_portal_requires_is_told(portal: StandIn) -> None:
    portal.configure(required=["lastname"])
    connector = hubspot(portal, CONTACTS)
    write = connector.writes()["upsert_contacts"]

    assert send(write, item("1", firstname="Ana")) == {"k1": "rejected required_property"}
    assert send(write, item("1", lastname="Adler")) == {"k1": "done"}
    connector.close()


@pytest.mark.parametrize(
    ("tables", "options"),
    [
        ([CONTACTS.model_copy(update={"name": "people"})], HubSpotOptions()),
        (
            [CONTACTS, CONTACTS.model_copy(update={"name": "people"})],
            HubSpotOptions(objects={"people": "contacts"}),
        ),
        ([COMPANIES.model_copy(update={"name": "contacts"})], HubSpotOptions()),
        ([CONTACTS], HubSpotOptions(objects={"people": "contacts"})),
        ([CONTACTS], HubSpotOptions(sensitivity={"diagnosis": "sensitive"})),
    ],
)
def test_tables_that_no_portal_has_are_refused(
    portal: StandIn, tables: list[Table], options: HubSpotOptions
) -> None:
    with pytest.raises(ValueError, match=r"table|key|sensitivity|objects"):
        hubspot(portal, *tables, options=options)
