"""Roots: which root field is answered by what, and which of its arguments are served."""

from collections.abc import Mapping
from dataclasses import dataclass

from connectors.sandbox.healthie import (
    reads,
    reads_care,
    reads_money,
    writes_care,
    writes_client,
    writes_tags,
)
from connectors.sandbox.healthie.call import PAGING, RootResolver, WriteResolver

NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    resolve: RootResolver
    serves: frozenset[str]


def _query(resolve: RootResolver, *serves: str, paged: bool = True) -> Query:
    return Query(resolve, frozenset(serves) | (PAGING if paged else NOTHING))


def _one(kind: str, column: str) -> Query:
    return _query(reads_care.of_patient(kind, column), "id", paged=False)


QUERIES: Mapping[str, Query] = {
    "users": _query(
        reads.users,
        *(
            "active_status",
            "email",
            "group_id",
            "id",
            "ids",
            "keywords",
            "limited_to_provider",
            "provider_id",
        ),
        *("show_all_by_default", "tag_ids", "include_suborg_patients"),
    ),
    "user": _query(reads.user, "clear_notifs", "email", "id", "or_current_user", paged=False),
    "currentUser": _query(reads.current_user, paged=False),
    "organizationMembers": _query(reads.organization_members, "keywords"),
    "organization": _query(reads.organization, "id", paged=False),
    "tags": _query(reads.tags, "ids", "user_id", "order_by", paged=False),
    "tagsPaginated": _query(reads.tags_paginated, "ids", "user_id"),
    "userGroups": _query(reads_care.by_keywords("UserGroup", "NAME_ASC", "name"), "keywords"),
    "offerings": _query(reads_care.by_keywords("Offering", "ID_ASC", "name"), "keywords"),
    "insurancePlans": _query(
        reads_care.by_keywords("InsurancePlan", "ID_ASC", "payer_name", "payer_id"), "keywords", "ids"
    ),
    "appointments": _query(
        reads_care.appointments,
        *(
            "endDate",
            "startDate",
            "filter",
            "filter_by_appointment_type_id",
            "filter_by_appointment_type_ids",
        ),
        *("include_blockers", "include_suborganizations", "is_org", "provider_id", "provider_ids"),
        *("organization_id", "user_id", "with_all_statuses", "attendee_ids"),
    ),
    "appointment": _query(reads_care.appointment, "id", "include_deleted", paged=False),
    "appliedTags": _query(reads_care.applied_tags, "id", "tag_id", "updated_after", "updated_before"),
    "appliedTag": _query(reads_care.applied_tag, "id", "include_deleted", paged=False),
    "tasks": _query(
        reads_care.tasks,
        *("assigned_to_user", "assignees", "client_id", "completed_status", "created_by_self", "show_hidden"),
    ),
    "task": _one("Task", "client_id"),
    "locations": _query(reads_care.locations, "has_name", "user_id"),
    "location": _one("Location", "user_id"),
    "policy": _one("Policy", "user_id"),
    "referral": _one("Referral", "user_id"),
    "insuranceAuthorization": _query(reads_money.insurance_authorization, "client_id", "id", paged=False),
    "billingItems": _query(
        reads_money.billing_items,
        *("client_id", "created_at_end", "created_at_start", "provider_id", "state", "status"),
    ),
    "billingItem": _one("BillingItem", "sender_id"),
    "requestedPayments": _query(reads_money.requested_payments, "only_unpaid", "sender_id", "status_filter"),
    "requestedPayment": _one("RequestedPayment", "recipient_id"),
    "cms1500s": _query(reads_money.cms1500s, "client_id", "provider_id", "status"),
    "cms1500": _one("Cms1500", "patient_id"),
    "superBills": _query(reads_money.super_bills, "client_id", "status"),
    "userPackageSelections": _query(reads_money.user_package_selections, "offering_id", "user_id"),
    "recurringPayments": _query(reads_money.recurring_payments, "active_status", "user_id"),
}
MUTATIONS: Mapping[str, WriteResolver] = {
    "updateClient": writes_client.update_client,
    "createClient": writes_client.create_client,
    "bulkUpdateClients": writes_client.bulk_update_clients,
    "bulkApply": writes_tags.bulk_apply,
    "removeAppliedTag": writes_tags.remove_applied_tag,
    "createTag": writes_tags.create_tag,
    "createLocation": writes_care.create_location,
    "updateLocation": writes_care.update_location,
    "deleteLocation": writes_care.delete_location,
    "updatePolicy": writes_care.update_policy,
    "createTask": writes_tags.create_task,
    "updateTask": writes_tags.update_task,
    "deleteTask": writes_tags.delete_task,
    "createAppointment": writes_care.create_appointment,
    "updateAppointment": writes_care.update_appointment,
    "deleteAppointment": writes_care.delete_appointment,
}
