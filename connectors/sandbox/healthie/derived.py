"""Which field of which type is worked out, and how. Everything else is stored, or a link by `<field>_id`."""

from collections.abc import Mapping

from connectors.sandbox.healthie import fields
from connectors.sandbox.healthie.call import Resolver
from connectors.sandbox.healthie.fields import first_owned, linked, owned
from connectors.sandbox.healthie.rows import text, texts

USER: Mapping[str, Resolver] = {
    "name": lambda _c, row, _a: fields.full_name(row),
    "full_name": lambda _c, row, _a: fields.full_name(row),
    "full_legal_name": lambda _c, row, _a: fields.legal_name(row),
    "full_legal_name_with_preferred": lambda _c, row, _a: fields.legal_name(row),
    "human_id": lambda _c, row, _a: row["id"],
    "true_human_id": lambda _c, row, _a: row["id"],
    "shard_aware_id": lambda _c, row, _a: f"1-{row['id']}",
    "is_patient": lambda _c, row, _a: bool(row.get("is_patient")),
    "age": fields.age,
    "location": first_owned("Location", "user_id"),
    "locations": fields.locations,
    "policies": fields.policies,
    "policiesOrderAscending": lambda call, row, _a: list(reversed(fields.policies(call, row, {}))),
    "primary_insurance_policy": fields.primary_policy,
    "insurance_authorization": first_owned("InsuranceAuthorizationType", "user_id"),
    "active_tags": fields.active_tags,
    "group_name": lambda call, row, _a: text(
        call.state.find("UserGroup", text(row, "user_group_id")) or {}, "name"
    ),
    "other_provider_ids": lambda _c, row, _a: texts(row, "other_provider_ids"),
    "dietitian": linked("User", "dietitian_id"),
    "other_providers": fields.other_providers,
    "providers": fields.providers,
    "client_source": first_owned("ClientSource", "user_id"),
    "referrals": owned("Referral", "user_id"),
    "notification_contacts": owned("NotificationContact", "user_id"),
    "course_memberships": owned("CourseMembership", "user_id"),
    "stripe_customer_details": owned("StripeCustomerDetail", "user_id"),
    "stripe_customer_detail": fields.stripe_detail,
    "appointment_type_credits": owned("AppointmentTypeCredit", "user_id"),
    "upcoming_payments": fields.payments_due,
    "next_recurring_payment": lambda call, row, _a: next(iter(fields.payments_due(call, row, {})), None),
    "appointments": fields.appointments,
    "upcoming_appointments": fields.upcoming,
    "next_appt_date": fields.next_appointment_date,
    "billing_items": owned("BillingItem", "sender_id"),
    "my_tasks": fields.my_tasks,
    "organization_membership": first_owned("OrganizationMembership", "user_id"),
    "unread_notifications_count": fields.unseen,
    "unseen_notifications_count": fields.unseen,
}
APPOINTMENT: Mapping[str, Resolver] = {
    "end": fields.end,
    "attendees": fields.attendees,
    "attended_clients": fields.attended_clients,
    "appointment_inclusions_count": lambda _c, row, _a: len(texts(row, "attendee_ids")),
    "provider": fields.main_provider,
    "providers": fields.appointment_providers,
    "requested_payment": first_owned("RequestedPayment", "appointment_id"),
}
OTHERS: Mapping[tuple[str, str], Resolver] = {
    ("AppointmentInclusionType", "user"): linked("User", "user_id"),
    ("AppointmentInclusionType", "appointment"): linked("Appointment", "appointment_id"),
    ("BillingItem", "sender"): linked("User", "sender_id"),
    ("BillingItem", "recipient"): linked("User", "recipient_id"),
    ("BillingItem", "provider"): linked("User", "recipient_id"),
    ("RequestedPayment", "sender"): linked("User", "sender_id"),
    ("RequestedPayment", "recipient"): linked("User", "recipient_id"),
    ("RequestedPayment", "billing_items"): owned("BillingItem", "requested_payment_id"),
    ("Cms1500", "patient"): linked("User", "patient_id"),
    ("SuperBill", "patient"): linked("User", "patient_id"),
    ("Task", "client"): linked("User", "client_id"),
    ("Task", "creator"): linked("User", "created_by_id"),
    ("Task", "assignees"): lambda call, row, args: call.page(
        call.few(
            "User",
            (u for i in texts(row, "assignee_ids") if (u := call.state.find("User", i))),
            args,
            "ID_ASC",
        ),
        args,
    ),
    ("Tag", "added_by"): lambda call, row, _a: fields.full_name(
        call.state.find("User", text(row, "user_id")) or {}
    ),
    ("Tag", "patients_tagged_count"): lambda call, row, _a: len(call.of_patient("AppliedTag", "tag_id", row)),
    ("UserGroup", "user_ids"): lambda call, row, _a: [
        person["id"] for person in call.state.table("User").owned("user_group_id", str(row["id"]))
    ],
    ("UserGroup", "users_count"): lambda call, row, _a: len(
        call.state.table("User").owned("user_group_id", str(row["id"]))
    ),
    ("ReferringPhysician", "full_name"): lambda _c, row, _a: fields.full_name(row),
    ("NotificationContact", "full_name"): lambda _c, row, _a: fields.full_name(row),
    ("Organization", "suborganizations"): lambda call, row, _a: [
        one
        for one in call.state.table("Organization").rows.values()
        if one.get("parent_organization_id") == row["id"]
    ],
    ("Organization", "user_groups"): lambda call, _r, _a: list(call.state.table("UserGroup").rows.values()),
    ("Organization", "tags"): lambda call, _r, _a: list(call.state.table("Tag").rows.values()),
    ("InsurancePlan", "name_and_id"): lambda _c, row, _a: f"{row.get('payer_name')} ({row.get('payer_id')})",
    ("Location", "to_oneline"): lambda _c, row, _a: ", ".join(
        part for part in (text(row, name) for name in ("line1", "line2", "city", "state", "zip")) if part
    ),
    ("StripeCustomerDetail", "user"): linked("User", "user_id"),
}
DERIVED: Mapping[tuple[str, str], Resolver] = {
    **{("User", name): resolver for name, resolver in USER.items()},
    **{("Appointment", name): resolver for name, resolver in APPOINTMENT.items()},
    **OTHERS,
}
