"""Who the key acts as, and whether that account may see what an integration reads."""

from collections.abc import Collection, Mapping
from typing import Final

from pydantic import JsonValue

from connectors.base import Account
from connectors.errors import Unauthorized
from connectors.healthie.client import Client

WHO_AM_I: Final = """query WhoAmI {
  currentUser {
    id
    timezone
    organization { id }
    organization_membership {
      id
      can_see_clients
      sees_all_clients
      can_see_calendar
      can_see_billing
      sees_all_billing
      can_view_cms1500s
      can_view_all_org_members_tasks
    }
  }
}"""

# without them Healthie's lists are silently shorter, no errors
EVERYTHING: Final = ("can_see_clients", "sees_all_clients")
BY_AREA: Final[Mapping[str, tuple[str, ...]]] = {
    "appointments": ("can_see_calendar",),
    "requested_payments": ("can_see_billing", "sees_all_billing"),
    "billing_items": ("can_see_billing", "sees_all_billing"),
    "user_package_selections": ("can_see_billing", "sees_all_billing"),
    "cms1500s": ("can_view_cms1500s",),
    "tasks": ("can_view_all_org_members_tasks",),
}


# A target's: its looks list the patient's tasks, and a task that is not seen would be made twice
BY_WRITING: Final = ("can_view_all_org_members_tasks",)


def account(client: Client, host: str, *, sandbox: bool, areas: Collection[str] | None) -> Account:
    """The organization that the key belongs to, and which permissions for these areas it lacks.

    Without areas: for what is written.

    Raises Unauthorized if the key is of no account.
    """
    user = client.run(WHO_AM_I, {}).data.get("currentUser")
    if not isinstance(user, dict):
        raise Unauthorized("unauthorized", "healthie: the key belongs to no account")
    membership, organization = user.get("organization_membership"), user.get("organization")
    more = BY_WRITING if areas is None else [flag for area in areas for flag in BY_AREA.get(area, ())]
    needed = dict.fromkeys((*EVERYTHING, *more))
    missing = tuple(flag for flag in needed if not _granted(membership, flag))
    identity = organization.get("id") if isinstance(organization, dict) else None
    if identity is None:
        raise Unauthorized("unauthorized", "healthie: the key's account belongs to no organization")
    name = f"{host}/organization/{identity}"
    return Account(system="healthie", identity=name, sandbox=sandbox, missing=missing)


def _granted(membership: JsonValue, flag: str) -> bool:
    return isinstance(membership, dict) and membership.get(flag) is True
