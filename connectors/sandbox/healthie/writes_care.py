"""The mutations of addresses, policies and appointments."""

from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.rows import Args, Row, input_of, midnight, number, read_moment, text, texts
from connectors.sandbox.healthie.writes_client import message

STATUSES = (
    "Occurred",
    "No-Show",
    "Re-Scheduled",
    "Cancelled",
    "Late Cancellation",
    "Checked-In",
    "Scheduled",
    "",
)
SCHEDULING = (
    *(
        "datetime",
        "date",
        "time",
        "timezone",
        "end_date",
        "end_time",
        "id",
        "providers",
        "attendee_ids",
        "user_id",
    ),
    *(
        "suppress_webhook_notifications",
        "skip_notification_email",
        "enforce_availability",
        "cancellation_reason_id",
    ),
    *("appointment_type_id", "other_party_id", "attended_clients", "recurring_appointment"),
)


def create_location(call: Call, args: Args) -> Row:
    """An address of `user_id`, or of the key's user."""
    asked = input_of(args)
    owner = text(asked, "user_id") or call.viewer.user_id
    if call.patient(owner) is None and call.state.staff(owner) is None:
        return {"location": None, "messages": [message("user_id", "User not found")]}
    return {"location": call.state.insert("Location", {**asked, "user_id": owner}), "messages": None}


def update_location(call: Call, args: Args) -> Row:
    asked = input_of(args)
    found = _location(call, asked)
    if found is None:
        return {"location": None, "messages": [message("id", "Location not found")]}
    call.state.update("Location", found, {name: value for name, value in asked.items() if name != "id"})
    return {"location": found, "messages": None}


def delete_location(call: Call, args: Args) -> Row:
    found = _location(call, input_of(args))
    if found is None:
        return {"location": None, "messages": [message("id", "Location not found")]}
    call.state.delete("Location", found, soft=False)
    return {"location": found, "messages": None}


def _location(call: Call, asked: Row) -> Row | None:
    found = call.state.find("Location", text(asked, "id"))
    owner = text(found or {}, "user_id") or ""
    return found if call.patient(owner) is not None or call.state.staff(owner) is not None else None


def update_policy(call: Call, args: Args) -> Row:
    """Neither number, group nor plan can be changed here. The owner cannot either."""
    asked = input_of(args)
    policy = call.state.find("Policy", text(asked, "id"))
    if policy is None or call.patient(text(policy, "user_id")) is None:
        return {"policy": None, "messages": [message("id", "Policy not found")]}
    if "user_id" in asked and text(asked, "user_id") != policy["user_id"]:
        return {"policy": policy, "messages": [message("user_id", "Unauthorized")]}
    values: Row = {name: value for name, value in asked.items() if name not in ("id", "user_id")}
    try:
        for name in ("effective_start", "effective_end"):
            if name in values:
                values[name] = midnight(values[name], call.viewer.zone)
    except ValueError:
        return {"policy": policy, "messages": [message("effective_start", "Date is invalid")]}
    call.state.update("Policy", policy, values)
    return {"policy": policy, "messages": None}


def create_appointment(call: Call, args: Args) -> Row:
    """Book. The key's user becomes a provider too, unless both `other_party_id` and `providers` are sent."""
    asked = input_of(args)
    guests = texts(asked, "attendee_ids") or [id_ for id_ in (text(asked, "user_id"),) if id_]
    failures = _booking_failures(call, asked, guests)
    at = _when(call, asked)
    if failures or at is None:
        return _booked(None, failures or [message("datetime", "Date is invalid")])
    kind = call.state.find("AppointmentType", text(asked, "appointment_type_id")) or {}
    named = [id_.strip() for id_ in (text(asked, "providers") or "").split(",") if id_.strip()]
    people = named or [id_ for id_ in (text(asked, "other_party_id"),) if id_]
    if not (asked.get("other_party_id") and asked.get("providers")) and call.viewer.user_id not in people:
        people.append(call.viewer.user_id)
    home = call.state.find("User", call.viewer.user_id) or {}
    values: Row = {
        **{name: value for name, value in asked.items() if name not in SCHEDULING},
        **{"appointment_type_id": text(asked, "appointment_type_id"), "date": at, "attendee_ids": guests},
        **{
            "user_id": guests[0] if len(guests) == 1 else None,
            "is_group": len(guests) > 1,
            "provider_ids": people,
        },
        **{"other_party_id": people[0], "organization_id": home.get("organization_id"), "is_blocker": False},
        "length": number(kind, "length") or 30,
    }
    return _booked(call.state.insert("Appointment", values), [])


def update_appointment(call: Call, args: Args) -> Row:
    asked = input_of(args)
    found = _appointment(call, asked)
    if found is None:
        return _booked(None, [message("id", "Appointment not found")])
    if "pm_status" in asked and (asked["pm_status"] or "") not in STATUSES:
        return _booked(found, [message("pm_status", "Status is not included in the list")])
    values: Row = {name: value for name, value in asked.items() if name not in SCHEDULING}
    for name in ("appointment_type_id", "other_party_id"):
        if name in asked:
            values[name] = text(asked, name)
    if "datetime" in asked or "date" in asked:
        values["date"] = _when(call, asked)
        if values["date"] is None:
            return _booked(found, [message("datetime", "Date is invalid")])
    if "pm_status" in values and values["pm_status"] != found.get("pm_status"):
        values["pm_status_changed_at"] = call.state.clock.now()
        values["pm_status_last_changed_by_id"] = call.viewer.user_id
    call.state.update("Appointment", found, values)
    return _booked(found, [])


def delete_appointment(call: Call, args: Args) -> Row:
    """Staff delete softly: gone from the lists, still there for `include_deleted`."""
    found = _appointment(call, input_of(args))
    if found is None:
        return _booked(None, [message("id", "Appointment not found")])
    call.state.delete("Appointment", found, soft=True)
    return _booked(found, [])


def _booking_failures(call: Call, asked: Row, guests: list[str]) -> list[Row]:
    failures = list[Row]()
    if call.state.find("AppointmentType", text(asked, "appointment_type_id")) is None:
        failures.append(message("appointment_type_id", "Appointment type can't be blank"))
    if not guests or any(call.patient(id_) is None for id_ in guests):
        failures.append(message("user_id", "Client not found"))
    if text(asked, "contact_type") is None:
        failures.append(message("contact_type", "Contact type can't be blank"))
    if text(asked, "contact_type") == "In Person" and text(asked, "appointment_location_id") is None:
        failures.append(message("appointment_location_id", "Location can't be blank"))
    return failures


def _when(call: Call, asked: Row) -> datetime | None:
    """The instant asked for; a time without offset counts in `timezone`, else in the viewer's."""
    given = asked.get("datetime") or asked.get("date")
    try:
        parsed = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(text(asked, "timezone") or call.viewer.zone))
    return read_moment(parsed)


def _appointment(call: Call, asked: Row) -> Row | None:
    found = call.state.find("Appointment", text(asked, "id"))
    if found is None or found.get("deleted_at") is not None:
        return None
    guests = [call.patient(id_) for id_ in texts(found, "attendee_ids")]
    return found if call.viewer.sees_all or any(guests) else None


def _booked(appointment: Row | None, failures: list[Row]) -> Row:
    return {"appointment": appointment, "messages": failures or None}
