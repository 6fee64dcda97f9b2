"""The instructions as a program: S1 to S12. It runs in a sandbox; the functions it calls are granted ones."""

from datetime import date, timedelta

HALF_A_YEAR = timedelta(days=182)


def decide(entry, today):
    if not entry["active"]:
        return [warehouse_upsert_patients(because=["S1", "S2"], status="archived")]
    if any(tag["name"] == "No data sharing" for tag in entry["active_tags"] or []):
        return skip("S3", "no_consent")

    policies = entry["policies"] or []
    primary = [policy for policy in policies if policy["priority_type"] == "primary"]
    secondary = [policy for policy in policies if policy["priority_type"] == "secondary"]
    if len(primary) > 1:
        return review("S8", "two_primaries")

    state, again_on = status(entry["appointments"], today)
    location = entry["location"] or {}
    row = warehouse_upsert_patients(
        because=["S1", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12"],
        full_name=" ".join(part for part in [entry["first_name"], entry["last_name"]] if part),
        email=lower(entry["email"]),
        phone=phone(entry["phone_number"]),
        city=location.get("city", MISSING),
        state=location.get("state", MISSING),
        zip=location.get("zip", MISSING),
        payer=payer(primary),
        member_number=member_number(primary),
        secondary_payer=payer(secondary),
        secondary_member_number=member_number(secondary),
        status=state,
        age_group=age_group(entry["dob"], today),
        open_balance_cents=sum(invoice["balance_due_minor"] or 0 for invoice in entry["requested_payments"]),
        referral_channel=(entry.get("metadata") or {}).get("referral_channel", MISSING),
    )
    return plan([row], again_on=again_on)


def lower(text):
    return text.lower() if text else None


def phone(text):
    digits = "".join(c for c in text or "" if c in "0123456789")
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return "+1" + digits if len(digits) == 10 else None


def payer(policies):
    plans = [policy["insurance_plan"] for policy in policies]
    return plans[0]["payer_name"] if plans and plans[0] else None


def member_number(policies):
    return policies[0]["num"] if policies else None


def status(appointments, today):
    """The status today, and the day on which it may become another one."""
    days = [(date.fromisoformat(one["date"][:10]), one["pm_status"]) for one in appointments if one["date"]]
    occurred = [day for day, what in days if what == "Occurred"]
    coming = [day for day, what in days if day >= today and what is None]
    if not occurred:
        return "new", None
    ends = max(occurred) + HALF_A_YEAR
    if coming:
        return "active", max(coming) + timedelta(days=1)
    if ends >= today:
        return "active", ends + timedelta(days=1)
    return "lapsed", None


def age_group(dob, today):
    if not dob:
        return "unknown"
    born = date.fromisoformat(dob)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return "minor" if age < 18 else "senior" if age >= 65 else "adult"
