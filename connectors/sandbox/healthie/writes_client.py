"""The mutations of patients. Business failures are `messages` with HTTP 200, never GraphQL errors."""

import re
from collections.abc import Mapping
from typing import cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from connectors.sandbox.healthie.call import Call
from connectors.sandbox.healthie.nested import apply_locations, apply_policies, apply_source
from connectors.sandbox.healthie.rows import Args, Row, input_of, names, objects, read_date, text, texts

PLAIN = frozenset(
    names("""additional_phone_number additional_record_identifier auto_charge_enabled default_billing_type
    dietitian_id email first_name gender gender_identity gender_identity_code last_name legal_name metadata
    phone_number preferred_language_code primary_ethnicity_code primary_race_code pronouns quick_notes
    record_identifier restricted secondary_ethnicity_code secondary_race_code sex sexual_orientation_code
    sexual_orientation_other skipped_email timezone user_group_id""")
)
MAILING = ("resend_welcome", "send_form_request_reminder", "is_intake_item", "requested_form_completion_id")
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
METADATA_MAX = 128_000  # characters


def update_client(call: Call, args: Args) -> Row:
    """Change what is given. With one of the mailing flags the demographics of the same call are ignored."""
    asked = input_of(args)
    patient = call.patient(text(asked, "id"))
    if patient is None:
        return _answer(None, [message("id", "No client found with this id")])
    mailing = [name for name in MAILING if asked.get(name)]
    if mailing:
        call.state.mails.extend((str(patient["id"]), name) for name in mailing)
        return _answer(patient, [])
    values = _values(asked)
    if "other_provider_ids" in values and not call.state.settings.other_provider_ids_replace:
        both = [*texts(patient, "other_provider_ids"), *texts(values, "other_provider_ids")]
        values["other_provider_ids"] = list(dict.fromkeys(both))
    failures = _failures(call, values, patient)
    if failures:
        return _answer(patient, failures)
    call.state.update("User", patient, {**_parsed(values), **_archived(call, asked, patient)})
    failures = _children(call, asked, patient)
    return _answer(patient, failures)


def create_client(call: Call, args: Args) -> Row:
    """A new patient. The welcome mail goes out unless it is declined."""
    asked = input_of(args)
    values = {**_values(asked), "dietitian_id": text(asked, "dietitian_id") or call.viewer.user_id}
    required = {name: values.get(name) for name in ("first_name", "last_name")}
    failures = [
        message(name, f"{name.replace('_', ' ').capitalize()} can't be blank")
        for name, v in required.items()
        if not v
    ]
    failures += _failures(call, {"email": None, **values}, {})
    if failures:
        return _answer(None, failures)
    home = call.state.find("User", call.viewer.user_id) or {}
    stored = {
        "is_patient": True,
        "active": True,
        "organization_id": home.get("organization_id"),
        "timezone": None,
    }
    patient = call.state.insert("User", {**stored, **_parsed(values)})
    if not asked.get("dont_send_welcome"):
        call.state.mails.append((str(patient["id"]), "welcome"))
    return _answer(patient, [])


def bulk_update_clients(call: Call, args: Args) -> Row:
    """Move clients to a group. WITHOUT `user_group_id` they are ARCHIVED, as Healthie's reference says."""
    asked = input_of(args)
    if asked.get("select_all_status"):
        return {"users": None, "messages": [message("select_all_status", "The stand-in does not serve this")]}
    found = [row for id_ in texts(asked, "ids") if (row := call.patient(id_)) is not None]
    group = text(asked, "user_group_id")
    if group is not None and call.state.find("UserGroup", group) is None:
        return {"users": None, "messages": [message("user_group_id", "User group not found")]}
    for patient in found:
        if group is not None:
            call.state.update("User", patient, {"user_group_id": group})
        else:
            active = bool(asked.get("active_status"))
            call.state.update("User", patient, _archived(call, {"active": active}, patient))
    return {"users": found, "messages": None}


