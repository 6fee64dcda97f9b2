"""The recall list as a program: S1 to S15. It runs in a sandbox; the functions it calls are granted ones."""

from datetime import date, timedelta

CALL_AFTER = timedelta(days=30)
LETTER_AFTER = timedelta(days=180)
ONE_DAY = timedelta(days=1)


def decide(entry, today):
    visits = [(day_of(one["date"]), one["pm_status"]) for one in entry["appointments"] if one["date"]]
    occurred = [day for day, status in visits if status == "Occurred"]
    if not occurred:
        return skip("S2", "never_here")
    if not entry["active"]:
        return [phones_upsert_recall(because=["S1", "S3"], status="off")]
    if any(tag["name"] in ("Discharged", "No calls") for tag in entry["active_tags"] or []):
        return [phones_upsert_recall(because=["S1", "S4"], status="off")]
    coming = [day for day, status in visits if day >= today and not status]
    if coming:
        row = phones_upsert_recall(because=["S1", "S5"], status="booked")
        return plan([row], again_on=max(coming) + ONE_DAY)
    last = max(occurred)
    if last + CALL_AFTER >= today:
        row = phones_upsert_recall(because=["S1", "S6"], status="current")
        return plan([row], again_on=last + CALL_AFTER + ONE_DAY)
    return recall(entry, today, visits, last)


def recall(entry, today, visits, last):
    """The whole row of somebody who is to be called, or written to."""
    grown_up_on = of_age(entry["dob"])
    minor = grown_up_on is not None and grown_up_on > today
    phone, ask_for, check = parent(entry) if minor else (written(entry["phone_number"]), None, None)
    late = last + LETTER_AFTER < today
    unreachable = not minor and phone is None and not late
    letter = late or unreachable
    location = (entry["location"] or {}) if letter else {}
    row = phones_upsert_recall(
        because=[
            "S1",
            "S8" if late else "S9" if unreachable else "S7",
            "S10",
            "S11",
            "S12",
            "S13",
            "S14",
            "S15",
        ],
        status="letter" if letter else "call",
        reason=reason(visits, today),
        name=name(entry["first_name"], entry["last_name"]),
        phone=phone,
        ask_for=ask_for,
        check=check,
        last_visit=last,
        therapist=(entry["dietitian"] or {}).get("full_name"),
        medicare="yes" if has_medicare(entry["policies"] or []) else "no",
        street=location.get("line1"),
        city=location.get("city"),
        state=location.get("state"),
        zip=location.get("zip"),
    )
    days = [None if late else last + LETTER_AFTER + ONE_DAY, grown_up_on if minor else None]
    return plan([row], again_on=min([day for day in days if day], default=None))


def day_of(moment):
    return date.fromisoformat(local_date(moment))


def of_age(dob):
    """The 18th birthday; who was born on 29 February comes of age on 1 March."""
    if not dob:
        return None
    born = date.fromisoformat(dob)
    return date(born.year + 18, born.month, 1) + timedelta(days=born.day - 1)


def parent(entry):
    """Phone, whom to ask for, and what to check."""
    for contact in entry["notification_contacts"] or []:
        if contact["emergency"]:
            return written(contact["phone_number"]), name(contact["first_name"], contact["last_name"]), None
    return None, None, "no contact"


def reason(visits, today):
    before = [one for one in visits if one[0] < today and one[1]]
    _, status = max(before, key=lambda one: one[0])
    return "missed" if status in ("No-Show", "Late Cancellation") else "quiet"


def name(first, last):
    return " ".join(part.strip() for part in (first, last) if part and part.strip())


def written(phone):
    digits = "".join(c for c in phone or "" if c in "0123456789")
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return f"{digits[:3]}-{digits[3:6]}-{digits[6:]}" if len(digits) == 10 else None


def has_medicare(policies):
    primary = [one["insurance_plan"] or {} for one in policies if one["priority_type"] == "primary"]
    return any(plan.get("payer_name") == "Medicare" for plan in primary)
