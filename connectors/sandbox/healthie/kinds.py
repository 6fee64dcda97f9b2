"""Kinds: the tables of the stand-in, the orders in which they can be listed, and who owns their rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from zlib import crc32

from connectors.sandbox.healthie.rows import Row, micros, moment, number, text
from connectors.sandbox.healthie.table import Key, KeyOf, Table


class Finds(Protocol):
    def find(self, kind: str, id_: str | None) -> Row | None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One table. Every type's ids start elsewhere, so that an id of the wrong type is never found."""

    name: str
    first_id: int
    by: tuple[str, ...] = ()  # stored fields that an order NAME_ASC / NAME_DESC sorts by
    owners: tuple[str, ...] = ()


STAMPS = ("created_at", "updated_at")
KINDS = (
    Kind(
        "User",
        1_000_000,
        (*STAMPS, "first_name", "last_name", "email"),
        ("user_group_id", "dietitian_id", "email"),
    ),
    Kind("Location", 2_000_000, (), ("user_id",)),
    Kind("Policy", 3_000_000, STAMPS, ("user_id",)),
    Kind("InsurancePlan", 4_000_000),
    Kind("InsuranceAuthorizationType", 4_500_000, (), ("user_id",)),
    Kind("Tag", 5_000_000, (*STAMPS, "name")),
    Kind("AppliedTag", 5_500_000, STAMPS, ("user_id", "tag_id")),
    Kind("UserGroup", 6_000_000, (*STAMPS, "name")),
    Kind("Referral", 6_200_000, (), ("user_id",)),
    Kind("ReferringPhysician", 6_400_000),
    Kind("NotificationContact", 6_600_000, (), ("user_id",)),
    Kind("CourseMembership", 6_800_000, (), ("user_id",)),
    Kind("ClientSource", 6_900_000, (), ("user_id",)),
    Kind("StripeCustomerDetail", 7_000_000, (), ("user_id",)),
    Kind("AppointmentTypeCredit", 7_300_000, (), ("user_id",)),
    Kind("Offering", 7_500_000),
    Kind("AppointmentType", 7_700_000),
    Kind("Appointment", 8_000_000, (*STAMPS, "date"), ("attendee_ids",)),
    Kind("BillingItem", 10_000_000, (*STAMPS, "state"), ("sender_id", "requested_payment_id")),
    Kind(
        "RequestedPayment",
        12_000_000,
        (*STAMPS, "status", "invoice_id", "invoice_type"),
        ("sender_id", "recipient_id", "appointment_id"),
    ),
    Kind("Cms1500", 14_000_000, (*STAMPS, "status", "date_of_service", "primary_plan_name"), ("patient_id",)),
    Kind("SuperBill", 15_000_000, (*STAMPS, "service_date"), ("patient_id",)),
    Kind("UserPackageSelection", 16_000_000, STAMPS, ("user_id",)),
    Kind("RecurringPayment", 17_000_000, STAMPS, ("sender_id",)),
    Kind("Task", 18_000_000, (*STAMPS, "due_date", "priority"), ("client_id",)),
    Kind("Organization", 19_000_000),
    Kind("OrganizationMembership", 19_100_000, (), ("user_id",)),
)
RENAMED = {  # (kind, field) -> the vendor's word in its order names, where it is not the field's
    ("Cms1500", "date_of_service"): "SERVICE_DATE",
    ("RequestedPayment", "invoice_type"): "TYPE",
    ("Task", "created_at"): "CREATED",
}
CHILD_OF = {  # kinds that belong to one patient -> the column that names it
    "Location": "user_id",
    "Policy": "user_id",
    "AppliedTag": "user_id",
    "Referral": "user_id",
    "NotificationContact": "user_id",
    "Appointment": "user_id",
    "BillingItem": "sender_id",
    "RequestedPayment": "recipient_id",
    "Cms1500": "patient_id",
    "Task": "client_id",
}


def new_tables(state: Finds) -> dict[str, Table]:
    """Empty tables. `state` is asked for group and provider names when users are listed by them."""
    tables = {kind.name: Table(kind.name, kind.first_id, _orders(kind), kind.owners) for kind in KINDS}
    people = KINDS[0]
    tables["User"] = Table("User", people.first_id, {**_orders(people), **_joined(state)}, people.owners)
    return tables


def _orders(kind: Kind) -> Mapping[str, KeyOf]:
    named = {RENAMED.get((kind.name, name), name.upper()): _by(name) for name in kind.by}
    return {**named, "ID": lambda _: (0, ""), "UNSORTED": lambda row: (crc32(str(row["id"]).encode()), "")}


def _by(name: str) -> KeyOf:
    def key(row: Row) -> Key:
        at = moment(row, name)
        if at is not None:
            return micros(at), ""
        whole = number(row, name)
        return (whole, "") if whole is not None else (-1, (text(row, name) or "").casefold())

    return key


def _joined(state: Finds) -> Mapping[str, KeyOf]:
    def by_other(kind: str, column: str, name: str) -> KeyOf:
        return lambda row: (0, (text(state.find(kind, text(row, column)) or {}, name) or "").casefold())

    return {
        "GROUP_NAME": by_other("UserGroup", "user_group_id", "name"),
        "PROVIDER_NAME": by_other("User", "dietitian_id", "last_name"),
    }


# Columns beside the schema's own fields: links that the stand-in resolves itself.
EXTRA = {
    "Appointment": frozenset({"attendee_ids", "provider_ids", "deleted_at"}),
    "AppliedTag": frozenset({"deleted_at"}),
    "Task": frozenset({"assignee_ids"}),
    "User": frozenset({"is_patient"}),
    "Cms1500": frozenset({"deleted_at"}),
    "ClientSource": frozenset({"user_id"}),
    "UserPackageSelection": frozenset({"user_id", "offering_id"}),
}
