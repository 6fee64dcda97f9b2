"""Fields that are not stored but looked up or worked out: links between types, names, lists below a type."""

from datetime import date, timedelta

from connectors.sandbox.healthie.call import Call, Resolver
from connectors.sandbox.healthie.rows import Args, Row, micros, moment, number, text, texts

INACTIVE = ("Cancelled", "Late Cancellation", "No-Show", "Re-Scheduled")


def full_name(row: Row) -> str:
    return " ".join(part for part in (text(row, "first_name"), text(row, "last_name")) if part)


def legal_name(row: Row) -> str:
    first = text(row, "legal_name") or text(row, "first_name")
    return " ".join(part for part in (first, text(row, "last_name")) if part)


def age(call: Call, row: Row, _: Args) -> int | None:
    born = row.get("dob")
    today = call.state.clock.now().date()
    if not isinstance(born, date):
        return None
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def locations(call: Call, row: Row, _: Args) -> list[Row]:
    return call.of_patient("Location", "user_id", row)


def policies(call: Call, row: Row, args: Args) -> list[Row]:
    """Newest first. `active: true` leaves out inactive and ended ones."""
    found = sorted(call.of_patient("Policy", "user_id", row), key=lambda policy: -int(str(policy["id"])))
    return [policy for policy in found if _is_active(call, policy)] if args.get("active") else found


def primary_policy(call: Call, row: Row, _: Args) -> Row | None:
    found = (policy for policy in policies(call, row, {}) if policy.get("priority_type") == "primary")
    return next(found, None)


def _is_active(call: Call, policy: Row) -> bool:
    end = moment(policy, "effective_end")
    return policy.get("priority_type") != "inactive" and (end is None or end >= call.state.clock.now())


def active_tags(call: Call, row: Row, _: Args) -> list[Row]:
    applied = call.of_patient("AppliedTag", "user_id", row)
    found = (call.state.find("Tag", text(one, "tag_id")) for one in applied)
    return [tag for tag in found if tag is not None]


def other_providers(call: Call, row: Row, _: Args) -> list[Row]:
    found = (call.state.find("User", id_) for id_ in texts(row, "other_provider_ids"))
    return [person for person in found if person is not None]


def providers(call: Call, row: Row, _: Args) -> list[Row]:
    main = call.state.find("User", text(row, "dietitian_id"))
    return [*([main] if main else []), *other_providers(call, row, {})]


def payments_due(call: Call, row: Row, _: Args) -> list[Row]:
    found = call.of_patient("RecurringPayment", "sender_id", row)
    going = [one for one in found if not one.get("is_canceled") and not one.get("is_paused")]
    return sorted(going, key=lambda one: micros(moment(one, "next_payment_date")))


def appointments(call: Call, row: Row, _: Args) -> list[Row]:
    return call.of_patient("Appointment", "attendee_ids", row)


def upcoming(call: Call, row: Row, _: Args) -> list[Row]:
    now = call.state.clock.now()
    coming = [one for one in appointments(call, row, {}) if micros(moment(one, "date")) >= micros(now)]
    active = [one for one in coming if one.get("pm_status") not in INACTIVE]
    return sorted(active, key=lambda one: micros(moment(one, "date")))


def next_appointment_date(call: Call, row: Row, _: Args) -> object:
    coming = upcoming(call, row, {})
    return call.served(coming[0].get("date")) if coming else None


def stripe_detail(call: Call, row: Row, _: Args) -> Row | None:
    chosen = call.state.find("StripeCustomerDetail", text(row, "default_stripe_customer_detail_id"))
    return chosen or next(iter(call.of_patient("StripeCustomerDetail", "user_id", row)), None)


def my_tasks(call: Call, row: Row, args: Args) -> list[Row]:
    found = call.of_patient("Task", "client_id", row)
    return found[: number(args, "limit") or len(found)]


def unseen(call: Call, row: Row, _: Args) -> int:
    return sum(call.state.unseen.get(str(row["id"]), {}).values())


def attendees(call: Call, row: Row, _: Args) -> list[Row]:
    found = (call.state.find("User", id_) for id_ in texts(row, "attendee_ids"))
    return [person for person in found if person is not None]


def attended_clients(_: Call, row: Row, __: Args) -> list[Row]:
    ids = texts(row, "attendee_ids") if row.get("is_group") else []
    return [
        {"id": f"{row['id']}{at:02}", "appointment_id": row["id"], "user_id": id_, "confirmed": False}
        for at, id_ in enumerate(ids, 1)
    ]


def appointment_providers(call: Call, row: Row, _: Args) -> list[Row]:
    ids = texts(row, "provider_ids") or [id_ for id_ in (text(row, "provider_id"),) if id_]
    return [person for person in (call.state.find("User", id_) for id_ in ids) if person is not None]


def main_provider(call: Call, row: Row, _: Args) -> Row | None:
    return next(iter(appointment_providers(call, row, {})), None)


def end(call: Call, row: Row, _: Args) -> object:
    at = moment(row, "date")
    return call.served(at + timedelta(minutes=number(row, "length") or 0)) if at else None


def linked(kind: str, column: str) -> Resolver:
    """The row whose id stands in that column."""
    return lambda call, row, _: call.state.find(kind, text(row, column))


def owned(kind: str, column: str) -> Resolver:
    """The living rows that name this one in that column."""
    return lambda call, row, _: call.of_patient(kind, column, row)


def first_owned(kind: str, column: str) -> Resolver:
    return lambda call, row, _: next(iter(call.of_patient(kind, column, row)), None)
