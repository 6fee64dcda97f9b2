"""Which portal is reached, and which scopes the token lacks."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from connectors.base import Account
from connectors.hubspot.client import Client
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.failures import MissingScopes
from connectors.hubspot.wire import Listing, Properties


def account(client: Client, credentials: HubSpotCredentials, kinds: Sequence[str]) -> Account:
    """The portal, asked about by harmless reads; for these types of records beside contacts.

    Raises Unauthorized if the token is of no portal, or Transient.
    """
    portal = client.portal
    missing: dict[str, None] = {}
    for kind in dict.fromkeys(("contacts", *kinds)):
        for probe in (_properties, _search):
            missing |= dict.fromkeys(_lacks(probe, client, kind))
    return Account(
        system="hubspot",
        identity=f"{credentials.host}/portal/{portal.portal_id}",
        sandbox=credentials.sandbox,
        missing=tuple(missing),
    )


def _lacks(probe: Callable[[Client, str], object], client: Client, kind: str) -> tuple[str, ...]:
    try:
        probe(client, kind)
    except MissingScopes as lacking:
        return lacking.scopes or ("a scope that HubSpot does not name",)
    return ()


def _properties(client: Client, kind: str) -> None:
    client.read(client.sdk.properties.get_all, Properties, kind)


def _search(client: Client, kind: str) -> None:
    body: dict[str, JsonValue] = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1}
    client.read(client.sdk.search.do_search, Listing, kind, body)