def message(field: str | None, words: str) -> Row:
    return {"field": field, "message": words}


def _answer(user: Row | None, failures: list[Row]) -> Row:
    return {"user": user, "messages": failures or None}


def _values(asked: Row) -> Row:
    """The stored fields among what was asked, blank links as none."""
    values: Row = {name: value for name, value in asked.items() if name in PLAIN or name == "dob"}
    for name in ("user_group_id", "dietitian_id"):
        if name in values:
            values[name] = text(values, name)
    if "other_provider_ids" in asked:
        values["other_provider_ids"] = texts(asked, "other_provider_ids")
    return values


def _parsed(values: Mapping[str, object]) -> Row:
    if "dob" not in values:
        return dict(values)
    return {**values, "dob": read_date(values["dob"]) if values["dob"] else None}


def _archived(call: Call, asked: Row, patient: Row) -> Row:
    active = asked.get("active")
    if active is None or bool(active) == bool(patient.get("active")):
        return {}
    return {"active": bool(active), "archived_at": None if active else call.state.clock.now()}


def _children(call: Call, asked: Row, patient: Row) -> list[Row]:
    failures: list[Row] = []
    if "location" in asked and not call.state.settings.location_input_ignored:
        failures += apply_locations(call, patient, objects({"one": [asked["location"]]}, "one"))
    failures += apply_locations(call, patient, objects(asked, "locations"))
    if "policies" in asked:
        failures += apply_policies(call, patient, objects(asked, "policies"))
    source = asked.get("client_source")
    if isinstance(source, dict):
        apply_source(call, patient, cast(Row, source))
    return failures


def _failures(call: Call, values: Row, patient: Row) -> list[Row]:
    """What is wrong with these values for this patient ({} for a new one)."""
    failures = list[Row]()
    if "dob" in values and values["dob"] and not _is_date(values["dob"]):
        failures.append(message("dob", "Date of birth is invalid"))
    if values.get("timezone") and not _is_zone(str(values["timezone"])):
        failures.append(message("timezone", "Timezone is not included in the list"))
    if len(str(values.get("metadata") or "")) > METADATA_MAX:
        failures.append(message("metadata", f"Metadata is too long (maximum is {METADATA_MAX} characters)"))
    for name in ("first_name", "last_name"):
        if patient and name in values and not values[name]:
            failures.append(message(name, f"{name.replace('_', ' ').capitalize()} can't be blank"))
    return failures + _broken_links(call, values) + _email_failures(call, values, patient)


def _broken_links(call: Call, values: Row) -> list[Row]:
    failures = list[Row]()
    if values.get("user_group_id") and call.state.find("UserGroup", text(values, "user_group_id")) is None:
        failures.append(message("user_group_id", "User group not found"))
    people = [("dietitian_id", text(values, "dietitian_id"))]
    people += [("other_provider_ids", id_) for id_ in texts(values, "other_provider_ids")]
    failures += [
        message(name, "Provider not found") for name, id_ in people if id_ and call.state.staff(id_) is None
    ]
    return failures


def _email_failures(call: Call, values: Row, patient: Row) -> list[Row]:
    if not {"email", "first_name", "last_name", "skipped_email"} & values.keys():
        return []
    wanted = {**patient, **values}
    email = (text(wanted, "email") or "").casefold()
    if not email:
        blank = "email" in values and not wanted.get("skipped_email")
        return [message("email", "Email can't be blank")] if blank else []
    if not EMAIL.fullmatch(email):
        return [message("email", "Email is invalid")]
    for row in call.state.table("User").owned("email", email):
        same_name = all(text(row, name) == text(wanted, name) for name in ("first_name", "last_name"))
        if (
            row is not patient
            and row.get("id") != patient.get("id")
            and (same_name or not row.get("is_patient"))
        ):
            return [message("email", "Email has already been taken")]
    return []


def _is_date(value: object) -> bool:
    try:
        read_date(value)
    except ValueError:
        return False
    return True


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True
