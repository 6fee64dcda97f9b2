"""The way to HubSpot: the dated API alone, and nothing of an answer in an error."""

import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from connectors.errors import ConnectorError
from connectors.hubspot import HubSpotCredentials
from connectors.hubspot.client import Client
from connectors.hubspot.versions import dated
from connectors.hubspot.wire import Listing
from connectors.sandbox.hubspot import StandIn
from tests.connectors.hubspot.portals import COMPANIES, CONTACTS, PATIENCE, hubspot, item


@pytest.mark.parametrize(
    ("undated", "there"),
    [
        ("/crm/v3/objects/contacts/batch/upsert", "/crm/objects/2026-09/contacts/batch/upsert"),
        ("/crm/v3/objects/contacts", "/crm/objects/2026-09/contacts"),
        ("/crm/v3/properties/contacts/groups", "/crm/properties/2026-09/contacts/groups"),
        ("/crm/v3/lists/7/memberships/add", "/crm/lists/2026-09/7/memberships/add"),
        (
            "/crm/v4/associations/contacts/companies/batch/associate/default",
            "/crm/associations/2026-09/contacts/companies/batch/associate/default",
        ),
        ("/account-info/v3/details", "/account-info/2026-03/details"),
    ],
)
def test_every_path_is_moved_to_its_dated_place(undated: str, there: str) -> None:
    assert dated(undated) == there


@pytest.mark.parametrize("path", ["/crm/v3/imports", "/oauth/v1/token", "/crm/v3/objectsother/x"])
def test_a_path_without_a_dated_place_is_not_sent(path: str) -> None:
    with pytest.raises(ValueError, match="dated"):
        dated(path)


def test_only_dated_paths_are_asked_for(portal: StandIn) -> None:
    portal.make_list("5", "Newsletter")
    connector = hubspot(portal, CONTACTS, COMPANIES)
    connector.check()
    writes = connector.writes()
    writes["upsert_contacts"].send([item("1", email="a@example.com"), item("2")])
    writes["upsert_companies"].send([item("1", payer_id="aetna", name="Aetna")])
    writes["add_to_list"].send([item("1", list_id="5")])
    for sent in (writes["upsert_contacts"].present, writes["add_to_list"].present):
        assert sent is not None
        sent([item("1", list_id="5")])
    list(connector.everyone())
    for feed in connector.feeds([]):
        feed.fetch(None, None)
    connector.close()

    requests = portal.requests()
    assert len({request["path"] for request in requests}) > 12
    assert {request["status"] for request in requests} <= {200, 201, 207}
    assert all("/2026-0" in str(request["path"]) for request in requests)


def test_an_error_quotes_nothing_of_its_answer(portal: StandIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    portal.configure(whole_batch=["VALIDATION_ERROR"])
    client = Client(
        HubSpotCredentials(url=portal.url, access_token=SecretStr(portal.token), patience=PATIENCE),
        read_only=False,
    )
    body = {"inputs": [{"id": "Zephyrine", "properties": {"zephyrine": "Zephyrine"}}]}
    with pytest.raises(ConnectorError) as refused:
        client.write(client.sdk.batches.update, Listing, "contacts", body)
    client.close()

    told = "".join(traceback.format_exception(refused.value)) + caplog.text
    assert "zephyrine" not in told.lower()
    assert portal.token not in told
    assert str(refused.value).startswith("hubspot: ")


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys, connectors.hubspot; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('hubspot', 'urllib3')])"
    )
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("token", ["", "two words", "lín"])
def test_a_token_that_no_header_takes_is_refused(token: str) -> None:
    with pytest.raises(ValidationError):
        HubSpotCredentials(access_token=SecretStr(token))


def test_two_tokens_are_two_apps_and_one_is_one() -> None:
    one, same, other = (HubSpotCredentials(access_token=SecretStr(text)) for text in ("a", "a", "b"))

    assert one.app == same.app != other.app
    assert "secret" not in HubSpotCredentials(access_token=SecretStr("secret")).app
