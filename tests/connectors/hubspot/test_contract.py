"""Every request is one that HubSpot's own client could have sent: its models know each field and its type.

HubSpot's specification may not be kept here; its client, which is generated from it, is Apache-2.0.
"""

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from pydantic import JsonValue

from connectors.hubspot import HubSpotOptions
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import COMPANIES, CONTACTS, hubspot, item
from tests.connectors.hubspot.test_properties import DIAGNOSIS

MODELS = (
    (r"/crm/objects/[^/]+/\w+/batch/upsert", "objects.models.BatchInputSimplePublicObjectBatchInputUpsert"),
    (r"/crm/objects/[^/]+/\w+/batch/update", "objects.models.BatchInputSimplePublicObjectBatchInput"),
    (r"/crm/objects/[^/]+/\w+/batch/read", "objects.models.BatchReadInputSimplePublicObjectId"),
    (r"/crm/objects/[^/]+/\w+/search", "objects.models.PublicObjectSearchRequest"),
    (r"/crm/properties/[^/]+/\w+/batch/create", "properties.models.BatchInputPropertyCreate"),
    (r"/crm/properties/[^/]+/\w+/groups", "properties.models.PropertyGroupCreate"),
    (
        r"/crm/associations/[^/]+/contacts/companies/batch/associate/default",
        "associations.v4.models.BatchInputPublicDefaultAssociationMultiPost",
    ),
)
LOOSER = {"sorts"}  # words to this client, and HubSpot takes objects with a direction, too
NEWER = {"dataSensitivity", "sensitiveDataCategories"}  # which this client is too old to know
PLAIN = {"str": str, "int": int, "bool": bool, "float": float}


def model(name: str) -> Any:
    package, _, kind = name.rpartition(".")
    return getattr(import_module(f"hubspot.crm.{package}"), kind)


def troubles(value: JsonValue, kind: str, models: Any, at: str = "") -> Iterator[str]:
    """Where a body is not of a model's type, by the client's own words for types."""
    if inner := re.fullmatch(r"list\[(.+)\]", kind):
        assert isinstance(value, list), at
        for each in value:
            yield from troubles(each, inner[1], models, f"{at}[]")
    elif inner := re.fullmatch(r"dict\[str, (.+)\]|dict\(str, (.+)\)", kind):
        assert isinstance(value, dict), at
        for each in value.values():
            yield from troubles(each, inner[1] or inner[2], models, f"{at}.*")
    elif kind in PLAIN:
        if type(value) is not PLAIN[kind]:
            yield f"{at}: {type(value).__name__}, not {kind}"
    elif kind != "object":
        yield from fields(value, getattr(models, kind), models, at)


def fields(value: JsonValue, kind: Any, models: Any, at: str) -> Iterator[str]:
    assert isinstance(value, dict), at
    known = {there: kind.openapi_types[ours] for ours, there in kind.attribute_map.items()}
    for name, each in value.items():
        if name not in known and name not in NEWER:
            yield f"{at}.{name}: unknown"
        elif name not in NEWER | LOOSER:
            yield from troubles(each, known[name], models, f"{at}.{name}")


@pytest.fixture
def requests(portal: StandIn) -> list[tuple[str, JsonValue]]:
    """One of everything that leaves."""
    portal.make_list("5", "Newsletter")
    portal.create(email="ana@example.com")
    connector = hubspot(portal, CONTACTS, COMPANIES)
    connector.check()
    writes = connector.writes()
    for _ in range(2):  # an adoption waits for the second time
        writes["upsert_contacts"].send([item("1", email="ana@example.com", visits=3), item("2", plan=None)])
    writes["upsert_companies"].send([item("1", payer_id="aetna", name="Aetna")])
    writes["add_to_list"].send([item("1", list_id="5")])
    for feed in connector.feeds([]):
        feed.fetch(None, None)
    list(connector.read(["1001"], ["email"]))
    other = hubspot(portal, DIAGNOSIS, options=HubSpotOptions(sensitivity={"diagnosis": "sensitive"}))
    other.prepare()
    for made in (connector, other):
        made.close()
    return [(str(one["path"]), one["body"]) for one in portal.requests() if one["body"] is not None]


def test_every_body_is_of_the_clients_model(requests: list[tuple[str, JsonValue]]) -> None:
    met: set[str] = set()
    for path, body in requests:
        if "/lists/" in path:
            assert isinstance(body, list)
            assert all(isinstance(one, str) for one in body)
            continue
        pattern, name = next(pair for pair in MODELS if re.fullmatch(pair[0], path))
        package = import_module(f"hubspot.crm.{name.rpartition('.')[0]}")
        met.add(pattern)

        assert list(fields(body, model(name), package, "")) == [], path
    assert met == {pattern for pattern, _ in MODELS}
