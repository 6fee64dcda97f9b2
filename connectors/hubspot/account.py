"""Which portal is reached, and which scopes the token lacks."""

from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Final

from pydantic import JsonValue

from connectors.base import Account
from connectors.hubspot.client import Client
from connectors.hubspot.credentials import HubSpotCredentials
from connectors.hubspot.failures import MissingScopes
from connectors.hubspot.fields import catalogue
from connectors.hubspot.schema import HIDDEN, live
from connectors.hubspot.wire import Listing, Properties

TRIALS: Final = frozenset({"SANDBOX", "DEVELOPER_TEST"})  # types of portals, neither a practice's


def account(
    client: Client, credentials: HubSpotCredentials, written: Sequence[str], read: Collection[str]
) -> Account:
    """The portal, asked about by harmless reads: a scope of writing that lacks is named by the first write.

    Args:
        written: the types of records that are written.
        read: the properties of contacts that are read; one that is not there lacks, too.

    Raises Unauthorized if the token is of no portal, or Transient.
    """
    portal = client.portal
    missing: dict[str, None] = {}
    for kind in dict.fromkeys(("contacts", *written)):
        for probe in (_properties, _search):
            missing |= dict.fromkeys(_lacks(probe, client, kind))
    if read and not missing:
        missing |= dict.fromkeys(_unseen(client, read))
    return Account(
        system="hubspot",
        identity=f"{credentials.host}/portal/{portal.portal_id}",
        sandbox=portal.account_type in TRIALS,
        missing=tuple(missing),
    )


def portal_of(account: Account) -> str:
    """HubSpot's number of the portal."""
    return account.identity.rpartition("/")[2]


def _lacks(probe: Callable[[Client, str], object], client: Client, kind: str) -> tuple[str, ...]:
    try:
        probe(client, kind)
    except MissingScopes as lacking:
        return lacking.scopes or ("a scope that HubSpot does not name",)
    return ()


def _unseen(client: Client, names: Collection[str]) -> list[str]:
    """The scopes without which some of these properties are not shown; or else the properties themselves.

    Of the portal's own alone: not every portal has all of HubSpot's.
    """
    own = [name for name in names if name not in set(catalogue())]
    there = live(client, "contacts", own) if own else {}
    unseen = [name for name in own if name not in there]
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
