"""Which portal is reached, and which scopes the token lacks."""

from collections.abc import Callable, Collection, Sequence
from functools import partial

from pydantic import JsonValue

from connectors.base import Account
from connectors.errors import Rejected, Transient, Unknown
from connectors.hubspot.client import Client
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.failures import MissingScopes
from connectors.hubspot.schema import HIDDEN, live
from connectors.hubspot.wire import Batch, Listing, Properties


def account(
    client: Client, credentials: HubSpotCredentials, written: Sequence[str], read: Collection[str]
) -> Account:
    """The portal, asked about by harmless requests.

    Args:
        written: the types of records that are written.
        read: the properties of contacts that are read; one that is not there lacks, too.

    Raises Unauthorized if the token is of no portal, or Transient.
    """
    portal = client.portal
    missing: dict[str, None] = {}
    for kind in dict.fromkeys(("contacts", *written)):
        probes = (_properties, _search, _write) if kind in written else (_properties, _search)
        for probe in probes:
            missing |= dict.fromkeys(_lacks(probe, client, kind))
    if read and not missing:
        missing |= dict.fromkeys(_unseen(client, read))
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


def _unseen(client: Client, names: Collection[str]) -> list[str]:
    """The scopes without which some of these properties are not shown; or else the properties themselves."""
    there = live(client, "contacts", names)
    unseen = [name for name in names if name not in there]
    scopes: list[str] = []
    for sensitivity in HIDDEN if unseen else ():
        scopes += _lacks(partial(_hidden, sensitivity), client, "contacts")
    return scopes or [f"property {name} of contacts" for name in unseen]


def _hidden(sensitivity: str, client: Client, kind: str) -> None:
    client.listed(kind, sensitivity)


def _properties(client: Client, kind: str) -> None:
    client.read(client.sdk.properties.get_all, Properties, kind)


def _search(client: Client, kind: str) -> None:
    body: dict[str, JsonValue] = {"filterGroups": [], "sorts": [], "properties": [], "limit": 1}
    client.read(client.sdk.search.do_search, Listing, kind, body)


def _write(client: Client, kind: str) -> None:
    """Nothing is written: an empty batch is refused, for its scope first (UNVERIFIED) or for being empty."""
    try:
        client.write(client.sdk.batches.upsert, Batch, kind, {"inputs": []})
    except Rejected:
        return
    except Unknown as trouble:
        raise Transient(trouble.code, str(trouble)) from None
