"""The stand-in keeps HubSpot's rules, asked by plain HTTP and by nothing of the connector's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import JsonValue

from connectors.sandbox.hubspot import StandIn

OBJECTS = "/crm/objects/2026-09/contacts"
Json = dict[str, JsonValue]


@pytest.fixture
def http(portal: StandIn) -> Iterator[httpx.Client]:
    portal.property("key", hasUniqueValue=True, groupName="own")
    headers = {"Authorization": f"Bearer {portal.token}"}
    with httpx.Client(base_url=portal.url, headers=headers, trust_env=False) as client:
        yield client


def upsert(http: httpx.Client, *inputs: tuple[str, dict[str, str]]) -> httpx.Response:
    body = {
        "inputs": [
            {"id": key, "idProperty": "key", "objectWriteTraceId": str(at), "properties": properties}
            for at, (key, properties) in enumerate(inputs)
        ]
    }
    return http.post(f"{OBJECTS}/batch/upsert", json=body)


def search(http: httpx.Client, *filters: tuple[str, str, str], **more: JsonValue) -> httpx.Response:
    group = [{"propertyName": name, "operator": test, "value": value} for name, test, value in filters]
    return http.post(f"{OBJECTS}/search", json={"filterGroups": [{"filters": group}], **more})


def test_the_undated_paths_are_switched_off(http: httpx.Client) -> None:
    assert http.get("/crm/v3/objects/contacts").status_code == 404
    assert http.get(OBJECTS).status_code == 200
    assert httpx.get(f"{http.base_url}{OBJECTS}", trust_env=False).status_code == 401


def test_an_upsert_makes_one_and_then_changes_it(http: httpx.Client) -> None:
    first = upsert(http, ("1", {"email": "Ana@Example.com"})).json()["results"][0]
    again = upsert(http, ("1", {"firstname": "Ana"})).json()["results"][0]

    assert (first["new"], again["new"]) == (True, False)
    assert first["id"] == again["id"]
    assert first["properties"]["email"] == "ana@example.com"
    assert http.get(OBJECTS).json()["results"][0]["id"] == first["id"]


def test_an_e_mail_is_one_contacts_also_as_an_additional_one(portal: StandIn, http: httpx.Client) -> None:
    a, b = portal.create(email="a@example.com"), portal.create(email="b@example.com")
    portal.merge(b, into=a)

    for email in ("a@example.com", "b@example.com"):
        answer = upsert(http, ("1", {"email": email}))
        [error] = answer.json()["errors"]
        assert answer.status_code == 207
        assert error["category"] == "CONFLICT"
        assert error["context"]["objectWriteTraceId"] == ["0"]
        assert a in error["message"]


def test_one_refused_input_is_a_207_and_the_others_are_written(http: httpx.Client) -> None:
    answer = upsert(http, ("1", {"email": "none"}), ("2", {"firstname": "Ben"}), ("3", {"no_such": "x"}))

    assert answer.status_code == 207
    assert [one["objectWriteTraceId"] for one in answer.json()["results"]] == ["1"]
    codes = {
        one["context"]["objectWriteTraceId"][0]: one["errors"][0]["code"] for one in answer.json()["errors"]
    }
    assert codes == {"0": "INVALID_EMAIL", "2": "PROPERTY_DOESNT_EXIST"}


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": []},
        {"inputs": [{"id": "1", "idProperty": "key", "properties": {"firstname": 3}}]},
        {"inputs": [{"id": "1", "idProperty": "key", "properties": {"firstname": None}}]},
        {"inputs": [{"id": str(at), "idProperty": "key", "properties": {}} for at in range(101)]},
        {"inputs": [{"id": "1", "idProperty": "key", "properties": {}}] * 2},
    ],
)
def test_what_is_no_batch_is_refused(http: httpx.Client, body: Json) -> None:
    assert http.post(f"{OBJECTS}/batch/upsert", json=body).status_code == 400


def test_an_archived_contact_frees_its_values_and_leaves_the_search(
    portal: StandIn, http: httpx.Client
) -> None:
    person = portal.create(email="a@example.com")
    portal.archive(person)

    assert upsert(http, ("1", {"email": "a@example.com"})).status_code == 200
    assert search(http, ("hs_object_id", "GT", "0")).json()["total"] == 1
    archived = http.get(OBJECTS, params={"archived": "true"}).json()["results"]
    assert [one["id"] for one in archived] == [person]
    assert archived[0]["archivedAt"].endswith("Z")


def test_the_search_is_late_and_a_read_is_not(portal: StandIn, http: httpx.Client) -> None:
    portal.configure(search_lag=60)
    person = portal.create(firstname="Ana")
    body = {"inputs": [{"id": person}], "properties": ["firstname"]}

    assert search(http, ("hs_object_id", "GT", "0")).json()["total"] == 0
    assert (
        http.post(f"{OBJECTS}/batch/read", json=body).json()["results"][0]["properties"]["firstname"] == "Ana"
    )
    portal.advance_clock(61)
    assert search(http, ("hs_object_id", "GT", "0")).json()["total"] == 1


def test_the_search_ends_at_ten_thousand(portal: StandIn, http: httpx.Client) -> None:
    portal.seed(200, one_stamp=200)

    assert search(http, limit=200, after="9800").status_code == 200
    assert search(http, limit=200, after="9900").status_code == 400
    assert search(http, limit=201).status_code == 400
    assert search(http, *[("firstname", "EQ", "x")] * 7).status_code == 400
    assert search(http, ("firstname", "EQ", "x" * 3000)).status_code == 400


def test_a_keyset_walks_over_one_stamp(portal: StandIn, http: httpx.Client) -> None:
    portal.seed(450, one_stamp=400)
    since = str(int((datetime.now(UTC) - timedelta(minutes=70)).timestamp() * 1000))
    seen: list[str] = []
    last = "0"
    while True:
        sort = [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
        filters = (("lastmodifieddate", "GTE", since), ("hs_object_id", "GT", last))
        found = search(http, *filters, sorts=sort, limit=200).json()
        seen += [one["id"] for one in found["results"]]
        if found["total"] <= len(found["results"]):
            break
        last = seen[-1]

    assert len(seen) == len(set(seen)) == 400


def test_a_limit_says_which_one_it_is(portal: StandIn, http: httpx.Client) -> None:
    portal.configure(searches=2)
    assert [search(http).status_code for _ in range(3)] == [200, 200, 429]
    assert search(http).json()["policyName"] == "SECONDLY"

    portal.configure(daily=1, searches=None)
    http.get(OBJECTS)
    assert http.get(OBJECTS).json()["policyName"] == "DAILY"
    portal.advance_clock(86_400)
    assert http.get(OBJECTS).status_code == 200


def test_a_missing_scope_is_named(portal: StandIn, http: httpx.Client) -> None:
    portal.configure(without_scopes=["crm.objects.contacts.write"])

    answer = upsert(http, ("1", {}))
    assert answer.status_code == 403
    assert answer.json()["context"]["missingScopes"] == ["crm.objects.contacts.write"]


def test_no_more_than_ten_properties_are_unique(http: httpx.Client) -> None:
    made = [
        http.post(
            "/crm/properties/2026-09/contacts/batch/create",
            json={
                "inputs": [
                    {
                        "name": f"unique_{at}",
                        "label": "U",
                        "type": "string",
                        "fieldType": "text",
                        "groupName": "contactinformation",
                        "hasUniqueValue": True,
                    }
                ]
            },
        ).status_code
        for at in range(10)
    ]

    assert made == [201] * 9 + [207]
