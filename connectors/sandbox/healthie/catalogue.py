"""The practice itself: organisation, staff, groups, tags, plans, packages, appointment types, keys."""

from dataclasses import dataclass
from random import Random

from connectors.sandbox.healthie.rows import Row, names
from connectors.sandbox.healthie.state import State
from connectors.sandbox.healthie.viewers import Viewer
from connectors.sandbox.healthie.words import AREAS, FIRST, LAST, PAYERS

GROUPS = ("Self-pay", "Insurance", "Weight care", "Prénatal", "Alumni")
TAGS = ("VIP", "Needs interpreter", "Follow-up", "Follow-up", "No SMS", "Diabète", "Waitlist")  # a name twice
STAFF = 12
PERMISSIONS = names("""allow_group_level_actions can_access_calendar_quick_share can_access_zus
can_be_care_team_member can_charge_clients can_add_members can_delete_automations can_delete_charting_notes
can_delete_faxes can_edit_appointment_types can_edit_automations can_view_automations""")
SIGHT = names("""sees_all_clients sees_all_billing can_see_billing can_view_cms1500s can_view_super_bills
can_view_all_org_members_tasks can_remove_client can_create_tags can_view_audit_log is_developer is_admin""")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Ids of what patients refer to."""

    organization: str
    suborganization: str
    staff: tuple[str, ...]
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    plans: tuple[str, ...]
    offerings: tuple[str, ...]
    types: tuple[str, ...]
    physicians: tuple[str, ...]


def make_catalogue(state: State, draw: Random) -> Catalogue:
    organization = state.insert(
        "Organization",
        {
            "name": "Ferry Test Practice",
            "organization_email": "office@example.com",
            "is_active": True,
            "phone_number": "617-555-0100",
            "npi": "1234567893",
        },
    )
    home = str(organization["id"])
    below = state.insert(
        "Organization",
        {
            "name": "Ferry Test Practice North",
            "organization_email": "north@example.com",
            "is_active": True,
            "parent_organization_id": home,
        },
    )
    staff = _staff(state, draw, home)
    state.update("Organization", organization, {"owner_id": staff[0]})
    state.insert(
        "Location",
        {
            "user_id": staff[0],
            "name": "Main office",
            "line1": "1 Harbor Road",
            "city": "Boston",
            "state": "MA",
            "zip": "02118",
            "country": "US",
        },
    )
    _keys(state, staff)
    return Catalogue(home, str(below["id"]), staff, *_lists(state, staff, home))


def _staff(state: State, draw: Random, home: str) -> tuple[str, ...]:
    ids = list[str]()
    for at in range(STAFF):
        first, last = draw.choice(FIRST), draw.choice(LAST)
        row = state.insert(
            "User",
            {
                "first_name": first,
                "last_name": last,
                "email": f"staff{at}@example.com",
                "is_patient": False,
                "active": True,
                "timezone": "America/New_York",
                "organization_id": home,
                "npi": f"19999999{at:02}",
                "phone_number": f"{draw.choice(AREAS)}-555-01{at:02}",
                "is_owner": at == 0,
                "is_org_admin": at == 0,
                "has_api_access": at < 2,
                "is_active_provider": at > 0,
            },
        )
        ids.append(str(row["id"]))
        sight: Row = dict.fromkeys(SIGHT, at == 0)
        plain: Row = dict.fromkeys(PERMISSIONS, False)
        state.insert(
            "OrganizationMembership",
            {
                **plain,
                **sight,
                "user_id": row["id"],
                "organization_id": home,
                "can_see_clients": True,
                "can_add_clients": True,
                "can_see_calendar": True,
                "is_provider": at > 0,
                "org_role": "Standard" if at else "Admin",
            },
        )
    return tuple(ids)


def _keys(state: State, staff: tuple[str, ...]) -> None:
    """Two keys: the service account that sees all, and one of a provider that sees its own patients."""
    state.viewers["gh_sbox_all_5f2c9d"] = Viewer(staff[0], sees_all=True, zone="America/New_York")
    state.viewers["gh_sbox_narrow_81ab3e"] = Viewer(staff[1], sees_all=False, zone="America/Phoenix")


def _offerings() -> list[Row]:
    return [
        {
            "name": name,
            "price": price,
            "currency": "usd",
            "billing_frequency": often,
            "archived": name == "Old plan",
            "visibility_status": "visible",
        }
        for name, price, often in (
            ("Membership", "99.00", "Monthly"),
            ("Starter package", "250.00", "One Time"),
            ("Old plan", "49.00", "Monthly"),
        )
    ]


def _types(home: str) -> list[Row]:
    return [
        {"name": name, "length": length, "is_group": group, "organization_id": home, "clients_can_book": True}
        for name, length, group in (
            ("Initial Consult", 60, False),
            ("Follow-up", 30, False),
            ("Nutrition Group", 45, True),
            ("Suivi à domicile", 50, False),
        )
    ]


def _physicians(provider: str) -> list[Row]:
    ashdown: Row = {"first_name": "Irma", "last_name": "Ashdown", "npi": "1888888888"}
    gladwell: Row = {"first_name": "Otto", "last_name": "Gladwell", "npi": "1777777777"}
    return [
        {**ashdown, "business_name": "Ashdown Clinic", "provider_id": provider},
        {**gladwell, "provider_id": provider},
    ]


def _lists(state: State, staff: tuple[str, ...], home: str) -> tuple[tuple[str, ...], ...]:
    def make(kind: str, rows: list[Row]) -> tuple[str, ...]:
        return tuple(str(state.insert(kind, row)["id"]) for row in rows)

    payers: list[Row] = [{"payer_id": code, "payer_name": name, "is_custom": False} for code, name in PAYERS]
    groups = make("UserGroup", [{"name": name} for name in GROUPS])
    tags = make("Tag", [{"name": name, "user_id": staff[at % 3]} for at, name in enumerate(TAGS)])
    plans = make("InsurancePlan", payers)
    offerings = make("Offering", _offerings())
    types = make("AppointmentType", _types(home))
    physicians = make("ReferringPhysician", _physicians(staff[0]))
    return groups, tags, plans, offerings, types, physicians
